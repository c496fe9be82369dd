//! Detects delimiter and quoting from the beginning of a file. The rules are those of
//! docs/reference/csv-rules.md#delimiter. The usual reading stays unless another one fits clearly better: each further
//! candidate makes a wrong guess more likely.

pub(crate) mod below;
mod dump;
mod fit;
pub(crate) mod named;
pub(crate) mod profile;
pub(crate) mod second;
pub(crate) mod start;

use memchr::{memchr, memmem};

pub(crate) use self::fit::usual_width;
use self::{
    dump::dumped,
    fit::{Fit, Sample},
    profile::{ColumnProfile, profile},
};
use crate::{
    LineEnd,
    line_end::first_line,
    split::{End, EscapeRule, Quoting, Splitter},
    tail::without_count,
};

/// Bytes of a file from which its dialect is detected.
pub(crate) const SAMPLE_BYTES: usize = 256 << 10;
/// The usual delimiters.
pub(crate) const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Delimiters that are tried only if none of the usual ones fits.
const RARE_CANDIDATES: [u8; 4] = [1, b'^', b'~', b':'];

/// Columns that are aligned with blanks. They are tried last.
const BLANKS: &[u8] = b"  ";

/// The parts of a dialect that are to be detected.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) delimiter: bool,
    pub(crate) quoting: bool,
    pub(crate) prefer_tab: bool,
    /// Rows may have another number of fields than the header, so that is no sign of another dialect.
    pub(crate) ragged: bool,
    /// Whether names are no sign of a header.
    pub(crate) any_names: bool,
    /// The number of columns, if it is known without a header.
    pub(crate) columns: Option<usize>,
}

/// A detected dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sniffed {
    pub(crate) delimiter: Vec<u8>,
    pub(crate) quoting: Quoting,
    /// Rows end in a delimiter that the header lacks.
    pub(crate) trailing: bool,
    /// The header ends in a delimiter that the rows lack.
    pub(crate) header_trailing: bool,
    /// An LF without a CR before it is text.
    pub(crate) crlf_only: bool,
    /// Nearly all records are as wide as the first one, which has several fields.
    pub(crate) fits: bool,
}

/// A way to read the sample, and its fit.
#[derive(Clone, Debug)]
struct Reading {
    splitter: Splitter,
    fit: Fit,
}

/// Returns the delimiter that the line at the start of a text names for Excel, such as `sep=;`.
pub(crate) fn sep_line(text: &str) -> Option<char> {
    let line = text.lines().next()?.trim_end_matches('\r');
    let line = line.strip_prefix('"').and_then(|line| line.strip_suffix('"')).unwrap_or(line);
    let named = line.strip_prefix("sep=").or_else(|| line.strip_prefix("SEP="))?;
    let mut chars = named.chars();
    let delimiter = chars.next().filter(|first| !first.is_alphanumeric() && *first != '"' && *first != '\0')?;
    chars.next().is_none().then_some(delimiter)
}

/// Detects what is wanted. `splitter` holds the settings; `text` begins with the header.
pub(crate) fn sniff(text: &[u8], end: End, splitter: &Splitter, wanted: Wanted) -> Sniffed {
    let text = if end == End::Eof { without_count(text, splitter.line_end.byte()) } else { text };
    let sample = Sample { text, end, columns: wanted.columns };
    let splitter = Splitter { spans_kept: 0, ..splitter.clone() };
    let mut reading = usual(sample, &splitter, wanted);
    // Blanks come twice: with them, a file may fit that would else look escaped, and an escaped file may have them.
    for improve in [spaced, escaped, spaced, single_quoted, unquoted, dumped, bare_line_feeds] {
        if let Some(better) = improve(sample, &reading, wanted) {
            reading = better;
        }
    }
    let fit = &reading.fit;
    Sniffed {
        trailing: fit.is_trailing(),
        header_trailing: fit.is_header_trailing(),
        fits: fit.fits_nearly_all(),
        crlf_only: reading.splitter.crlf_only,
        delimiter: reading.splitter.delimiter,
        quoting: reading.splitter.quoting,
    }
}

/// Returns the usual reading: the candidate that splits the header into several columns and the largest share of
/// records into as many. Ties go to the candidate with more columns, then to the first one (tab if preferred). A comma
/// if none fits.
fn usual(sample: Sample<'_>, splitter: &Splitter, wanted: Wanted) -> Reading {
    if !wanted.delimiter {
        return Reading { splitter: splitter.clone(), fit: sample.fit(splitter) };
    }
    let mut order = CANDIDATES;
    order.sort_by_key(|candidate| wanted.prefer_tab && *candidate != b'\t');
    let best = best(sample, splitter, &order);
    if best.as_ref().is_none_or(|best| 2 * best.fit.alike() <= best.fit.records) {
        let is_likely = |reading: &Reading| reading.fit.records > 2 && reading.fit.fits_nearly_all();
        if let Some(rare) = self::best(sample, splitter, &RARE_CANDIDATES).filter(is_likely) {
            return rare;
        }
        let splitter = Splitter { delimiter: BLANKS.to_vec(), ..splitter.clone() };
        let aligned = Reading { fit: sample.fit(&splitter), splitter };
        if is_likely(&aligned) {
            return aligned;
        }
    }
    best.unwrap_or_else(|| {
        let splitter = Splitter { delimiter: vec![b','], ..splitter.clone() };
        Reading { fit: sample.fit(&splitter), splitter }
    })
}

