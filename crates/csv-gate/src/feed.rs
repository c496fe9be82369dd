//! Product feeds: rows become offers. Which offer wins, and which of one file's several for one sku counts, is not
//! decided here.

use std::io::Read;

use crate::{Error, Reason, Rejects, Row, Table};

/// Longest sku in bytes (CONTRACT.md section 2).
pub const SKU_BYTES: usize = 1 << 10;
/// Longest name in bytes (CONTRACT.md section 2).
pub const NAME_BYTES: usize = 2 << 10;

/// The header names of a source, where they are not `sku`, `name`, `description` and `op`. Names are compared trimmed
/// and without regard to case; a column that is mapped has no other name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// Where the sku stands.
    pub sku: Option<String>,
    /// Where the name stands.
    pub name: Option<String>,
    /// Where the description stands; a file need not have it.
    pub description: Option<String>,
    /// Where it is said what to do with the sku; a file need not have it.
    pub op: Option<String>,
}

/// A file that is being read offer by offer.
pub struct Feed<R: Read> {
    table: Table<R>,
    places: Places,
    /// Memory for the current offer's fields whose text is not in the file as such.
    scratch: Scratch,
}

/// A buffer for each field, because an offer borrows all three at the same time.
#[derive(Default)]
struct Scratch {
    sku: String,
    name: String,
    description: String,
}

/// Which fields hold what.
#[derive(Clone, Copy)]
struct Places {
    sku: usize,
    name: usize,
    description: Option<usize>,
    op: Option<usize>,
}

/// What a row wants done with its sku.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Op {
    Upsert,
    Delete,
}

/// What one good row says of one sku. Several offers of a file may be for one sku: the last of them counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer<'a> {
    /// Trimmed of Unicode white space; never empty, at most [`SKU_BYTES`] long.
    pub sku: &'a str,
    /// Trimmed of Unicode white space; may be empty, at most [`NAME_BYTES`] long; empty if the offer deletes.
    pub name: &'a str,
    /// As it stands in the file; empty if the file has no such column or the offer deletes.
    pub description: &'a str,
    /// It takes the sku away.
    pub deletes: bool,
    /// The physical line, counted from 1, on which its row begins.
    pub line: u64,
}

impl<R: Read> Feed<R> {
    /// Finds a feed's columns.
    ///
    /// # Errors
    /// [`Error::Rejected`] if there is no column for the sku or the name; it says which columns there are. Of a file of
    /// [`Table::open_once`] this is no verdict either.
    pub fn new(table: Table<R>, columns: &Columns) -> Result<Self, Error> {
        let find = |mapped: &Option<String>, name: &'static str| {
            let name = mapped.as_deref().unwrap_or(name);
            let place = table.columns().iter().position(|column| folded(column) == folded(name));
            place.ok_or_else(|| no_column(&table, name))
        };
        let places = Places {
            sku: find(&columns.sku, "sku")?,
            name: find(&columns.name, "name")?,
            description: find(&columns.description, "description").ok(),
            op: find(&columns.op, "op").ok(),
        };
        Ok(Self { table, places, scratch: Scratch::default() })
    }

    /// The next offer, in file order; none at the end. Rows that cannot be used join [`Self::rejects`].
    ///
    /// # Errors
    /// As [`Table::next_row`].
    pub fn next_offer(&mut self) -> Result<Option<Offer<'_>>, Error> {
        while self.table.advance()? {
            match self.places.check(&self.table) {
                Ok(op) => return Ok(Some(self.places.offer(self.table.row(), op, &mut self.scratch))),
                Err(reason) => self.table.reject_row(reason),
            }
        }
        Ok(None)
    }

    /// The rejects met so far, those of the table included: all of them once [`Self::next_offer`] has given none.
    pub fn rejects(&self) -> &Rejects {
        self.table.rejects()
    }

    /// Good and bad rows met so far.
    pub fn rows(&self) -> u64 {
        self.table.rows()
    }
}

impl Places {
    /// What the current row wants done, if it can be done.
    fn check<R: Read>(&self, table: &Table<R>) -> Result<Op, Reason> {
        // Almost all rows pass without a closer look, for which their text would have to be made.
        let fits = |place, most| table.bytes(place).is_some_and(|bytes| bytes.len() <= most);
        let shows = |place| table.bytes(place).is_some_and(|bytes| bytes.first().is_some_and(u8::is_ascii_graphic));
        let says_nothing = |place| table.bytes(place).is_some_and(<[u8]>::is_empty);
        if self.op.is_none_or(says_nothing)
            && shows(self.sku)
            && fits(self.sku, SKU_BYTES)
            && fits(self.name, NAME_BYTES)
        {
            return Ok(Op::Upsert);
        }
        let row = table.row();
        let op = self.op(row);
        match (row.field(self.sku).trim().len(), op) {
            (0, _) => Err(Reason::NoSku),
            (len, _) if len > SKU_BYTES => Err(Reason::SkuTooLong { limit: SKU_BYTES }),
            (_, Ok(Op::Upsert)) if row.field(self.name).trim().len() > NAME_BYTES => {
                Err(Reason::NameTooLong { limit: NAME_BYTES })
            }
            (_, op) => op,
        }
    }

    fn op(&self, row: Row<'_>) -> Result<Op, Reason> {
        let Some(place) = self.op else { return Ok(Op::Upsert) };
        let field = row.field(place);
        match field.trim() {
            "" => Ok(Op::Upsert),
            op if op.eq_ignore_ascii_case("upsert") => Ok(Op::Upsert),
            op if op.eq_ignore_ascii_case("delete") => Ok(Op::Delete),
            op => Err(Reason::UnknownOp { op: op.chars().take(40).collect() }),
        }
    }

    /// The offer of a row that passed [`Self::check`].
    fn offer<'a>(&self, row: Row<'a>, op: Op, scratch: &'a mut Scratch) -> Offer<'a> {
        let deletes = op == Op::Delete;
        let sku = row.field_in(self.sku, &mut scratch.sku).trim();
        let (name, description) = match self.description {
            _ if deletes => ("", ""),
            None => (row.field_in(self.name, &mut scratch.name), ""),
            Some(place) => (row.field_in(self.name, &mut scratch.name), row.field_in(place, &mut scratch.description)),
        };
        Offer { sku, name: name.trim(), description, deletes, line: row.line() }
    }
}

/// A header name as names are compared: trimmed of Unicode white space, without regard to case.
#[must_use]
pub fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

fn no_column<R: Read>(table: &Table<R>, name: &str) -> Error {
    let columns = table.columns();
    let (line, raw) = table.header();
    let first = folded(&columns[0]);
    if ["<!doctype", "<html", "<?xml", "<head", "<body"].iter().any(|tag| first.starts_with(tag)) {
        return Error::line(line, "this is an HTML or XML page, not CSV: look at where the file comes from", raw);
    }
    const SHOWN: usize = 20;
    let mut shown: Vec<_> =
        columns.iter().take(SHOWN).map(|column| format!("`{}`", column.chars().take(40).collect::<String>())).collect();
    if columns.len() > SHOWN {
        shown.push(format!("and {} more", columns.len() - SHOWN));
    }
    let reason =
        format!("no column `{name}` among {}: name it in the header or map it in the configuration", shown.join(", "));
    Error::line(line, reason, raw)
}
