//! The lines of a block whose rows are the bytes between its separators, as any reader sees them: nothing is quoted, and no rule gives a
//! line or a cell another meaning.

use super::{Block, RowRules, Separators, Span, Verdict};
use crate::{
    LineEnd,
    split::{Fields, joint},
};

/// The lines of a block, one by one.
pub(crate) struct BareLines<'a> {
    text: &'a [u8],
    rules: &'a RowRules,
    columns: usize,
    /// The length up to which a line exceeds no limit.
    limit: usize,
    separators: Separators<'a>,
    /// The start of the unread rest of the block.
    at: usize,
    line: &'a [u8],
    /// The cells of the line, as many as the columns.
    fields: Fields,
    /// Lines that end in CR LF.
    crlf: usize,
}

impl Block {
    /// The lines of the block, unless its rules may read more in them than so many cells with `delimiter` between them.
    pub(crate) fn bare_lines(&self, delimiter: u8, columns: usize) -> Option<BareLines<'_>> {
        let RowRules { splitter, width, cells, order, used, .. } = &*self.rules;
        let has_usual_rules = cells.is_none() && order.is_none() && used.is_none() && splitter.comment.is_empty();
        let has_usual_separators = splitter.delimiter == [delimiter] && splitter.line_end == LineEnd::Lf;
        if !self.plain || !self.clean || !has_usual_rules || !has_usual_separators || width.columns != columns {
            return None;
        }
        let mut fields = Fields::default();
        fields.spans.resize(columns, Span { start: 0, end: 0, escaped: false });
        Some(BareLines {
            text: &self.text,
            rules: &self.rules,
            columns,
            limit: self.shortest_limit(),
            separators: Separators::new(&self.text, delimiter, b'\n'),
            at: 0,
            line: &[],
            fields,
            crlf: 0,
        })
    }
}

impl<'a> BareLines<'a> {
    /// Advances to the next line. Returns false at the end of the block, and at a line that is perhaps no row.
    #[inline]
    pub(crate) fn advance(&mut self) -> bool {
        let (text, begin) = (self.text, self.at);
        if begin >= text.len() || joint(&text[begin..]) > 0 {
            return false;
        }
        let (mut start, mut cells) = (begin, 0);
        let end = loop {
            let separator = self.separators.next().unwrap_or(text.len());
            let Some(span) = self.fields.spans.get_mut(cells) else { return false };
            (span.start, span.end) = (start - begin, separator - begin);
            cells += 1;
            start = separator + 1;
            if text.get(separator).is_none_or(|byte| *byte == b'\n') {
                break separator;
            }
        };
        let has_cr = end < text.len() && text[begin..end].ends_with(b"\r");
        let end = end - usize::from(has_cr);
        self.crlf += usize::from(has_cr);
        if end == begin || end - begin > self.limit || cells != self.columns {
            return false;
        }
        self.fields.spans[cells - 1].end = end - begin;
        self.line = &text[begin..end];
        let is_row = matches!(self.rules.shape(self.line, &mut self.fields), Verdict::Row);
        if is_row {
            self.at = start;
        }
        is_row
    }

    /// The cells of the current line, which are as many as the columns.
    #[inline]
    pub(crate) fn cells(&self) -> impl Iterator<Item = &'a [u8]> {
        let line = self.line;
        self.fields.spans.iter().map(move |span| &line[span.start..span.end])
    }

    /// Once there is no further line: the number of lines that end in CR LF, or none if a line is perhaps no row.
    pub(crate) fn finish(self) -> Option<usize> {
        (self.at >= self.text.len()).then_some(self.crlf)
    }
}
