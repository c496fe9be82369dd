//! The rows that the merge reads and writes: offers, products, edits. Which of them is shown is decided in `resolve`.

use std::borrow::Cow;

use crate::texts::Texts;

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
    pub(crate) fn over<'a>(&self, offered: Texts<Cow<'a, str>>) -> Texts<Cow<'a, str>> {
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
