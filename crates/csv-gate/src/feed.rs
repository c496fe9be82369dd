//! Product feeds: turns rows into offers. Which offer wins, and which of several for one sku counts, is decided
//! elsewhere.

mod check;
mod fill_down;
mod header;

use std::{collections::BTreeMap, io::Read};

use check::{CatalogColumns, Checks};
pub use check::{CheckedRow, RowCheck};
use fill_down::Filler;
use header::{HeaderCells, named, no_column};
use tributary_protocol::Op;

use crate::{
    Dialect, Error, FoundSegment, Reason, Rejects, Row, Segment, Table, columns::find_first, folded, row::Field,
    table::segments::Part,
};

/// The longest sku in bytes (docs/reference/csv-rules.md#limits).
pub const MAX_SKU_BYTES: usize = 1 << 10;
/// The longest name in bytes (docs/reference/csv-rules.md#limits).
pub const MAX_NAME_BYTES: usize = 2 << 10;

/// A source's header names where they differ from the columns' own. Names are compared trimmed and without regard to case. Of several
/// names for one column, the first that is in the header counts. A mapped column is found by its mapped names only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// Names for the column of the sku.
    pub sku: Vec<String>,
    /// Names for the column of the name.
    pub name: Vec<String>,
    /// Names for the column of the description, which a file may lack.
    pub description: Vec<String>,
    /// Names for the column that says whether the row adds or deletes its sku, which a file may lack.
    pub op: Vec<String>,
    /// The own columns of the catalog, in order. A file may lack any of them.
    pub own: Vec<OwnColumn>,
    /// The number of the text that says how new an offer is: one that deletes its sku has this text, and no other.
    pub newest: Option<usize>,
}

/// A column that the catalog has beside those that every catalog has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnColumn {
    /// Its name in the catalog.
    pub name: String,
    /// Its names in files, if they differ.
    pub headers: Vec<String>,
}

/// A feed file that is read offer by offer.
pub struct Feed<R: Read> {
    table: Table<R>,
    indexes: FieldIndexes,
    header_cells: HeaderCells,
    ops: OpWords,
    filler: Filler,
    /// The number of rejects up to the row that was judged last.
    seen_rejects: u64,
    checks: Checks,
    /// The names of the texts in the catalog, in order.
    names: Vec<String>,
    /// The sku of the current row.
    sku: Field,
    /// The texts of the current row.
    texts: Vec<Field>,
}

/// The index of each feed column in a row.
#[derive(Clone)]
struct FieldIndexes {
    sku: usize,
    op: Option<usize>,
    /// The columns of the texts, in order: the name, the description, the own columns. The name is there.
    texts: Vec<Option<usize>>,
    /// The text that an offer has though it deletes its sku.
    newest: Option<usize>,
}

/// The next part of a feed that is read in segments.
#[derive(Clone, Copy, Debug)]
pub enum FeedItem<'a> {
    /// An offer.
    Offer(OfferRow<'a>),
    /// A segment ends here: that of the offers before, or one that is known.
    Segment(FoundSegment),
    /// The end of the file.
    End,
}

/// Words for `op` beside `upsert` and `delete`, [`folded`].
pub type OpWords = BTreeMap<String, Op>;

/// The offer in one good row. If a file has several offers for one sku, the last one counts.
#[derive(Clone, Copy, Debug)]
pub struct OfferRow<'a> {
    /// The sku, trimmed of Unicode white space; never empty, at most [`MAX_SKU_BYTES`] long.
    pub sku: &'a str,
    /// Its texts; an offer that deletes has none but [`Columns::newest`].
    pub texts: OfferTexts<'a>,
    /// Whether the offer deletes its sku.
    pub deletes: bool,
    /// The physical line, counted from 1, on which its row begins.
    pub line: u64,
}

/// The texts of an offer: the name, trimmed of Unicode white space, at most [`MAX_NAME_BYTES`] long; the description, exactly as in the
/// file; then the own columns, trimmed. Each may be empty.
#[derive(Clone, Copy, Debug)]
pub struct OfferTexts<'a> {
    row: Row<'a>,
    fields: &'a [Field],
}

/// The text of the name.
const NAME: usize = 0;
/// The text of the description, which is not trimmed.
const DESCRIPTION: usize = 1;

impl<'a> OfferTexts<'a> {
    /// The text of a column, counted from 0; empty if there is none.
    #[must_use]
    pub fn get(self, column: usize) -> &'a str {
        self.fields.get(column).map_or("", |field| trimmed(column, self.row.text_of(field)))
    }

    /// The texts of all columns in order.
    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        self.fields.iter().enumerate().map(move |(column, field)| trimmed(column, self.row.text_of(field)))
    }
}

