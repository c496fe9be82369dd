//! Takes the text of a reason apart for people: what is wrong, and how to fix it. Reasons are stored and sent as texts, so this reads
//! them again; a test makes sure that it knows the text of each [`crate::Reason`].

/// Begins the reason of a reject that stands for a whole file.
pub const WHOLE_FILE: &str = "the file is rejected: ";

/// A reason taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explained<'a> {
    /// The fault.
    pub what: &'a str,
    /// The way to fix it; `None` if the reason does not say so and nothing is known of it.
    pub cure: Option<&'a str>,
    /// Whether the whole file is rejected.
    pub is_whole_file: bool,
}

/// The beginnings of cures, with the sign that sets them apart from what is wrong.
const CURES: [&str; 36] = [
    ": ragged = ",
    ": quote cells that hold the delimiter",
    ": delimiter = ",
    ": its delimiter is ",
    ": it holds CRs",
    ": give each column a name",
    ": quotes = ",
    ": quote = ",
    ": encoding = ",
    ": max_field = ",
    ": move it to a file of its own",
    "; read each file by itself",
    ": put a line end between them",
    ": op = {",
    "; null = [",
    "; decimal = ",
    "; thousands = ",
    "; negative = ",
    "; percent = ",
    "; currency = [",
    ": name it in the header",
    ": remove the invisible characters",
    ": check where the file comes from",
    ": check where it comes from",
    ": check the delimiter and the quotes",
    ": export it as CSV",
    ": export its table as CSV",
    ": write it as CSV",
    ": fetch the file itself",
    ": raise `max_window`",
    ": if this is a UTF-16 file",
    ": group by something",
    "; unpack it once",
    "; upload it again",
    "; check where it comes from",
    ": free space on the disk",
];

/// Cures of reasons that have none in their text, by a part of it.
const UNSAID: [(&str, &str); 12] = [
    ("no sku", "fill in the sku of this row"),
    ("no column `", ""),
    ("no `", "fill in this cell"),
    ("NUL byte", "delete the NUL bytes, or export the file again as text"),
    ("record is longer than ", "close the quote that joins its lines; max_record = … raises the limit"),
    ("sku is longer than ", "shorten it; perhaps another column holds the sku"),
    ("name is longer than ", "shorten it; perhaps another column holds the name"),
    ("units of measure", "delete this line from the file"),
    ("not true: ", "correct the row, or change the check in the configuration"),
    ("` is not true: ", "correct the row, or change the check in the configuration"),
    ("` is out of range", "correct the numbers of this row"),
    ("` is neither a time ", "write the time like 2026-11-29T12:00:00Z"),
];

/// Takes a reason apart.
#[must_use]
pub fn explain(reason: &str) -> Explained<'_> {
    let (is_whole_file, text) = match reason.strip_prefix(WHOLE_FILE) {
        Some(text) => (true, text),
        None => (false, reason),
    };
    let said = CURES.iter().filter_map(|cure| text.rfind(cure)).min();
    let Some(at) = said else {
        let unsaid =
            UNSAID.iter().find(|(part, _)| text.starts_with(part) || (part.starts_with('`') && text.contains(part)));
        let cure = unsaid.map(|(_, cure)| *cure).filter(|cure| !cure.is_empty());
        return Explained { what: text, cure, is_whole_file };
    };
    // All of these signs are one byte, and a blank follows them.
    Explained { what: &text[..at], cure: Some(&text[at + 2..]), is_whole_file }
}

