//! One good row and its fields. A row borrows the window of its [`crate::Table`] and copies only fields that have to be
//! unescaped.

use std::borrow::Cow;

use crate::split::Fields;

/// One good row, with as many fields as the file has columns.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    text: &'a str,
    line: u64,
    fields: &'a Fields,
    columns: usize,
    quote: Option<u8>,
}

/// A field that was read from a row. Its text is copied only if it had to be unescaped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Field {
    /// The place of the text in the row; `None` if it was copied.
    span: Option<(usize, usize)>,
    copied: String,
}

impl Field {
    /// Sets the text.
    pub(crate) fn set(&mut self, text: &str) {
        self.span = None;
        text.clone_into(&mut self.copied);
    }
}

impl<'a> Row<'a> {
    /// Creates the row of `text`, which was split into `fields`.
    pub(crate) fn new(text: &'a str, line: u64, fields: &'a Fields, columns: usize, quote: Option<u8>) -> Self {
        Self { text, line, fields, columns, quote }
    }

    /// The physical line, counted from 1, on which the row begins.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The text of field `i`, counted from 0; empty if the row was padded there or has no such field. Borrowed unless
    /// the field contains doubled quotes or escapes.
    pub fn field(&self, i: usize) -> Cow<'a, str> {
        match self.fields.spans.get(i) {
            Some(span) if span.escaped => {
                let mut text = String::new();
                self.fields.unescape(self.text, *span, &mut text);
                Cow::Owned(text)
            }
            Some(span) => Cow::Borrowed(&self.text[span.start..span.end]),
            None => Cow::Borrowed(""),
        }
    }

    /// Reads field `i`, which [`Self::text_of`] gives then.
    pub(crate) fn read(&self, i: usize, field: &mut Field) {
        field.copied.clear();
        let span = self.fields.spans.get(i);
        field.span = span.filter(|span| !span.escaped).map(|span| (span.start, span.end));
        if let Some(span) = span.filter(|span| span.escaped) {
            self.fields.unescape(self.text, *span, &mut field.copied);
        }
    }

    /// The text of a field that was read from this row.
    pub(crate) fn text_of<'b>(&self, field: &'b Field) -> &'b str
    where
        'a: 'b,
    {
        field.span.map_or(&field.copied, |(start, end)| &self.text[start..end])
    }

    /// The text of field `i`, or none if it is null: empty and not quoted.
    pub fn value(&self, i: usize) -> Option<Cow<'a, str>> {
        let field = self.field(i);
        (!field.is_empty() || self.is_quoted(i)).then_some(field)
    }

    /// Whether a quote stands before the text of field `i`.
    fn is_quoted(&self, i: usize) -> bool {
        let before = self.fields.spans.get(i).and_then(|span| span.start.checked_sub(1));
        before.is_some_and(|before| self.text.as_bytes().get(before).copied() == self.quote && self.quote.is_some())
    }

    /// All fields in order.
    pub fn fields(&self) -> impl Iterator<Item = Cow<'a, str>> {
        (0..self.columns).map(|i| self.field(i))
    }

    /// The number of fields, which is the number of the file's columns.
    pub fn len(&self) -> usize {
        self.columns
    }

    /// Never true: a row has at least one field.
    pub fn is_empty(&self) -> bool {
        self.columns == 0
    }
}