fn best(sample: Sample<'_>, splitter: &Splitter, candidates: &[u8]) -> Option<Reading> {
    let Quoting { quote, escape, .. } = splitter.quoting;
    let mut best: Option<Reading> = None;
    for candidate in candidates.iter().filter(|candidate| ![quote, escape].contains(&Some(**candidate))) {
        let splitter = Splitter { delimiter: vec![*candidate], ..splitter.clone() };
        let fit = sample.fit(&splitter);
        let is_better = |best: &Reading| {
            let is_tie = !best.fit.beats(&fit) && is_punctuation(sample, best.splitter.delimiter[0]);
            fit.beats(&best.fit) || (is_tie && !is_punctuation(sample, *candidate))
        };
        if fit.columns > 1 && best.as_ref().is_none_or(is_better) {
            best = Some(Reading { splitter, fit });
        }
    }
    best
}

/// Whether a delimiter stands before a blank wherever it is in the header, as in a sentence.
fn is_punctuation(sample: Sample<'_>, delimiter: u8) -> bool {
    let header = first_line(sample.text);
    let mut found = memchr::memchr_iter(delimiter, header).peekable();
    found.peek().is_some() && found.all(|at| header.get(at + 1) == Some(&b' '))
}

/// Reads the sample with another quoting, and with the delimiter that then fits best.
fn read_with(sample: Sample<'_>, reading: &Reading, quoting: Quoting, wanted: Wanted) -> Option<Reading> {
    let splitter = Splitter { quoting, ..reading.splitter.clone() };
    match wanted.delimiter && CANDIDATES.contains(&splitter.delimiter[0]) {
        true => best(sample, &splitter, &CANDIDATES),
        false => Some(Reading { fit: sample.fit(&splitter), splitter }),
    }
}

/// A backslash before quotes inside quotes, if doubled quotes do not fit and this does. A backslash before anything
/// else stays: some who write this double their backslashes, and some do not.
fn escaped(sample: Sample<'_>, reading: &Reading, wanted: Wanted) -> Option<Reading> {
    let quote = reading.splitter.quoting.quote?;
    if !wanted.quoting || reading.fit.bad() == 0 || memmem::find(sample.text, &[b'\\', quote]).is_none() {
        return None;
    }
    let read = |rule| {
        let quoting = Quoting { escape: Some(b'\\'), rule, ..reading.splitter.quoting };
        read_with(sample, reading, quoting, wanted)
    };
    let mut found = read(EscapeRule::DroppedBeforeSpecial)?;
    // Only PHP doubles quotes and yet lets a backslash protect them.
    if has_doubled(sample.text, quote, found.splitter.delimiter[0])
        && let Some(kept) = read(EscapeRule::Kept).filter(|kept| kept.fit.bad() <= found.fit.bad())
    {
        found = kept;
    }
    // Rows that are only too short or too long say little in a small file.
    let is_likely = reading.fit.malformed > 0 || (found.fit.records > 3 && !wanted.ragged);
    (is_likely && found.fit.fits_nearly_all() && found.fit.bad() < reading.fit.bad()).then_some(found)
}

/// Whether two quotes stand inside a text. Between delimiters they are an empty field.
fn has_doubled(text: &[u8], quote: u8, delimiter: u8) -> bool {
    let outside = [quote, delimiter, b'\\', b'\r', b'\n'];
    memmem::find_iter(text, &[quote, quote]).any(|at| at > 0 && !outside.contains(&text[at - 1]))
}

/// Blanks between delimiters and quotes, if fields with them exist and all records fit at least as well.
fn spaced(sample: Sample<'_>, reading: &Reading, wanted: Wanted) -> Option<Reading> {
    let quote = reading.splitter.quoting.quote?;
    let pairs = [[b' ', quote], [quote, b' '], [b'\t', quote], [quote, b'\t']];
    if !pairs.iter().any(|pair| memmem::find(sample.text, pair).is_some()) {
        return None;
    }
    let quoting = Quoting { blanks: true, ..reading.splitter.quoting };
    let found = read_with(sample, reading, quoting, wanted)?;
    let before = sample.quoted(&reading.splitter);
    let after = sample.quoted(&found.splitter);
    let fits = found.fit.fits_nearly_all()
        && found.fit.bad() <= reading.fit.bad()
        && found.fit.malformed <= reading.fit.malformed;
    (fits && after.fields > before.fields).then_some(found)
}