/// The part of what is wrong that rows of the same fault share: without the text of a cell.
#[must_use]
pub fn fault_kind(what: &str) -> &str {
    const NOT_TRUE: &str = "` is not true";
    if let Some(at) = what.find("` is not true: ") {
        return &what[..at + NOT_TRUE.len()];
    }
    what.find(": `").map_or(what, |at| &what[..at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CheckedCell, FieldCure, Reason, UnclearCheck};

    #[track_caller]
    fn check(reason: &Reason, what: &str, cure: &str, shared: &str) {
        let text = reason.to_string();
        assert_eq!(explain(&text), Explained { what, cure: Some(cure), is_whole_file: false });
        assert_eq!(fault_kind(what), shared);
        let of_file = format!("{WHOLE_FILE}{text}");
        assert_eq!(explain(&of_file), Explained { what, cure: Some(cure), is_whole_file: true });
    }

    #[test]
    fn rows_of_other_lengths() {
        let check = |cure: FieldCure, words: &str| {
            let what = "4 fields where the header has 3";
            check(&Reason::FieldCount { found: 4, expected: 3, cure }, what, words, what);
        };
        check(FieldCure::Pad, r#"ragged = "pad" leaves the missing ones empty"#);
        check(FieldCure::Trim, r#"ragged = "trim" drops empty ones at the end"#);
        check(FieldCure::Quote, "quote cells that hold the delimiter; header = […] names more columns");
        check(FieldCure::OneColumn(';'), r#"delimiter = ";" reads lines as one cell"#);
        check(
            FieldCure::OtherDelimiter('|'),
            r#"its delimiter is "|", unlike that of the header: write the file with one"#,
        );
        check(FieldCure::LineEnds, "it holds CRs, but LF ends the lines of this file: write all line ends alike");
    }

    #[test]
    fn texts_that_cannot_be_read() {
        let same = |reason: Reason, what: &str, cure: &str| check(&reason, what, cure, what);
        let sheet = "give each column a name, or move notes to another sheet";
        same(Reason::BeyondHeader { found: 5, expected: 3 }, "5 cells where the header has 3", sheet);
        let closed = r#"quotes = "lenient" takes such quotes for text, quote = "" all of them"#;
        same(Reason::NeverClosed { has_escape: false }, "quoted field is never closed properly", closed);
        let escaped = format!("{closed}, escape = \"\\\\\" those behind a backslash");
        same(Reason::NeverClosed { has_escape: true }, "quoted field is never closed properly", &escaped);
        let holds = r#"quote = "\"" reads it all the same, quote = "" takes quotes for text"#;
        same(Reason::HoldsRows, "quoted field whose lines all look like rows", holds);
        same(Reason::Nul, "NUL byte", "delete the NUL bytes, or export the file again as text");
        let encoding = "encoding = … names another encoding of the whole file";
        same(Reason::Encoding { encoding: "UTF-8" }, "bytes that are not valid UTF-8", encoding);
        let field = "field is longer than 9 bytes";
        same(Reason::FieldTooLong { limit: 9 }, field, "max_field = … raises the limit");
        let record = "close the quote that joins its lines; max_record = … raises the limit";
        same(Reason::RecordTooLong { limit: 9 }, "record is longer than 9 bytes", record);
    }

    #[test]
    fn lines_that_are_no_rows() {
        let same = |reason: Reason, what: &str, cure: &str| check(&reason, what, cure, what);
        let second = "a second table begins here, and is skipped";
        same(Reason::SecondTable, second, "move it to a file of its own, or skip it with skip_footer = …");
        let other = "a header of other columns, not a row: the rows below it may be those of another file";
        same(Reason::OtherHeader, other, "read each file by itself");
        let joined = "a row and a header on one line, as of two files that were joined";
        let apart = "put a line end between them; the rows below it may be those of another file";
        same(Reason::JoinedHeader, joined, apart);
        let units = Reason::Units { empty: "sku".into(), number: "kg".into() };
        let what = "units of measure, not a row: no `sku`, and `kg` is not a number as in the other rows";
        same(units, what, "delete this line from the file");
    }

    #[test]
    fn cells_that_cannot_be_used() {
        check(&Reason::NoSku, "no sku", "fill in the sku of this row", "no sku");
        let long = "shorten it; perhaps another column holds the sku";
        check(&Reason::SkuTooLong { limit: 9 }, "sku is longer than 9 bytes", long, "sku is longer than 9 bytes");
        let long = "shorten it; perhaps another column holds the name";
        check(&Reason::NameTooLong { limit: 9 }, "name is longer than 9 bytes", long, "name is longer than 9 bytes");
        let number = |found: &str, cure: &str| Reason::NotANumber {
            column: "price".into(),
            found: found.into(),
            cure: cure.into(),
        };
        let (kind, comma) =
            ("`price` is not a number", "decimal = \",\" would read it, with thousands = … if it has groups");
        check(&number("1,5", comma), "`price` is not a number: `1,5`", comma, kind);
        check(
            &number("-", "null = [\"-\"] would read it as nothing"),
            "`price` is not a number: `-`",
            "null = [\"-\"] would read it as nothing",
            kind,
        );
        assert_eq!(explain(&number("x", "").to_string()).cure, None);
        let range = Reason::OutOfRange { expression: "a * b".into() };
        check(
            &range,
            "the value of `a * b` is out of range",
            "correct the numbers of this row",
            "the value of `a * b` is out of range",
        );
        check(&Reason::NoGroup { column: "shop".into() }, "no `shop`", "fill in this cell", "no `shop`");
        let correct = "correct the row, or change the check in the configuration";
        check(&Reason::Check { check: "a > 0".into() }, "not true: a > 0", correct, "not true: a > 0");
        let cells = vec![CheckedCell::new("price", "-3")];
        let row = Reason::RowCheck { check: "price > 0".into(), cells };
        check(&row, "`price > 0` is not true: price is `-3`", correct, "`price > 0` is not true");
        let time = Reason::NotATime { column: "at".into(), found: "x".into() };
        let what = "`at` is neither a time (ISO 8601) nor a number: `x`";
        check(
            &time,
            what,
            "write the time like 2026-11-29T12:00:00Z",
            "`at` is neither a time (ISO 8601) nor a number",
        );
        let op = "op = { \"x\" = \"upsert\" } or \"delete\" says what it means";
        check(&Reason::UnknownOp { op: "x".into() }, "unknown op `x`", op, "unknown op `x`");
        let unclear = UnclearCheck {
            check: "price < 9".into(),
            cell: CheckedCell::new("price", "1,234"),
            readings: ["1.234".into(), "1234".into()],
            cure: "decimal = \",\" or thousands = \",\" says which number it is".into(),
        };
        let what = "`price < 9` is true for only one reading of price: `1,234` could be 1.234 or 1234";
        let kind = "`price < 9` is true for only one reading of price";
        check(
            &Reason::UnclearCheck(Box::new(unclear)),
            what,
            "decimal = \",\" or thousands = \",\" says which number it is",
            kind,
        );
    }

    #[test]
    fn reasons_of_whole_files() {
        let check = |text: &str, what: &str, cure: Option<&str>| {
            let reason = format!("{WHOLE_FILE}{text}");
            assert_eq!(explain(&reason), Explained { what, cure, is_whole_file: true });
        };
        let name = "name it in the header or map it in the configuration";
        check(&format!("no column `sku` among `a`: {name}"), "no column `sku` among `a`", Some(name));
        let export = "export it as CSV, or set a format with sheet = 1, which reads an Excel workbook";
        check(
            &format!("the file is an Excel workbook, not CSV: {export}"),
            "the file is an Excel workbook, not CSV",
            Some(export),
        );
        let rows = "every row is a reject (2 of 2), the first in line 2: 1 field where the header has 2";
        let pad = "ragged = \"pad\" leaves the missing ones empty";
        check(&format!("{rows}: {pad}"), rows, Some(pad));
        check("no columns: the file holds no good row", "no columns: the file holds no good row", None);
    }
}
