//! Splits one line by the grammar of RFC 4180, and refuses what readers read differently. It shares no code with the gate's own splitter.

use memchr::{memchr, memchr_iter};

use super::LineFault;
use crate::split::Span;

const QUOTE: u8 = b'"';

/// The cells of a line.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// The place of each in the line, without its quotes.
    pub(super) spans: Vec<Span>,
}

impl Cells {
    /// Splits a line, which includes its line end if it has one.
    pub(super) fn split(&mut self, line: &[u8], delimiter: u8) -> Result<(), LineFault> {
        self.spans.clear();
        let text = line.strip_suffix(b"\n").map_or(line, |text| text.strip_suffix(b"\r").unwrap_or(text));
        if text.is_empty() {
            return Err(LineFault::Empty);
        }
        if memchr(b'\r', text).is_some() {
            return Err(LineFault::CarriageReturn);
        }
        if memchr(QUOTE, text).is_some() {
            return self.split_quoted(text, delimiter);
        }
        let mut start = 0;
        for end in memchr_iter(delimiter, text).chain([text.len()]) {
            self.spans.push(Span { start, end, escaped: false });
            start = end + 1;
        }
        Ok(())
    }

    fn split_quoted(&mut self, text: &[u8], delimiter: u8) -> Result<(), LineFault> {
        let mut at = 0;
        loop {
            let (span, end) = match text.get(at) {
                Some(&QUOTE) => quoted(text, at + 1)?,
                _ => bare(text, at, delimiter)?,
            };
            self.spans.push(span);
            match text.get(end) {
                None => return Ok(()),
                Some(next) if *next == delimiter => at = end + 1,
                Some(_) => return Err(LineFault::Quote),
            }
        }
    }
}

/// Returns a bare cell and its end.
fn bare(text: &[u8], start: usize, delimiter: u8) -> Result<(Span, usize), LineFault> {
    let end = memchr(delimiter, &text[start..]).map_or(text.len(), |len| start + len);
    match memchr(QUOTE, &text[start..end]) {
        Some(_) => Err(LineFault::Quote),
        None => Ok((Span { start, end, escaped: false }, end)),
    }
}

/// Returns a cell whose text begins behind the quote at its start, and the end of its closing quote.
fn quoted(text: &[u8], start: usize) -> Result<(Span, usize), LineFault> {
    let (mut at, mut escaped) = (start, false);
    loop {
        let end = at + memchr(QUOTE, &text[at..]).ok_or(LineFault::OpenQuote)?;
        if text.get(end + 1) != Some(&QUOTE) {
            return Ok((Span { start, end, escaped }, end + 1));
        }
        (at, escaped) = (end + 2, true);
    }
}

/// The text of a cell, copied to `scratch` if quotes in it are doubled.
pub(super) fn unescape<'a>(line: &'a [u8], span: Span, scratch: &'a mut String) -> &'a [u8] {
    let text = &line[span.start..span.end];
    if !span.escaped {
        return text;
    }
    *scratch = String::from_utf8_lossy(text).replace("\"\"", "\"");
    scratch.as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_by_the_bare_grammar() {
        let check = |line: &str, expect: Result<&[&str], LineFault>| {
            let (mut cells, mut scratch) = (Cells::default(), String::new());
            let found = cells.split(line.as_bytes(), b',').map(|()| {
                let cell =
                    |span: &Span| String::from_utf8_lossy(unescape(line.as_bytes(), *span, &mut scratch)).into_owned();
                cells.spans.iter().map(cell).collect::<Vec<_>>()
            });
            assert_eq!(found, expect.map(|cells| cells.iter().map(|cell| (*cell).to_owned()).collect()), "{line:?}");
        };
        check("a,b\n", Ok(&["a", "b"]));
        check("a,b\r\n", Ok(&["a", "b"]));
        check("a", Ok(&["a"]));
        check(",", Ok(&["", ""]));
        check("\"\"", Ok(&[""]));
        check("\"a,b\",\"say \"\"hi\"\"\"\r\n", Ok(&["a,b", "say \"hi\""]));
        check("\"\"\"\",x", Ok(&["\"", "x"]));
        check("a,\"b\"", Ok(&["a", "b"]));
        check("\n", Err(LineFault::Empty));
        check("\r\n", Err(LineFault::Empty));
        check("a\r\r\n", Err(LineFault::CarriageReturn));
        check("a\rb\n", Err(LineFault::CarriageReturn));
        check("a\r", Err(LineFault::CarriageReturn));
        check("\"a\rb\"\n", Err(LineFault::CarriageReturn));
        check("a\"b\n", Err(LineFault::Quote));
        check("a, \"b\"\n", Err(LineFault::Quote));
        check("\"a\"b,c\n", Err(LineFault::Quote));
        check("\"a\" ,c\n", Err(LineFault::Quote));
        check("\"a\n", Err(LineFault::OpenQuote));
        check("\"a\"\"\n", Err(LineFault::OpenQuote));
    }
}
