//! Tells whether any CSV reader reads a file as the gate does: the very same rows, from the same lines. Such a file may be cut at
//! any line end and read by programs that know nothing of the gate.
//!
//! A file is plain if it is UTF-8 without a byte order mark, its delimiter is one byte, its first line is the header, no line is
//! rejected or left out, every record is one line, and each cell is either bare or quoted by RFC 4180. This is not concluded from
//! the dialect: every line is split a second time by that grammar alone ([`line`]), and compared with the gate's row.

mod facts;
mod line;

use std::io::{self, Read};

use memchr::{memchr, memchr_iter};
use tributary_formats::Packing;

pub use self::facts::ColumnFacts;
use self::line::Cells;
use crate::{Block, BlockRows, Blocks, Dialect, Error, Evidence, Settings, Table, split::Span};

/// The size of the blocks that [`plain_table`] checks.
const BLOCK_BYTES: usize = 512 << 10;
/// The longest header of a plain file.
const MAX_HEADER_BYTES: usize = 1 << 20;

/// A file that any CSV reader reads alike, and the settings that such a reader needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainTable {
    /// The delimiter. The quote is `"`, which is doubled inside quotes.
    pub delimiter: u8,
    /// Whether the first line names the columns. If not, it is a row.
    pub has_header: bool,
    /// The names of the columns, trimmed.
    pub columns: Vec<String>,
    /// The number of rows.
    pub rows: u64,
    /// Facts about the cells of each column, in the order of the columns.
    pub facts: Vec<ColumnFacts>,
}

/// The reason why readers may disagree about a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotPlain {
    /// The file has to be unpacked, or is a sheet of a workbook.
    #[error("it is packed or a workbook")]
    Packed,
    /// The file is not UTF-8, or begins with a byte order mark.
    #[error("it is not UTF-8 without a byte order mark")]
    Encoding,
    /// The delimiter is not one ASCII character.
    #[error("its delimiter `{delimiter}` is not one ASCII character")]
    Delimiter {
        /// The delimiter.
        delimiter: String,
    },
    /// The whole file is a reject.
    #[error("it is rejected: {reason}")]
    Rejected {
        /// The fault.
        reason: String,
    },
    /// Some rows are rejects.
    #[error("it has {rows} rejected rows")]
    Rejects {
        /// Their number.
        rows: u64,
    },
    /// The first line does not hold the names of the columns, each in its place.
    #[error("its first line is not the header")]
    Header,
    /// Lines that are no rows: above the header, footers, comments, or the header once more.
    #[error("it has lines that are no rows")]
    LeftOut,
    /// Some lines end in LF and some in CR LF.
    #[error("it has line ends of two kinds")]
    LineEnds,
    /// A line that readers read differently.
    #[error("line {line} {fault}")]
    Line {
        /// The number of the line, counted from 1.
        line: u64,
        /// The peculiarity.
        fault: LineFault,
    },
}

/// The reason why readers may disagree about a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineFault {
    /// Some readers skip it, others read a row.
    #[error("is empty")]
    Empty,
    /// Some readers end a line there.
    #[error("has a carriage return that does not end it")]
    CarriageReturn,
    /// A quote in a cell that does not begin with one, or text behind the closing one.
    #[error("has a quote in a cell without quotes")]
    Quote,
    /// Its end is text. A reader that begins at the next line would take that for a row.
    #[error("ends inside quotes")]
    OpenQuote,
    /// The gate reads other cells than the bare grammar, for example because of a setting.
    #[error("has other cells by the rules of RFC 4180 alone")]
    OtherCells,
}

/// Checks the blocks of a table. It changes nothing, so that several threads can share it.
#[derive(Clone, Debug)]
pub struct PlainCheck {
    delimiter: u8,
    has_header: bool,
    columns: Vec<String>,
}

/// Findings in some blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlainFacts {
    /// The offset of the first block; `None` if there is none.
    first: Option<u64>,
    bytes: u64,
    rows: u64,
    ends: Ends,
    columns: Vec<ColumnFacts>,
}

/// The ends of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Ends {
    lf: bool,
    crlf: bool,
}

impl Ends {
    /// Adds a line. The last one of a file may have no end.
    fn add(&mut self, line: &[u8]) {
        if line.ends_with(b"\r\n") {
            self.crlf = true;
        } else if line.ends_with(b"\n") {
            self.lf = true;
        }
    }

    fn merge(&mut self, other: Self) {
        self.lf |= other.lf;
        self.crlf |= other.crlf;
    }
}

