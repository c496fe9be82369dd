//! Detects the delimiter from the beginning of a file. It tries only `,` `;` tab and `|`: each further candidate would
//! make a wrong guess more likely.

use crate::{
    split::{Fields, Splitter, Step},
    window::End,
};

/// Bytes of a file from which the delimiter is detected.
pub(crate) const SAMPLE_BYTES: usize = 256 << 10;
const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The fit of a delimiter to the sample.
struct Fit {
    columns: usize,
    /// Records with as many fields as the header, the header included.
    alike: u64,
    records: u64,
}

/// Returns the candidate that splits the header into several columns and the largest share of records into as many.
/// Ties go to the candidate with more columns, then to the first one (tab if `prefer_tab`). A comma if none fits.
///
/// `splitter` holds all settings but the delimiter; `sample` begins with the header.
pub(crate) fn delimiter(sample: &[u8], end: End, splitter: &Splitter, prefer_tab: bool) -> u8 {
    let mut order = CANDIDATES;
    order.sort_by_key(|candidate| prefer_tab && *candidate != b'\t');
    let taken = |candidate: &u8| splitter.quote == Some(*candidate) || splitter.escape == Some(*candidate);
    let mut best: Option<(u8, Fit)> = None;
    for candidate in order.into_iter().filter(|candidate| !taken(candidate)) {
        let fit = fit(sample, end, &Splitter { delimiter: vec![candidate], spans_kept: 0, ..splitter.clone() });
        if fit.columns > 1 && best.as_ref().is_none_or(|(_, best)| fit.beats(best)) {
            best = Some((candidate, fit));
        }
    }
    best.map_or(b',', |(candidate, _)| candidate)
}

impl Fit {
    fn beats(&self, other: &Self) -> bool {
        // Compares shares, not counts: a wrong delimiter breaks quoted fields apart and so finds more records.
        let (mine, theirs) = (self.alike * other.records, other.alike * self.records);
        (mine, self.columns) > (theirs, other.columns)
    }
}

fn fit(sample: &[u8], end: End, splitter: &Splitter) -> Fit {
    let mut fit = Fit { columns: 0, alike: 0, records: 0 };
    let mut rest = sample;
    let mut found = Fields::default();
    while !rest.is_empty() {
        if let Some(len) = splitter.empty_line(rest) {
            rest = &rest[len..];
            continue;
        }
        let (next, fields) = match splitter.split(rest, end, &mut found) {
            Step::Record(record) => (record.next, record.fields),
            Step::NeverClosed { next: Some(next), .. } => (next, 0),
            Step::NeverClosed { next: None, .. } | Step::Endless { .. } | Step::More => break,
        };
        if fit.records == 0 {
            fit.columns = fields;
        }
        fit.records += 1;
        fit.alike += u64::from(fields == fit.columns);
        rest = &rest[next..];
    }
    fit
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LineEnd;

    #[test]
    fn the_delimiter_that_fits_most_records_wins() {
        let check = |sample: &str, tsv, expect: u8| {
            let splitter = Splitter {
                delimiter: Vec::new(),
                quote: Some(b'"'),
                escape: None,
                line_end: LineEnd::Lf,
                field_bytes: 1 << 20,
                record_bytes: 1 << 20,
                spans_kept: 0,
            };
            let found = delimiter(sample.as_bytes(), End::Eof, &splitter, tsv);
            assert_eq!(char::from(found), char::from(expect), "{sample:?}");
        };
        check("", false, b',');
        check("sku\n1\n", false, b',');
        check("sku;name\n1;x\n", false, b';');
        check("sku\tname\n1\tx\n", false, b'\t');
        check("sku|name\n1|x\n", false, b'|');
        check("sku,name;x\n1,a\n2,b\n", false, b',');
        check("sku;name,x\n1;a\n2;b\n", false, b';');
        check("\"sku,a\";name\n1;x\n", false, b';');
        check("sku;\"name\nof\"\n1;\"a,\nb,\"\n", false, b';');
        check("sku;name,x\n1;\"a\nb,c\nd,e\nf,g\"\n", false, b';');
        check("a,b;c;d\n", false, b';');
        check("a,b\tc\n", false, b',');
        check("a,b\tc\n", true, b'\t');
        check("a,b\tc\n1,2\n", true, b',');
    }

    #[test]
    fn a_record_cut_by_the_sample_does_not_count() {
        let splitter = Splitter {
            delimiter: Vec::new(),
            quote: None,
            escape: None,
            line_end: LineEnd::Lf,
            field_bytes: 1 << 20,
            record_bytes: 1 << 20,
            spans_kept: 0,
        };
        assert_eq!(delimiter(b"a;b\n1;2\n3", End::More, &splitter, false), b';');
        assert_eq!(fit(b"a;b\n1;2\n3", End::More, &Splitter { delimiter: b";".to_vec(), ..splitter }).records, 2);
    }
}
