//! Writes records as RFC 4180 CSV in UTF-8, with commas and LF. The rest of the crate reads.
//!
//! Readers disagree about which text is no text. So null is nothing, an empty text is `""`, and whatever some reader
//! trims, skips, unquotes or takes for null is quoted. Not every field is: ClickHouse takes a header for a row if all are texts.

use std::iter;

/// Words that common readers take for null if they are not quoted: the defaults of `na_values` in pandas 3.1, compared
/// in any case, and the dash. Those that begin with `#` or `\` are quoted for that.
const WORDS_FOR_NULL: [&str; 11] =
    ["NULL", "NA", "N/A", "NaN", "-NaN", "None", "<NA>", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"];
/// The length of the longest word for null.
const LONGEST_WORD: usize = 8;

/// Appends one record with its line end to `out`; `None` is null. A record of one null is written as `""`, because an
/// empty line is not a record.
pub fn write_record<F: AsRef<str>>(out: &mut Vec<u8>, fields: impl IntoIterator<Item = Option<F>>) {
    let start = out.len();
    let mut count = 0;
    for field in fields {
        if count > 0 {
            out.push(b',');
        }
        if let Some(text) = field {
            write_text(out, text.as_ref());
        }
        count += 1;
    }
    if count == 1 && out.len() == start {
        out.extend_from_slice(b"\"\"");
    }
    out.push(b'\n');
}

/// Appends one record without nulls, such as a header.
pub fn write_texts<F: AsRef<str>>(out: &mut Vec<u8>, texts: impl IntoIterator<Item = F>) {
    write_record(out, texts.into_iter().map(Some));
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    if !must_be_quoted(text) {
        return out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
    for byte in text.bytes() {
        out.extend(iter::repeat_n(byte, 1 + usize::from(byte == b'"')));
    }
    out.push(b'"');
}

fn must_be_quoted(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ([first, ..], [.., last]) = (bytes, bytes) else { return true };
    // The first and the last character; most texts are decided by their first and last byte.
    matches!(first, b'\\' | b'#' | b'\'')
        || first.is_ascii_whitespace()
        || last.is_ascii_whitespace()
        || (!first.is_ascii_graphic()
            && text.starts_with(|letter: char| letter.is_whitespace() || letter == '\u{feff}'))
        || (!last.is_ascii_graphic() && text.ends_with(char::is_whitespace))
        || (bytes.len() <= LONGEST_WORD && is_word_for_null(text))
        || memchr::memchr3(b',', b'"', b'\n', bytes).is_some()
        || memchr::memchr(b'\r', bytes).is_some()
}

fn is_word_for_null(text: &str) -> bool {
    text == "-" || WORDS_FOR_NULL.iter().any(|word| word.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Settings, Table};

    fn check(fields: &[Option<&str>], expect: &str) {
        let mut out = Vec::new();
        write_record(&mut out, fields.iter().copied());
        assert_eq!(String::from_utf8_lossy(&out), expect, "{fields:?}");
    }

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        check(&[Some("a"), Some("b c"), Some("é")], "a,b c,é\n");
        check(
            &[Some("a,b"), Some("say \"hi\""), Some("x\ny"), Some("x\ry")],
            "\"a,b\",\"say \"\"hi\"\"\",\"x\ny\",\"x\ry\"\n",
        );
    }

    #[test]
    fn null_is_nothing_and_an_empty_text_is_quoted() {
        check(&[Some("a"), Some(""), None], "a,\"\",\n");
        check(&[None, None], ",\n");
        check(&[Some("")], "\"\"\n");
        check(&[None], "\"\"\n");
    }

    #[test]
    fn what_a_reader_might_lose_is_quoted_and_nothing_else() {
        for text in [
            " a",
            "a ",
            "\ta",
            "\u{a0}a",
            "a\u{2003}",
            "a\u{b}",
            "\u{feff}a",
            "#a",
            "\\a",
            "\\N",
            "\\.",
            "#N/A",
            "#N/A N/A",
            "'",
            "'S'",
        ] {
            check(&[Some(text), Some("b")], &format!("\"{text}\",b\n"));
        }
        for text in WORDS_FOR_NULL.iter().copied().chain(["-", "null", "Nan", "NONE", "n/a"]) {
            assert!(text.len() <= LONGEST_WORD);
            check(&[Some(text), Some("b")], &format!("\"{text}\",b\n"));
        }
        for text in
            ["a b", "a#", "a\\", "-5", "--", "0", "1E5", "00123", "NULLS", "nano", "S'", "=1", "true", "a\u{feff}"]
        {
            check(&[Some(text), Some("b")], &format!("{text},b\n"));
        }
    }

    /// Apostrophes around every cell of a column were taken for quotes when an export was sent back, and were lost.
    #[test]
    fn a_column_of_odd_cells_is_read_back_equal() {
        let odd = [
            "'S'",
            "''",
            "'",
            "'a, b'",
            "\"S\"",
            "\"",
            "5\" nail",
            "a\\",
            "\\\"",
            "say \\\"hi\\\"",
            "#1",
            "a;b",
            "a\tb",
        ];
        for cell in odd {
            for others in [["Tea", "good"], [cell, "good"], [cell, cell]] {
                let mut written = Vec::new();
                write_texts(&mut written, ["sku", "name", "size"]);
                let rows: Vec<Vec<String>> = (0..8).map(|row| row_of(row, cell, others)).collect();
                rows.iter().for_each(|row| write_texts(&mut written, row));
                let size = written.len() as u64;
                let mut table = Table::open("a.csv", size, || Ok(&written[..]), &Settings::default()).unwrap();
                let mut read = Vec::new();
                while let Some(row) = table.next_row().unwrap() {
                    read.push(row.fields().map(|field| field.to_string()).collect::<Vec<_>>());
                }
                assert_eq!((table.rejects().total, read), (0, rows), "{}", String::from_utf8_lossy(&written));
            }
        }
    }

    fn row_of(row: usize, cell: &str, [name, last]: [&str; 2]) -> Vec<String> {
        let size = if row == 7 { last } else { cell };
        [&format!("a{row}"), name, size].map(|text| text.to_owned()).to_vec()
    }
}
