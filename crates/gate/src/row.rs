//! One good row and its fields. It borrows the window of its [`crate::Table`] and copies only what has to be unquoted.

use std::borrow::Cow;

use crate::split::{Span, Splitter};

/// One good row. It has as many fields as the file has columns.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    text: &'a str,
    line: u64,
    spans: &'a [Span],
    columns: usize,
    splitter: &'a Splitter,
}

impl<'a> Row<'a> {
    /// `spans` lie in `text` and were found by `splitter`.
    pub(crate) fn new(text: &'a str, line: u64, spans: &'a [Span], columns: usize, splitter: &'a Splitter) -> Self {
        Self { text, line, spans, columns, splitter }
    }

    /// The physical line, counted from 1, on which the row begins.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The text of field `i`, counted from 0; empty if the row was padded there or has no such field. It is borrowed
    /// unless the field holds doubled quotes or escapes.
    pub fn field(&self, i: usize) -> Cow<'a, str> {
        match self.spans.get(i) {
            None => Cow::Borrowed(""),
            Some(Span { start, end, escaped: false }) => Cow::Borrowed(&self.text[*start..*end]),
            Some(Span { start, end, escaped: true }) => Cow::Owned(self.splitter.unescape(&self.text[*start..*end])),
        }
    }

    /// All fields in their order.
    pub fn fields(&self) -> impl Iterator<Item = Cow<'a, str>> {
        (0..self.columns).map(|i| self.field(i))
    }

    /// How many fields there are: as many as the file has columns.
    pub fn len(&self) -> usize {
        self.columns
    }

    /// Never true: a row has a field at least.
    pub fn is_empty(&self) -> bool {
        self.columns == 0
    }
}
