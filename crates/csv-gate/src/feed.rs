//! Product feeds: turns rows into offers. Which offer wins, and which of several for one sku counts, is decided
//! elsewhere.

mod fill_down;

use std::{collections::BTreeMap, io::Read};

use fill_down::Filler;
use tributary_protocol::{FillDown, Op};

use crate::{
    Dialect, Error, Reason, Rejects, Row, Table,
    columns::{find_column, visible, without_invisible},
    folded,
};

/// The longest sku in bytes (docs/reference/csv-rules.md#limits).
pub const MAX_SKU_BYTES: usize = 1 << 10;
/// The longest name in bytes (docs/reference/csv-rules.md#limits).
pub const MAX_NAME_BYTES: usize = 2 << 10;

/// A source's header names where they differ from `sku`, `name`, `description` and `op`. Names are compared trimmed and
/// without regard to case. A mapped column is found by its mapped name only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The column of the sku.
    pub sku: Option<String>,
    /// The column of the name.
    pub name: Option<String>,
    /// The column of the description, which a file may lack.
    pub description: Option<String>,
    /// The column that says whether the row adds or deletes its sku, which a file may lack.
    pub op: Option<String>,
}

/// A feed file that is read offer by offer.
pub struct Feed<R: Read> {
    table: Table<R>,
    indexes: FieldIndexes,
    ops: OpWords,
    filler: Filler,
    /// Buffers for the current offer's fields that had to be unescaped.
    scratch: Scratch,
}

/// One buffer per field, because an offer borrows all three at the same time.
#[derive(Default)]
struct Scratch {
    sku: String,
    name: String,
    description: String,
}

/// The index of each feed column in a row.
#[derive(Clone, Copy)]
struct FieldIndexes {
    sku: usize,
    name: usize,
    description: Option<usize>,
    op: Option<usize>,
}

/// Words for `op` beside `upsert` and `delete`, [`folded`].
pub type OpWords = BTreeMap<String, Op>;

/// The offer in one good row. If a file has several offers for one sku, the last one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfferRow<'a> {
    /// The sku, trimmed of Unicode white space; never empty, at most [`MAX_SKU_BYTES`] long.
    pub sku: &'a str,
    /// The name, trimmed of Unicode white space; may be empty, at most [`MAX_NAME_BYTES`] long. Empty if the offer
    /// deletes.
    pub name: &'a str,
    /// The description, exactly as in the file; empty if the file has no such column or the offer deletes.
    pub description: &'a str,
    /// Whether the offer deletes its sku.
    pub deletes: bool,
    /// The physical line, counted from 1, on which its row begins.
    pub line: u64,
}

impl<R: Read> Feed<R> {
    /// Finds the columns of a feed.
    ///
    /// # Errors
    /// [`Error::Rejected`] if there is no column for the sku or the name, or two that could be one; the reason lists the columns.
    /// For a table of [`Table::open_once`] this is not final either.
    pub fn new(mut table: Table<R>, columns: &Columns, ops: OpWords) -> Result<Self, Error> {
        let wanted = [columns.sku.as_deref().unwrap_or("sku"), columns.name.as_deref().unwrap_or("name")];
        if wanted.iter().any(|name| find_column(table.columns(), name) == Ok(None)) {
            let lacking = no_column(&table, &wanted);
            if !table.find_header(&wanted)? {
                return Err(lacking);
            }
        }
        let find = |mapped: &Option<String>, name: &str| {
            find_column(table.columns(), mapped.as_deref().unwrap_or(name)).map_err(|ambiguous| {
                let (line, raw) = table.header();
                Error::line(line, ambiguous.to_string(), raw)
            })
        };
        let needed = |mapped: &Option<String>, name: &str| {
            find(mapped, name)?.ok_or_else(|| no_column(&table, &[mapped.as_deref().unwrap_or(name)]))
        };
        let indexes = FieldIndexes {
            sku: needed(&columns.sku, "sku")?,
            name: needed(&columns.name, "name")?,
            description: find(&columns.description, "description")?,
            op: find(&columns.op, "op")?,
        };
        let feed = Self { table, indexes, ops, filler: Filler::default(), scratch: Scratch::default() };
        Ok(feed.fill_down(&[]))
    }