/// Quoting with `'`, if nothing is quoted with `"`. If the records fit without it too, every row must have quotes.
fn single_quoted(sample: Sample<'_>, reading: &Reading, wanted: Wanted) -> Option<Reading> {
    let after_delimiter = [&reading.splitter.delimiter[..], b"'"].concat();
    if !wanted.quoting
        || reading.fit.malformed > 0
        || memmem::find(sample.text, &after_delimiter).is_none()
        || sample.quoted(&reading.splitter).fields > 0
    {
        return None;
    }
    let quoting = Quoting { quote: Some(b'\''), ..reading.splitter.quoting };
    let found = read_with(sample, reading, quoting, wanted)?;
    let after = sample.quoted(&found.splitter);
    let fits = found.fit.malformed == 0 && found.fit.fits_nearly_all() && found.fit.bad() <= reading.fit.bad();
    let is_everywhere = after.records + 1 >= found.fit.records && found.fit.records > 2;
    (fits && after.fields > 0 && (is_everywhere || found.fit.bad() < reading.fit.bad())).then_some(found)
}

/// CR and LF as the only line end, if all records then fit that did not before.
fn bare_line_feeds(sample: Sample<'_>, reading: &Reading, wanted: Wanted) -> Option<Reading> {
    let Splitter { line_end, quoting, .. } = &reading.splitter;
    let is_lf = *line_end == LineEnd::Lf && (quoting.quote.is_some() || quoting.escape.is_none());
    if wanted.ragged || !is_lf || reading.fit.bad() == 0 || memmem::find(sample.text, b"\r\n").is_none() {
        return None;
    }
    let splitter = Splitter { crlf_only: true, ..reading.splitter.clone() };
    let found = match wanted.delimiter {
        true => best(sample, &splitter, &CANDIDATES)?,
        false => Reading { fit: sample.fit(&splitter), splitter },
    };
    (found.fit.columns > 1 && found.fit.records > 2 && found.fit.bad() == 0).then_some(found)
}

/// No quoting, if quotes do not pair around fields and every line has as many fields as the header without it. A
/// quoted field that spans lines which all look like rows is no field.
fn unquoted(sample: Sample<'_>, reading: &Reading, wanted: Wanted) -> Option<Reading> {
    let quote = reading.splitter.quoting.quote?;
    if !wanted.quoting || reading.splitter.quoting.lenient || memchr(quote, sample.text).is_none() {
        return None;
    }
    let before = sample.quoted(&reading.splitter);
    if reading.fit.malformed == 0 && before.line_ends == 0 {
        return None;
    }
    let found = read_with(sample, reading, Quoting::default(), wanted)?;
    let fit = &found.fit;
    // A header that alone ends in a delimiter says nothing about the lines below it. Well-formed records of more columns are no
    // chance.
    if fit.is_header_trailing() || (reading.fit.malformed == 0 && fit.columns < reading.fit.columns) {
        return None;
    }
    let odd = reading.fit.malformed + before.spanning;
    let pairs = sample.wrapped(&found.splitter, quote);
    // Delimiters that a text would have to hold just at the right places.
    let evidence = before.line_ends * (fit.columns as u64 - 1);
    let are_alike = || pairs == 0 && keeps_kinds(sample, reading, &found);
    let swallows_rows = match fit.columns {
        2 => evidence > 2 && are_alike(),
        _ => evidence > 7 || (evidence > 1 && are_alike()),
    };
    let is_likely = match *found.splitter.delimiter {
        [b'\t'] => (fit.records > 2 && reading.fit.malformed > 0) || (fit.records > 4 && swallows_rows),
        _ => fit.records > 4 && ((fit.columns > 2 && reading.fit.malformed > 0) || swallows_rows),
    };
    (is_likely && fit.columns > 1 && fit.bad() == 0 && 4 * pairs <= odd).then_some(found)
}

/// Whether the records that another quoting finds have only the kinds of cells that the others have. Text says nothing
/// where every column has it, unless it holds tabs, which people do not write inside of a text.
fn keeps_kinds(sample: Sample<'_>, reading: &Reading, other: &Reading) -> bool {
    let profile = |reading: &Reading| profile(sample, &reading.splitter, reading.fit.columns, 1).columns;
    let (before, after) = (profile(reading), profile(other));
    let is_new = |before: u64, after: u64| before == 0 && after > 0;
    let is_same = |before: &ColumnProfile, after: &ColumnProfile| {
        !is_new(before.empty, after.empty)
            && !is_new(before.numbers, after.numbers)
            && !is_new(before.texts, after.texts)
            && !is_new(before.lacks_digit, after.lacks_digit)
    };
    let tells = |column: &ColumnProfile| column.lacks_digit == 0 && column.numbers + column.texts > 0;
    let same = before.len() == after.len() && before.iter().zip(&after).all(|(before, after)| is_same(before, after));
    same && (other.splitter.delimiter == b"\t" || before.iter().any(tells))
}

#[cfg(test)]
mod tests;
