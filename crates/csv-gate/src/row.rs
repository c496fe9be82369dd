//! One good row and its fields. It borrows the window of its [`crate::Table`] and copies only what has to be unquoted.

use std::borrow::Cow;

use crate::split::Fields;

/// One good row. It has as many fields as the file has columns.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    text: &'a str,
    line: u64,
    fields: &'a Fields,
    columns: usize,
}

impl<'a> Row<'a> {
    /// `fields` are those of `text`.
    pub(crate) fn new(text: &'a str, line: u64, fields: &'a Fields, columns: usize) -> Self {
        Self { text, line, fields, columns }
    }

    /// The physical line, counted from 1, on which the row begins.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The text of field `i`, counted from 0; empty if the row was padded there or has no such field. It is borrowed
    /// unless the field holds doubled quotes or escapes.
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

    /// The text of field `i` like [`Self::field`], for which `scratch` lends its memory.
    pub(crate) fn field_in<'b>(&self, i: usize, scratch: &'b mut String) -> &'b str
    where
        'a: 'b,
    {
        match self.fields.spans.get(i) {
            Some(span) if span.escaped => {
                scratch.clear();
                self.fields.unescape(self.text, *span, scratch);
                scratch
            }
            Some(span) => &self.text[span.start..span.end],
            None => "",
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
