//! Notes for people: what was guessed or left out when a file was read.

use tributary_formats::Packing;

use crate::{Dialect, Evidence, Quote, Rejects};

impl Dialect {
    /// The encoding and the reason for it, such as `windows-1252, guessed from 3 lines, which is little evidence`.
    #[must_use]
    pub fn encoding_in_words(&self) -> String {
        let why = match self.encoding_evidence {
            Evidence::Set => ", as set".to_owned(),
            Evidence::Marked => ", by its byte order mark".to_owned(),
            Evidence::Guessed { lines, confident } => {
                let line = if lines == 1 { "line" } else { "lines" };
                let doubt = if confident { "" } else { ", which is little evidence" };
                format!(", guessed from {lines} {line}{doubt}")
            }
            Evidence::Utf16 | Evidence::Utf8 => String::new(),
        };
        let mixed = if self.keeps_utf8_lines { "; lines that are valid UTF-8 are read as UTF-8" } else { "" };
        format!("{}{why}{mixed}", self.encoding)
    }

    /// The format in a few words, such as `UTF-8, separated by semicolons`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let skipped = match self.skipped_lines {
            0 => String::new(),
            1 => ", 1 line above the header".to_owned(),
            lines => format!(", {lines} lines above the header"),
        };
        if self.is_sheet {
            return format!("a sheet of an Excel workbook{skipped}");
        }
        let delimiter = match self.delimiter.as_str() {
            "," => "commas".to_owned(),
            ";" => "semicolons".to_owned(),
            "\t" => "tabs".to_owned(),
            "|" => "vertical bars".to_owned(),
            other => format!("`{}`", other.escape_debug()),
        };
        let quote = match self.quote {
            Quote::Char(b'"') => String::new(),
            Quote::Char(quote) => format!(", quoted by {}", char::from(quote)),
            Quote::None => ", without quotes".to_owned(),
        };
        let packing = match self.packing {
            Packing::None => String::new(),
            packing => format!(", {packing}"),
        };
        format!("{}, separated by {delimiter}{quote}{packing}{skipped}", self.encoding)
    }

    /// Notes on what was guessed and left out, each with the setting that says otherwise. Empty for most files. Call it once all rows
    /// are read.
    #[must_use]
    pub fn notes(&self, rejects: &Rejects) -> Vec<String> {
        let mut notes = Vec::new();
        if matches!(self.encoding_evidence, Evidence::Guessed { .. }) {
            notes.push(format!("encoding {} (encoding = … sets it)", self.encoding_in_words()));
        }
        let ignored = &rejects.ignored;
        if let Some((line, text)) = &ignored.first {
            let (lines, are) = if ignored.lines == 1 { ("line", "is") } else { ("lines", "are") };
            notes.push(format!(
                "{} {lines} {are} no row, from line {line} on: {text} (skip_rows = … and skip_footer = … set it)",
                ignored.lines
            ));
        }
        notes.extend(rejects.doubts.iter().cloned());
        let doubtful = rejects.doubtful;
        if doubtful.rows > 0 {
            let (rows, hold) = if doubtful.rows == 1 { ("row", "holds") } else { ("rows", "hold") };
            notes.push(format!(
                "{} {rows} {hold} a quoted field whose lines look like rows, the first in line {} (quote = \"\" takes quotes for text)",
                doubtful.rows, doubtful.first
            ));
        }
        if rejects.repaired > 0 {
            notes.push(format!("{} rows with stray quotes were repaired", rejects.repaired));
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use crate::{Quote, Settings, Table};

    #[track_caller]
    fn check(file: &[u8], expect: &[&str]) {
        let mut table = Table::open("a.csv", file.len() as u64, || Ok(file), &Settings::default()).unwrap();
        while table.next_row().unwrap().is_some() {}
        assert_eq!(table.dialect().notes(table.rejects()), expect);
    }

    #[test]
    fn a_format_is_said_in_a_few_words() {
        let check = |file: &[u8], settings: &Settings, expect: &str| {
            let table = Table::open("a.csv", file.len() as u64, || Ok(file), settings).unwrap();
            assert_eq!(table.dialect().in_words(), expect);
        };
        let found = Settings::default();
        check(b"sku,name\n1,a\n", &found, "UTF-8, separated by commas");
        check(b"sku;name\n1;caf\xe9\n", &found, "windows-1252, separated by semicolons");
        check(b"sku\tname\n1\ta\n", &found, "UTF-8, separated by tabs");
        let set = Settings { skip_rows: 1, quote: Some(Quote::None), ..Settings::default() };
        check(
            b"title\nsku|name\n1|a\n",
            &set,
            "UTF-8, separated by vertical bars, without quotes, 1 line above the header",
        );
    }

    #[test]
    fn a_guess_and_what_was_left_out_are_noted() {
        check(b"sku,name\n1,a\n", &[]);
        let guess = "encoding windows-1252, guessed from 1 line, which is little evidence (encoding = … sets it)";
        check(b"sku,name\n1,caf\xe9\n", &[guess]);
        let doubt = "1 row holds a quoted field whose lines look like rows, the first in line 2 (quote = \"\" takes quotes for text)";
        check(b"sku,name,price\na,\"x,1\nb,y\",2\nc,\"p, q\",3\n", &[doubt]);
        let header = "line 6 is read as a row, but may be the header of a second table: store,city,phone,staff (skip_footer = … skips that table)";
        check(
            b"sku,name,text,qty\na,Pen,x,3\nb,Nib,y,4\nc,Cup,z,5\n\nstore,city,phone,staff\nS,Rome,1,5\nT,Oslo,2,6\n",
            &[header],
        );
        check(b"sku,name,text,qty\na,Pen,x,3\nb,Nib,y,4\n\nc,Cup,z,5\n", &[]);
        check(b"sku,name,qty\nA1,Pen,3\nA2,Nib,4\n\nA3,Cup,none\nA4,Ink,6\n", &[]);
        let numbers = "the header has one name less than the rows, whose first cells count them: if they are row numbers, header = […] with skip_rows = … names all columns";
        check(b"sku,name,text\n1,a,Pen,\n2,b,Nib,\n", &[numbers]);
        check(b"sku,name,text\n1,Pen,x,\n3,Nib,y,\n", &[]);
        check(b"sku,name,text\n1,Pen,x,\n", &[]);
        check(b"sku,name,text\n1,Pen,x\n2,Nib,y\n", &[]);
        let title = "2 lines are no row, from line 1 on: Our prices (skip_rows = … and skip_footer = … set it)";
        check(b"Our prices\n\nsku,name,price\n1,a,2\n2,b,3\n3,c,4\n4,d,5\n5,e,6\n", &[title]);
    }
}