/// A text as its column has it.
fn trimmed(column: usize, text: &str) -> &str {
    if column == DESCRIPTION { text } else { text.trim() }
}

impl<R: Read> Feed<R> {
    /// Finds the columns of a feed.
    ///
    /// # Errors
    /// [`Error::Rejected`] if there is no column for the sku or the name, or two that could be one; the reason lists the columns.
    /// For a table of [`Table::open_once`] this is not final either.
    pub fn new(mut table: Table<R>, columns: &Columns, ops: OpWords) -> Result<Self, Error> {
        let wanted = [named(&columns.sku, "sku"), named(&columns.name, "name")];
        if wanted.iter().any(|names| find_first(table.columns(), names) == Ok(None)) {
            let lacking = no_column(&table, &wanted);
            if !table.find_header(&wanted)? {
                return Err(lacking);
            }
        }
        let find = |names: &[String], name: &str| {
            find_first(table.columns(), &named(names, name)).map_err(|ambiguous| {
                let (line, raw) = table.header();
                Error::line(line, ambiguous.to_string(), raw)
            })
        };
        let needed =
            |names: &[String], name: &str| find(names, name)?.ok_or_else(|| no_column(&table, &[named(names, name)]));
        let mut texts = vec![Some(needed(&columns.name, "name")?), find(&columns.description, "description")?];
        for OwnColumn { name, headers } in &columns.own {
            texts.push(find(headers, name)?);
        }
        let indexes = FieldIndexes {
            sku: needed(&columns.sku, "sku")?,
            op: find(&columns.op, "op")?,
            texts,
            newest: columns.newest,
        };
        let texts = vec![Field::default(); indexes.texts.len()];
        let own = columns.own.iter().map(|own| own.name.clone());
        let names = ["name", "description"].map(str::to_owned).into_iter().chain(own).collect();
        let (filler, checks) = (Filler::default(), Checks::default());
        let header_cells = HeaderCells::new(&table, &indexes, wanted);
        let sku = Field::default();
        let feed = Self { table, indexes, header_cells, ops, filler, seen_rejects: 0, checks, names, sku, texts };
        Ok(feed.fill_down(&[]))
    }

    /// Fills empty cells of these columns of the catalog, by name, from the rows above. Names of other columns say nothing. Call it
    /// before the first row is read.
    #[must_use]
    pub fn fill_down(mut self, columns: &[String]) -> Self {
        let fills = columns.iter().filter_map(|name| self.names.iter().position(|column| column == name));
        self.filler = Filler::new(fills, self.table.columns());
        self.use_columns();
        self
    }

    /// Adds a check of each row that does not delete its sku. A row that fails is a reject, but leaves its texts to those below as if it
    /// were none. Call it before the first row is read. A check is dropped if the file has none of its columns.
    ///
    /// A column that the check names is that of the catalog, as the offer has it. Any other name is one in the header of the file.
    ///
    /// # Errors
    /// [`Error::Rejected`] if a name could mean two columns of the file.
    pub fn check(mut self, check: Box<dyn RowCheck + Send>) -> Result<Self, Error> {
        let catalog = CatalogColumns { names: &self.names, indexes: &self.indexes.texts };
        let added = self.checks.add(check, catalog, self.table.columns());
        added.map_err(|ambiguous| {
            let (line, raw) = self.table.header();
            Error::line(line, ambiguous.to_string(), raw)
        })?;
        self.use_columns();
        Ok(self)
    }

    /// Tells the table which of its columns are read.
    fn use_columns(&mut self) {
        let used = [Some(self.indexes.sku), self.indexes.op, self.filler.handle()].into_iter();
        let used = used.chain(self.indexes.texts.iter().copied()).flatten().chain(self.checks.cells());
        self.table.use_only(&used.collect::<Vec<_>>());
    }

