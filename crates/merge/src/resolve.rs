//! The rule for one sku: which product is shown, and which offers are kept but not shown. The rest of the crate only brings the
//! right offers here. See docs/reference/README.md#winner and docs/reference/README.md#edits.

use std::borrow::Cow;

use crate::{
    error::Error,
    offer::{Edit, Offer, Product},
    survivorship::Survivorship,
    texts::Texts,
};

/// Rows of one sku in `products` and `shadowed`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resolved<'o, 'a> {
    /// The row of `products`, if the sku is shown.
    pub(crate) product: Option<Product<Cow<'a, str>>>,
    /// The rows of `shadowed`: every offer except one that is shown as it is, in the order given.
    pub(crate) shadowed: &'o [Offer<&'a str>],
}

/// Resolves one sku. `offers` are its current offers in order, so the last one wins.
///
/// | winner | no edit | edit | hidden edit |
/// | --- | --- | --- | --- |
/// | an offer | what the offers show | the same, with the edit's texts over it | nothing |
/// | a `delete`, or none | nothing | the edit's texts if it stands, else nothing | nothing |
///
/// # Errors
/// An offer belongs to a file without a rank.
pub(crate) fn resolve<'o, 'a>(
    sku: &'a str,
    offers: &'o [Offer<&'a str>],
    edit: Option<&Edit>,
    rules: &Survivorship,
) -> Result<Resolved<'o, 'a>, Error> {
    let winner = offers.last().filter(|offer| !offer.deletes);
    let is_shown = match edit {
        Some(edit) => !edit.hidden && (edit.stands || winner.is_some()),
        None => winner.is_some(),
    };
    if !is_shown {
        return Ok(Resolved { product: None, shadowed: offers });
    }
    let offered = if winner.is_some() { rules.texts(offers)? } else { Texts(Cow::Borrowed("")) };
    let is_as_offered = edit.is_none() && winner.is_some_and(|winner| winner.texts == offered.borrowed());
    let texts = match edit {
        Some(edit) => edit.texts.over(offered),
        None => offered,
    };
    let product = Product { sku: sku.into(), texts, file: winner.map(|winner| winner.file), edited: edit.is_some() };
    let shadowed = match offers {
        [shadowed @ .., _] if is_as_offered => shadowed,
        _ => offers,
    };
    Ok(Resolved { product: Some(product), shadowed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DESCRIPTION, NAME, RankedFile, Ranks};

    /// Files 1 to 9, each of a source of its own number; the higher number wins.
    fn rules() -> Survivorship {
        let file = |file| RankedFile {
            priority: 0,
            position: file,
            key: String::new(),
            path: String::new(),
            file,
            source: file,
        };
        Survivorship::by_rank(Ranks::new((1..=9).map(file).collect()))
    }

    fn offer(file: i64, name: &str) -> Offer {
        Offer { sku: "s".into(), file, deletes: false, texts: Texts::new([name, "d"]) }
    }

    fn delete(file: i64) -> Offer {
        Offer { deletes: true, texts: Texts::default(), ..offer(file, "") }
    }

    fn edit(name: Option<&str>, hidden: bool, stands: bool) -> Edit {
        Edit { sku: "s".into(), texts: [name.map(str::to_owned)].into_iter().collect(), hidden, stands }
    }

    /// `shown` is (name, description, file, edited). `shadowed` lists the files whose offers are kept.
    #[track_caller]
    fn check(offers: &[Offer], edit: Option<Edit>, shown: Option<(&str, &str, Option<i64>, bool)>, shadowed: &[i64]) {
        let offers: Vec<_> = offers.iter().map(Offer::borrowed).collect();
        let resolved = resolve("s", &offers, edit.as_ref(), &rules()).unwrap();
        let product = resolved.product.as_ref().map(|product| {
            let texts = product.texts.borrowed();
            (texts.get(NAME), texts.get(DESCRIPTION), product.file, product.edited)
        });
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
