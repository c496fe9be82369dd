//! Splits records of blocks without quotes, by the positions of their separators.

use super::{Block, RowRules, Separators, Span};
use crate::split::Fields;

/// Splits off a record without quotes. Returns false for an empty line that is not a row. Of several excess fields only one is kept.
#[inline]
pub(super) fn next_plain<'a>(
    block: &'a Block,
    separators: &mut Separators<'a>,
    at: &mut usize,
    record: &mut &'a [u8],
    fields: &mut Fields,
) -> bool {
    let RowRules { splitter, width, .. } = &*block.rules;
    let (text, line_end) = (&*block.text, splitter.line_end.byte());
    let begin = *at;
    fields.clear();
    let mut start = begin;
    let end = loop {
        let separator = separators.next().unwrap_or(text.len());
        if text.get(separator).is_none_or(|byte| *byte == line_end) {
            break separator;
        }
        if fields.spans.len() <= width.columns {
            fields.spans.push(Span { start: start - begin, end: separator - begin, escaped: false });
        }
        start = separator + 1;
    };
    *at = end + 1;
    let end = splitter.without_cr(text, start, end);
    fields.spans.push(Span { start: start - begin, end: end - begin, escaped: false });
    *record = &text[begin..end];
    // At the end of a file, a lone CR is not an empty line.
    end > begin || splitter.empty_is_row || (*at > text.len() && begin < text.len())
}