impl PlainCheck {
    /// Begins to check a table of which no row has been read.
    ///
    /// # Errors
    /// The table's dialect is one that not every reader can be told.
    pub fn new<R: Read>(table: &Table<R>, settings: &Settings) -> Result<Self, NotPlain> {
        let Dialect { encoding, encoding_evidence, keeps_utf8_lines, delimiter, packing, is_sheet, .. } =
            table.dialect();
        if *packing != Packing::None || *is_sheet {
            return Err(NotPlain::Packed);
        }
        if *encoding != "UTF-8" || *encoding_evidence == Evidence::Marked || *keeps_utf8_lines {
            return Err(NotPlain::Encoding);
        }
        match delimiter.as_bytes() {
            [delimiter] if delimiter.is_ascii() && !matches!(delimiter, b'"' | b'\r' | b'\n') => Ok(Self {
                delimiter: *delimiter,
                has_header: settings.header.is_first_line(),
                columns: table.columns().to_vec(),
            }),
            _ => Err(NotPlain::Delimiter { delimiter: delimiter.clone() }),
        }
    }

    /// Compares the rows of a block with its lines.
    ///
    /// # Errors
    /// The first line about which readers may disagree.
    pub fn judge(&self, block: &Block) -> Result<PlainFacts, NotPlain> {
        self.judge_bare(block).map_or_else(|| self.judge_lines(block), Ok)
    }

    /// Judges a block without quotes, in which the bytes between separators are the cells of any reader, and of the gate unless a rule says
    /// otherwise. Returns none if a line needs a closer look.
    fn judge_bare(&self, block: &Block) -> Option<PlainFacts> {
        let text = block.text();
        if memchr(b'"', text).is_some() {
            return None;
        }
        let mut lines = block.bare_lines(self.delimiter, self.columns.len())?;
        let mut facts = self.no_facts(block);
        while lines.advance() {
            facts.rows += 1;
            lines.cells().zip(&mut facts.columns).for_each(|(cell, facts)| facts.add(cell));
        }
        let crlf = lines.finish()?;
        let ends = facts.rows.saturating_sub(u64::from(!text.ends_with(b"\n")));
        facts.ends = Ends { lf: ends > crlf as u64, crlf: crlf > 0 };
        // Any other carriage return is one that does not end a line.
        (memchr_iter(b'\r', text).count() == crlf).then_some(facts)
    }

    fn no_facts(&self, block: &Block) -> PlainFacts {
        PlainFacts {
            first: Some(block.byte()),
            bytes: block.text().len() as u64,
            rows: 0,
            ends: Ends::default(),
            columns: vec![ColumnFacts::default(); self.columns.len()],
        }
    }

    /// Splits every line of a block by the bare grammar, and compares it with the gate's row.
    fn judge_lines(&self, block: &Block) -> Result<PlainFacts, NotPlain> {
        let (text, mut facts) = (block.text(), self.no_facts(block));
        let (mut rows, mut cells, mut scratch) = (block.rows(0), Cells::default(), [String::new(), String::new()]);
        for line in lines(text) {
            let at = |fault| NotPlain::Line { line: block.line() + facts.rows, fault };
            cells.split(line, self.delimiter).map_err(at)?;
            if !rows.advance() || !self.is_same(&rows, (line, &cells), &mut scratch, &mut facts.columns) {
                return Err(at(LineFault::OtherCells));
            }
            facts.rows += 1;
            facts.ends.add(line);
        }
        match rows.advance() || rows.finish().1.total > 0 {
            true => Err(NotPlain::Rejects { rows: 1 }),
            false => Ok(facts),
        }
    }

    /// Whether the gate's row has exactly the cells of its line. If so, the facts know them.
    fn is_same(
        &self,
        row: &BlockRows<'_>,
        (line, cells): (&[u8], &Cells),
        [gates, own]: &mut [String; 2],
        facts: &mut [ColumnFacts],
    ) -> bool {
        if cells.spans.len() != self.columns.len() || row.len() != self.columns.len() {
            return false;
        }
        cells.spans.iter().zip(facts).enumerate().all(|(i, (span, facts))| {
            let cell = row.bytes(i, gates);
            let is_same = match span {
                Span { start, end, escaped: false } => cell == &line[*start..*end],
                span => cell == line::unescape(line, *span, own),
            };
            facts.add(cell);
            is_same
        })
    }

