//! The rule for one sku: which product is shown, and which offers lie in its shadow. Everything else in this crate only
//! brings the right offers here. The rule is the contract's, section 2 "Winner" and "Edits".

/// A row of `products`. `T` is `String` where it comes from the database, `&str` where it is on its way there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Product<T = String> {
    /// The key.
    pub sku: T,
    /// The winner's name, or the edit's.
    pub name: T,
    /// The winner's description, or the edit's.
    pub description: T,
    /// The winner's file; none if the product stands alone on an edit.
    pub file: Option<i64>,
    /// Whether an edit lies over the winner. An offer that is shown unedited lives in this row and nowhere else.
    pub edited: bool,
}

/// One file's offer for one sku.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer<T = String> {
    /// The sku that it is for.
    pub sku: T,
    /// The number of the file that makes it.
    pub file: i64,
    /// Whether it takes the sku away instead of offering it; then both texts are empty.
    pub deletes: bool,
    /// The name, trimmed.
    pub name: T,
    /// The description, as it stands in the file.
    pub description: T,
}

impl Product {
    /// The same row, borrowed.
    #[must_use]
    pub fn borrowed(&self) -> Product<&str> {
        let Self { sku, name, description, file, edited } = self;
        Product { sku, name, description, file: *file, edited: *edited }
    }

    /// The offer that is shown in this row, if it is one as it came.
    #[must_use]
    pub fn offer(&self) -> Option<Offer<&str>> {
        let Self { sku, name, description, file, edited } = self;
        let file = file.filter(|_| !edited)?;
        Some(Offer { sku, file, deletes: false, name, description })
    }
}

impl Offer {
    /// The same offer, borrowed.
    #[must_use]
    pub fn borrowed(&self) -> Offer<&str> {
        let Self { sku, file, deletes, name, description } = self;
        Offer { sku, file: *file, deletes: *deletes, name, description }
    }
}

/// A person's or program's change to one sku.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// The sku that it is for.
    pub sku: String,
    /// The name to show instead of the winner's.
    pub name: Option<String>,
    /// The description to show instead of the winner's.
    pub description: Option<String>,
    /// Whether the product is not shown at all.
    pub hidden: bool,
    /// Whether the product is shown though no source offers it.
    pub stands: bool,
}

/// Where the offers of one sku go.
#[derive(Debug, PartialEq, Eq)]
pub struct Placement<'o, 'a> {
    /// What `products` shows, if anything.
    pub product: Option<Product<&'a str>>,
    /// What `shadowed` keeps: every offer but the one that is shown unedited, in the order given.
    pub shadowed: &'o [Offer<&'a str>],
}

/// Decides for one sku. `offers` are all current ones in order of rank, so the last one wins.
///
/// | winner | no edit | edit | hidden edit |
/// | --- | --- | --- | --- |
/// | an offer | the offer | the offer, the edit's fields over it | nothing |
/// | a `delete`, or none | nothing | the edit's fields, if it stands; else nothing | nothing |
#[must_use]
pub fn place<'o, 'a>(sku: &'a str, offers: &'o [Offer<&'a str>], edit: Option<&'a Edit>) -> Placement<'o, 'a> {
    let winner = offers.last().filter(|offer| !offer.deletes);
    let name = edit.and_then(|edit| edit.name.as_deref());
    let description = edit.and_then(|edit| edit.description.as_deref());
    let product = match (winner, edit) {
        (_, Some(edit)) if edit.hidden => None,
        (Some(winner), _) => Some(Product {
            sku,
            name: name.unwrap_or(winner.name),
            description: description.unwrap_or(winner.description),
            file: Some(winner.file),
            edited: edit.is_some(),
        }),
        (None, Some(edit)) if edit.stands => Some(Product {
            sku,
            name: name.unwrap_or_default(),
            description: description.unwrap_or_default(),
            file: None,
            edited: true,
        }),
        (None, _) => None,
    };
    let shadowed = match (&product, offers) {
        (Some(product), [shadowed @ .., _]) if !product.edited => shadowed,
        _ => offers,
    };
    Placement { product, shadowed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(file: i64, name: &str) -> Offer {
        Offer { sku: "s".into(), file, deletes: false, name: name.into(), description: "d".into() }
    }

    fn delete(file: i64) -> Offer {
        Offer { deletes: true, name: String::new(), description: String::new(), ..offer(file, "") }
    }

    fn edit(name: Option<&str>, hidden: bool, stands: bool) -> Edit {
        Edit { sku: "s".into(), name: name.map(str::to_owned), description: None, hidden, stands }
    }

    /// `shown` is name, description, file, edited; `shadowed` the files whose offers are kept.
    #[track_caller]
    fn check(offers: &[Offer], edit: Option<Edit>, shown: Option<(&str, &str, Option<i64>, bool)>, shadowed: &[i64]) {
        let offers: Vec<_> = offers.iter().map(Offer::borrowed).collect();
        let placement = place("s", &offers, edit.as_ref());
        let product = placement.product.map(|p| (p.name, p.description, p.file, p.edited));
        assert_eq!(product, shown);
        assert_eq!(placement.shadowed.iter().map(|offer| offer.file).collect::<Vec<_>>(), shadowed);
    }

    #[test]
    fn the_last_offer_wins_and_the_others_lie_in_its_shadow() {
        check(&[], None, None, &[]);
        check(&[offer(1, "a")], None, Some(("a", "d", Some(1), false)), &[]);
        check(&[offer(1, "a"), offer(2, "b")], None, Some(("b", "d", Some(2), false)), &[1]);
        check(&[delete(1), offer(2, "b")], None, Some(("b", "d", Some(2), false)), &[1]);
    }

    #[test]
    fn a_winning_delete_hides_the_sku_and_is_kept() {
        check(&[delete(1)], None, None, &[1]);
        check(&[offer(1, "a"), delete(2)], None, None, &[1, 2]);
    }

    #[test]
    fn an_edit_lies_over_the_winner() {
        check(&[offer(1, "a")], Some(edit(Some("e"), false, false)), Some(("e", "d", Some(1), true)), &[1]);
        check(&[offer(1, "a")], Some(edit(None, false, true)), Some(("a", "d", Some(1), true)), &[1]);
        check(
            &[offer(1, "a"), offer(2, "b")],
            Some(edit(Some("e"), false, true)),
            Some(("e", "d", Some(2), true)),
            &[1, 2],
        );
    }

    #[test]
    fn without_a_winner_only_a_standing_edit_shows() {
        check(&[], Some(edit(Some("e"), false, false)), None, &[]);
        check(&[delete(1)], Some(edit(Some("e"), false, false)), None, &[1]);
        check(&[], Some(edit(Some("e"), false, true)), Some(("e", "", None, true)), &[]);
        check(&[delete(1)], Some(edit(None, false, true)), Some(("", "", None, true)), &[1]);
    }

    #[test]
    fn a_hidden_edit_shows_nothing() {
        check(&[offer(1, "a")], Some(edit(None, true, false)), None, &[1]);
        check(&[], Some(edit(None, true, true)), None, &[]);
    }
}