    /// Fills empty cells of these columns from the rows above. Call it before the first row is read.
    #[must_use]
    pub fn fill_down(mut self, columns: &[FillDown]) -> Self {
        self.filler = Filler::new(columns, self.table.columns());
        let FieldIndexes { sku, name, description, op } = self.indexes;
        let used = [Some(sku), Some(name), description, op, self.filler.handle()];
        self.table.use_only(&used.into_iter().flatten().collect::<Vec<_>>());
        self
    }

    /// Returns the next offer in file order, or none at the end. Unusable rows are added to [`Self::rejects`].
    ///
    /// # Errors
    /// As [`Table::next_row`].
    pub fn next_offer(&mut self) -> Result<Option<OfferRow<'_>>, Error> {
        let mut rejects = self.table.rejects().total;
        while self.table.advance()? {
            if self.table.rejects().total > rejects {
                self.filler.forget();
            }
            let checked = match self.indexes.check(&self.table, &self.ops) {
                Ok(_) if self.is_header() => Err(Reason::OtherHeader),
                checked => checked,
            };
            match checked {
                Ok(op) => {
                    let row = self.table.row();
                    let offer = self.indexes.offer(row, op, &mut self.scratch);
                    return Ok(Some(self.filler.fill(row, offer)));
                }
                Err(reason) => {
                    self.leave(&reason);
                    self.table.reject_row(reason);
                }
            }
            rejects = self.table.rejects().total;
        }
        Ok(None)
    }

    /// Whether a row is the header of another file that was joined to this one: its sku is the name of that column
    /// and it has a name, or it holds both names.
    fn is_header(&self) -> bool {
        let [sku, name] = [self.indexes.sku, self.indexes.name].map(|index| self.table.columns()[index].as_bytes());
        let is = |index, name: &[u8]| {
            !name.is_empty() && self.table.bytes(index).is_some_and(|cell| cell.eq_ignore_ascii_case(name))
        };
        let is_named = || self.table.bytes(self.indexes.name).is_some_and(|cell| !cell.is_empty());
        (is(self.indexes.sku, sku) && is_named()) || (is(self.indexes.sku, name) && is(self.indexes.name, sku))
    }

    /// Keeps what a row that is rejected leaves to those below: the name of a product whose first row has no sku. Others
    /// leave nothing, because those below might inherit from the wrong row.
    fn leave(&mut self, reason: &Reason) {
        let row = self.table.row();
        if *reason == Reason::NoSku && self.indexes.op(row, &self.ops) == Ok(Op::Upsert) {
            let offer = self.indexes.offer(row, Op::Upsert, &mut self.scratch);
            self.filler.fill(row, offer);
        } else {
            self.filler.forget();
        }
    }

    /// The rejects so far, including those of the table. Complete once [`Self::next_offer`] has returned none.
    pub fn rejects(&self) -> &Rejects {
        self.table.rejects()
    }

    /// The dialect of the file.
    pub fn dialect(&self) -> &Dialect {
        self.table.dialect()
    }

    /// The number of rows so far, good and bad.
    pub fn rows(&self) -> u64 {
        self.table.rows()
    }
}

