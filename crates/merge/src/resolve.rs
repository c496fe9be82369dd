//! The rule for one sku: which product is shown, and which offers are kept but not shown. The rest of the crate only brings the
//! right offers here. See docs/reference/README.md#winner and docs/reference/README.md#edits.

use std::borrow::Cow;

use crate::{error::Error, survivorship::Survivorship, texts::Texts};

/// A row of `products`. `T` is `String` for rows read from the database, and any text for rows to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Product<T = String> {
    /// The key.
    pub sku: T,
    /// For each column the text of the offer that gives it, or the edit's.
    pub texts: Texts<T>,
    /// The winner's file. `None` if the product consists of an edit alone.
    pub file: Option<i64>,
    /// True if an edit applies.
    pub edited: bool,
}

/// One file's offer for one sku.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer<T = String> {
    /// The key, together with `file`.
    pub sku: T,
    /// The number of the file.
    pub file: i64,
    /// True if the row deletes the sku. It has no texts then.
    pub deletes: bool,
    /// The text of each column: the name trimmed, the description as in the file.
    pub texts: Texts<T>,
}

/// A person's or program's correction of one sku, applied over the winner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// The key.
    pub sku: String,
    /// The text to show instead of the winner's.
    pub texts: EditTexts,
    /// Hides the product.
    pub hidden: bool,
    /// Shows the product even if no source offers it.
    pub stands: bool,
}

/// For each column the text of an edit, or `None` to show the winner's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditTexts(Vec<Option<String>>);

/// Rows of one sku in `products` and `shadowed`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resolved<'o, 'a> {
    /// The row of `products`, if the sku is shown.
    pub(crate) product: Option<Product<Cow<'a, str>>>,
    /// The rows of `shadowed`: every offer except one that is shown as it is, in the order given.
    pub(crate) shadowed: &'o [Offer<&'a str>],
}

impl Product {
    /// The same row, borrowed.
    #[must_use]
    pub fn borrowed(&self) -> Product<&str> {
        let Self { sku, texts, file, edited } = self;
        Product { sku, texts: texts.borrowed(), file: *file, edited: *edited }
    }

    /// The offer that this row is the only copy of: that of its file, unless `shadowed` has it, because another text is shown in place of
    /// one of its own.
    #[must_use]
    pub(crate) fn offer(&self, shadowed: &[Offer]) -> Option<Offer<&str>> {
        let Self { sku, texts, file, edited: _ } = self;
        let file = file.filter(|file| shadowed.iter().all(|offer| offer.file != *file))?;
        Some(Offer { sku, file, deletes: false, texts: texts.borrowed() })
    }
}

impl<'a> Product<&'a str> {
    /// The same row, as one whose texts may be owned.
    pub(crate) fn cow(self) -> Product<Cow<'a, str>> {
        let Self { sku, texts: Texts(texts), file, edited } = self;
        Product { sku: sku.into(), texts: Texts(texts.into()), file, edited }
    }
}

impl Offer {
    /// The same offer, borrowed.
    #[must_use]
    pub fn borrowed(&self) -> Offer<&str> {
        let Self { sku, file, deletes, texts } = self;
        Offer { sku, file: *file, deletes: *deletes, texts: texts.borrowed() }
    }
}

impl Offer<&str> {
    /// The same offer, copied.
    pub(crate) fn owned(self) -> Offer {
        let Self { sku, file, deletes, texts: Texts(texts) } = self;
        Offer { sku: sku.to_owned(), file, deletes, texts: Texts(texts.to_owned()) }
    }
}

impl EditTexts {
    /// The text of a column; `None` to show the winner's.
    #[must_use]
    pub fn get(&self, column: usize) -> Option<&str> {
        self.0.get(column)?.as_deref()
    }

    /// Sets the text of a column, or shows the winner's with `None`.
    pub(crate) fn set(&mut self, column: usize, text: Option<String>) {
        self.0.resize(self.0.len().max(column + 1), None);
        self.0[column] = text;
        let len = self.0.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        self.0.truncate(len);
    }

    /// The texts that offers show, with these over them.
    fn over<'a>(&self, offered: Texts<Cow<'a, str>>) -> Texts<Cow<'a, str>> {
        if self.0.is_empty() {
            return offered;
        }
        let mut below = offered.borrowed().iter();
        let mut texts: Vec<&str> = Vec::with_capacity(self.0.len());
        for text in &self.0 {
            let below = below.next().unwrap_or_default();
            texts.push(text.as_deref().unwrap_or(below));
        }
        texts.extend(below);
        Texts(Texts::new(texts).0.into())
    }
}

impl FromIterator<Option<String>> for EditTexts {
    fn from_iter<I: IntoIterator<Item = Option<String>>>(texts: I) -> Self {
        let mut all = Self::default();
        texts.into_iter().enumerate().for_each(|(column, text)| all.set(column, text));
        all
    }
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