    /// Returns the next offer in file order, or none at the end. Unusable rows are added to [`Self::rejects`].
    ///
    /// # Errors
    /// As [`Table::next_row`].
    pub fn next_offer(&mut self) -> Result<Option<OfferRow<'_>>, Error> {
        while self.table.advance()? {
            if let Some(op) = self.judge() {
                return Ok(Some(self.offer(op)));
            }
        }
        Ok(None)
    }

    /// Reads the file in segments; `known` are those of an earlier content, in file order, and `seed` goes into their digests. Call it
    /// before the first row is read, and then [`Self::next_item`] alone. Not for a feed that is filled from above: then the rows of a segment say what those below it
    /// inherit.
    #[must_use]
    pub fn in_segments(mut self, known: Vec<Segment>, seed: u64) -> Self {
        self.table.use_segments(known, seed);
        self
    }

    /// Returns the next offer or segment in file order, or the end. The rows of a known segment count, but give no offers.
    ///
    /// # Errors
    /// As [`Table::next_row`].
    pub fn next_item(&mut self) -> Result<FeedItem<'_>, Error> {
        loop {
            match self.table.next_part()? {
                Part::Row => {
                    if let Some(op) = self.judge() {
                        return Ok(FeedItem::Offer(self.offer(op)));
                    }
                }
                Part::Segment(found) => return Ok(FeedItem::Segment(found)),
                Part::End => return Ok(FeedItem::End),
            }
        }
    }

    /// Judges the current row. A bad one becomes a reject.
    fn judge(&mut self) -> Option<Op> {
        if self.table.rejects().total > self.seen_rejects {
            self.filler.forget();
        }
        let checked = match self.indexes.check(&self.table, &self.ops) {
            Ok(_) if self.header_cells.are_in(&self.table, &self.indexes) => Err(Reason::OtherHeader),
            checked => checked,
        };
        let judged = match checked {
            Ok(op) => self.check_row(op).map(|()| op).map_err(|reason| self.table.reject_row(reason)).ok(),
            Err(reason) => {
                self.leave(&reason);
                self.table.reject_row(reason);
                None
            }
        };
        self.seen_rejects = self.table.rejects().total;
        judged
    }

    /// Checks the current row, which passed [`FieldIndexes::check`]. A row that fails is whole, and says what the rows below it
    /// inherit: checks never change another row.
    fn check_row(&mut self, op: Op) -> Result<(), Reason> {
        if self.checks.is_empty() {
            return Ok(());
        }
        let mut checks = std::mem::take(&mut self.checks);
        let checked = checks.check(self.offer(op));
        self.checks = checks;
        checked
    }

    /// Keeps what a row that is rejected leaves to those below: the name of a product whose first row has no sku. Others
    /// leave nothing, because those below might inherit from the wrong row.
    fn leave(&mut self, reason: &Reason) {
        let row = self.table.row();
        if *reason == Reason::NoSku && self.indexes.op(row, &self.ops) == Ok(Op::Upsert) {
            self.offer(Op::Upsert);
        } else {
            self.filler.forget();
        }
    }

    /// The offer of the current row, which passed [`FieldIndexes::check`].
    fn offer(&mut self, op: Op) -> OfferRow<'_> {
        let row = self.table.row();
        row.read(self.indexes.sku, &mut self.sku);
        let deletes = op == Op::Delete;
        if deletes {
            if let Some(newest) = self.indexes.newest {
                self.texts.iter_mut().for_each(|text| text.set(""));
                self.indexes.texts[newest].iter().for_each(|index| row.read(*index, &mut self.texts[newest]));
            }
        } else {
            for (index, text) in self.indexes.texts.iter().zip(&mut self.texts) {
                match index {
                    Some(index) => row.read(*index, text),
                    None => text.set(""),
                }
            }
            self.filler.fill(row, &mut self.texts);
        }
        let fields = if deletes && self.indexes.newest.is_none() { &[] } else { &self.texts[..] };
        let texts = OfferTexts { row, fields };
        OfferRow { sku: row.text_of(&self.sku).trim(), texts, deletes, line: row.line() }
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
    fn name(&self) -> usize {
        self.texts[NAME].unwrap_or_default()
    }

    /// Returns what to do with the current row's sku, or why the row is a reject.
    fn check<R: Read>(&self, table: &Table<R>, ops: &OpWords) -> Result<Op, Reason> {
        // Almost all rows pass this check of raw bytes. The full check below has to validate the row as text first.
        let fits = |index, max| table.bytes(index).is_some_and(|bytes| bytes.len() <= max);
        let shows = |index| table.bytes(index).is_some_and(|bytes| bytes.first().is_some_and(u8::is_ascii_graphic));
        let says_nothing = |index| table.bytes(index).is_some_and(<[u8]>::is_empty);
        if self.op.is_none_or(says_nothing)
            && shows(self.sku)
            && fits(self.sku, MAX_SKU_BYTES)
            && fits(self.name(), MAX_NAME_BYTES)
        {
            return Ok(Op::Upsert);
        }
        let row = table.row();
        let op = self.op(row, ops);
        match (row.field(self.sku).trim().len(), op) {
            (0, _) => Err(Reason::NoSku),
            (len, _) if len > MAX_SKU_BYTES => Err(Reason::SkuTooLong { limit: MAX_SKU_BYTES }),
            (_, Ok(Op::Upsert)) if row.field(self.name()).trim().len() > MAX_NAME_BYTES => {
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
}