    /// Ends the check of a file of `size` bytes: `facts` are those of all blocks, `table` has been read to its end, and `open` gives
    /// the file once more, for its header.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read.
    pub fn finish<R: Read, H: Read>(
        self,
        facts: PlainFacts,
        table: &Table<R>,
        size: u64,
        open: impl FnOnce() -> io::Result<H>,
    ) -> Result<Result<PlainTable, NotPlain>, Error> {
        let rejects = table.rejects();
        if rejects.total > 0 {
            return Ok(Err(NotPlain::Rejects { rows: rejects.total }));
        }
        let header = facts.first.unwrap_or(if self.has_header { size } else { 0 });
        // Blocks do not overlap and are in order, so nothing lies between them if they are as long as the file.
        if header + facts.bytes != size || rejects.ignored.lines > 0 {
            return Ok(Err(NotPlain::LeftOut));
        }
        let Some(mut ends) = self.header_ends(open()?, header)? else { return Ok(Err(NotPlain::Header)) };
        ends.merge(facts.ends);
        if ends.lf && ends.crlf {
            return Ok(Err(NotPlain::LineEnds));
        }
        let Self { delimiter, has_header, columns } = self;
        let PlainFacts { rows, columns: mut found, .. } = facts;
        found.resize(columns.len(), ColumnFacts::default());
        Ok(Ok(PlainTable { delimiter, has_header, columns, rows, facts: found }))
    }

    /// Returns the line end of the first `len` bytes of the file, if they are one line with the names of the columns, or none at all where
    /// there is no header.
    fn header_ends(&self, file: impl Read, len: u64) -> io::Result<Option<Ends>> {
        let mut ends = Ends::default();
        if len == 0 || !self.has_header || len > MAX_HEADER_BYTES as u64 {
            return Ok((len == 0 && !self.has_header).then_some(ends));
        }
        let mut text = Vec::new();
        file.take(len).read_to_end(&mut text)?;
        let (mut lines, mut cells) = (lines(&text), Cells::default());
        let (Some(line), None) = (lines.next(), lines.next()) else { return Ok(None) };
        if cells.split(line, self.delimiter).is_err() || std::str::from_utf8(line).is_err() {
            return Ok(None);
        }
        ends.add(line);
        let mut scratch = String::new();
        let names = cells.spans.iter().map(|span| {
            let name = line::unescape(line, *span, &mut scratch);
            String::from_utf8_lossy(name).trim().to_owned()
        });
        Ok(names.eq(self.columns.iter().cloned()).then_some(ends))
    }
}

impl PlainFacts {
    /// Adds those of other blocks of the same file.
    pub fn merge(&mut self, other: Self) {
        self.first = match (self.first, other.first) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        self.bytes += other.bytes;
        self.rows += other.rows;
        self.ends.merge(other.ends);
        if self.columns.is_empty() {
            self.columns = other.columns;
        } else {
            self.columns.iter_mut().zip(&other.columns).for_each(|(own, other)| own.merge(other));
        }
    }
}

/// Checks a whole file in one pass, on this thread. `open` returns the same bytes each time; a caller whose file may change has to
/// check that afterwards. Calls `go_on` after every block with the bytes so far, and stops if it returns false.
///
/// # Errors
/// [`Error::Settings`] and [`Error::Io`]; the latter of the kind `Interrupted` if `go_on` returns false. Everything that is wrong
/// with the file itself makes it not plain.
pub fn plain_table<R: Read>(
    path: &str,
    size: u64,
    open: impl Fn() -> io::Result<R>,
    settings: &Settings,
    mut go_on: impl FnMut(u64) -> bool,
) -> Result<Result<PlainTable, NotPlain>, Error> {
    let mut read = || {
        let table = Table::open_once(path, size, open()?, settings)?;
        let check = match PlainCheck::new(&table, settings) {
            Ok(check) => check,
            Err(not_plain) => return Ok(Err(not_plain)),
        };
        let (mut blocks, mut facts) = (Blocks::new(table, BLOCK_BYTES), PlainFacts::default());
        while let Some(block) = blocks.next_block()? {
            match check.judge(&block) {
                Ok(found) => facts.merge(found),
                Err(not_plain) => return Ok(Err(not_plain)),
            }
            if !go_on(facts.bytes) {
                return Err(Error::Io(io::ErrorKind::Interrupted.into()));
            }
        }
        check.finish(facts, blocks.table(), size, &open)
    };
    match read() {
        Err(Error::Rejected(reject)) => Ok(Err(NotPlain::Rejected { reason: reject.to_string() })),
        Err(Error::NeedsTwoPasses) => Ok(Err(NotPlain::Encoding)),
        read => read,
    }
}

/// The lines of a text, each with its line end.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    let ends = memchr_iter(b'\n', text).map(|end| end + 1).chain([text.len()]);
    ends.filter_map(move |end| {
        let line = &text[start..end];
        start = end;
        (!line.is_empty()).then_some(line)
    })
}

#[cfg(test)]
mod tests;