impl FieldIndexes {
    /// Returns what to do with the current row's sku, or why the row is a reject.
    fn check<R: Read>(&self, table: &Table<R>, ops: &OpWords) -> Result<Op, Reason> {
        // Almost all rows pass this check of raw bytes. The full check below has to validate the row as text first.
        let fits = |index, max| table.bytes(index).is_some_and(|bytes| bytes.len() <= max);
        let shows = |index| table.bytes(index).is_some_and(|bytes| bytes.first().is_some_and(u8::is_ascii_graphic));
        let says_nothing = |index| table.bytes(index).is_some_and(<[u8]>::is_empty);
        if self.op.is_none_or(says_nothing)
            && shows(self.sku)
            && fits(self.sku, MAX_SKU_BYTES)
            && fits(self.name, MAX_NAME_BYTES)
        {
            return Ok(Op::Upsert);
        }
        let row = table.row();
        let op = self.op(row, ops);
        match (row.field(self.sku).trim().len(), op) {
            (0, _) => Err(Reason::NoSku),
            (len, _) if len > MAX_SKU_BYTES => Err(Reason::SkuTooLong { limit: MAX_SKU_BYTES }),
            (_, Ok(Op::Upsert)) if row.field(self.name).trim().len() > MAX_NAME_BYTES => {
                Err(Reason::NameTooLong { limit: MAX_NAME_BYTES })
            }
            (_, op) => op,
        }
    }

    fn op(&self, row: Row<'_>, ops: &OpWords) -> Result<Op, Reason> {
        let Some(index) = self.op else { return Ok(Op::Upsert) };
        let field = row.field(index);
        if let Some(op) = (!ops.is_empty()).then(|| ops.get(&folded(&field))).flatten() {
            return Ok(*op);
        }
        match field.trim() {
            "" => Ok(Op::Upsert),
            op if op.eq_ignore_ascii_case("upsert") => Ok(Op::Upsert),
            op if op.eq_ignore_ascii_case("delete") => Ok(Op::Delete),
            op => Err(Reason::UnknownOp { op: op.chars().take(40).collect() }),
        }
    }

    /// Returns the offer of a row that passed [`Self::check`].
    fn offer<'a>(&self, row: Row<'a>, op: Op, scratch: &'a mut Scratch) -> OfferRow<'a> {
        let deletes = op == Op::Delete;
        let sku = row.field_in(self.sku, &mut scratch.sku).trim();
        let (name, description) = match self.description {
            _ if deletes => ("", ""),
            None => (row.field_in(self.name, &mut scratch.name), ""),
            Some(index) => (row.field_in(self.name, &mut scratch.name), row.field_in(index, &mut scratch.description)),
        };
        OfferRow { sku, name: name.trim(), description, deletes, line: row.line() }
    }
}

/// Rejects a file that lacks one of `names`.
fn no_column<R: Read>(table: &Table<R>, names: &[&str]) -> Error {
    let columns = table.columns();
    let lacks = |name: &&&str| find_column(columns, name) == Ok(None);
    let name = names.iter().find(lacks).copied().unwrap_or_default();
    let (line, raw) = table.header();
    let first = folded(&columns[0]);
    if ["<!doctype", "<html", "<?xml", "<head", "<body"].iter().any(|tag| first.starts_with(tag)) {
        return Error::line(line, "this is an HTML or XML page, not CSV: check where the file comes from", raw);
    }
    const SHOWN: usize = 20;
    let name_shown = |column: &String| format!("`{}`", visible(&column.chars().take(40).collect::<String>()));
    let mut shown: Vec<_> = columns.iter().take(SHOWN).map(name_shown).collect();
    if columns.len() > SHOWN {
        shown.push(format!("and {} more", columns.len() - SHOWN));
    }
    let shown = shown.join(", ");
    let wanted = folded(&without_invisible(name));
    let cure = match columns.iter().find(|column| folded(&without_invisible(column)) == wanted) {
        Some(_) => {
            "remove the invisible characters, shown as <U+…>, from the header, or give header = […] and skip the line \
             with skip_rows = …"
        }
        None => {
            "name it in the header or map it in the configuration; skip_rows = … skips lines above the header, and \
             header = […] names the columns of a file without one"
        }
    };
    Error::line(line, format!("no column `{}` among {shown}: {cure}", visible(name)), raw)
}
