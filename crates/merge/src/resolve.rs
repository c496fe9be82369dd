//! The rule for one sku: which product is shown, and which offers are kept but not shown. The rest of the crate only brings the
//! right offers here. See docs/reference/README.md#winner and docs/reference/README.md#edits.

/// A row of `products`. `T` is `String` for rows read from the database and `&str` for rows to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Product<T = String> {
    /// The key.
    pub sku: T,
    /// The winner's name, or the edit's.
    pub name: T,
    /// The winner's description, or the edit's.
    pub description: T,
    /// The winner's file. `None` if the product consists of an edit alone.
    pub file: Option<i64>,
    /// True if an edit applies. If not, this row is the only copy of the winning offer.
    pub edited: bool,
}

/// One file's offer for one sku.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer<T = String> {
    /// The key, together with `file`.
    pub sku: T,
    /// The number of the file.
    pub file: i64,
    /// True if the row deletes the sku. Both texts are empty then.
    pub deletes: bool,
    /// The name, trimmed.
    pub name: T,
    /// The description as in the file.
    pub description: T,
}

/// A person's or program's correction of one sku, applied over the winner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// The key.
    pub sku: String,
    /// The name to show instead of the winner's.
    pub name: Option<String>,
    /// The description to show instead of the winner's.
    pub description: Option<String>,
    /// Hides the product.
    pub hidden: bool,
    /// Shows the product even if no source offers it.
    pub stands: bool,
}

/// Rows of one sku in `products` and `shadowed`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resolved<'o, 'a> {
    /// The row of `products`, if the sku is shown.
    pub(crate) product: Option<Product<&'a str>>,
    /// The rows of `shadowed`: every offer except one that is shown unedited, in the order given.
    pub(crate) shadowed: &'o [Offer<&'a str>],
}

impl Product {
    /// The same row, borrowed.
    #[must_use]
    pub fn borrowed(&self) -> Product<&str> {
        let Self { sku, name, description, file, edited } = self;
        Product { sku, name, description, file: *file, edited: *edited }
    }

    /// The offer that this row shows unedited, if any.
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

/// Resolves one sku. `offers` are its current offers in order of rank, so the last one wins.
///
/// | winner | no edit | edit | hidden edit |
/// | --- | --- | --- | --- |
/// | an offer | the offer | the offer, with the edit's fields over it | nothing |
/// | a `delete`, or none | nothing | the edit's fields if it stands, else nothing | nothing |
#[must_use]
pub(crate) fn resolve<'o, 'a>(sku: &'a str, offers: &'o [Offer<&'a str>], edit: Option<&'a Edit>) -> Resolved<'o, 'a> {
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
    Resolved { product, shadowed }
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

    /// `shown` is (name, description, file, edited). `shadowed` lists the files whose offers are kept.
    #[track_caller]
    fn check(offers: &[Offer], edit: Option<Edit>, shown: Option<(&str, &str, Option<i64>, bool)>, shadowed: &[i64]) {
        let offers: Vec<_> = offers.iter().map(Offer::borrowed).collect();
        let resolved = resolve("s", &offers, edit.as_ref());
        let product = resolved.product.map(|p| (p.name, p.description, p.file, p.edited));
        assert_eq!(product, shown);
        assert_eq!(resolved.shadowed.iter().map(|offer| offer.file).collect::<Vec<_>>(), shadowed);
    }

    #[test]
    fn the_last_offer_wins_and_the_others_are_shadowed() {
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
    fn an_edit_applies_over_the_winner() {
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
