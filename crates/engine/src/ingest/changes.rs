//! Merges the offers and edits of some skus and writes the result to the tables. Call it inside a transaction.

use std::collections::{HashMap, VecDeque};

use anyhow::{Context, Result};
use tributary_merge::{Batch, Batches, Delta, Edit, FileChanges, NameDeltas, Offer, StoredRows, Survivorship};
use tributary_store::{FileOrigin, Store};

use super::{
    Catalog,
    ahead::ahead,
    brake::Removals,
    convert,
    origins::{Origins, offering},
    recorder::{ChangeOrigin, Recorded, Recorder},
    row_changes::RowChanges,
};
use crate::clock;

/// Rows that are chosen again at a time, and bytes of the stored rows that are met at a time: these bound the memory of an apply.
const MAX_BATCH_ROWS: usize = 4096;
const MAX_STORED_BYTES: usize = 1 << 20;
/// Skus that are named for people, of all that change.
const MAX_EXAMPLES: usize = 5;

/// Numbers of products that were written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Products that were not shown before.
    pub added: u64,
    /// Products that are shown with another name, description or origin.
    pub updated: u64,
    /// Products that are no longer shown.
    pub removed: u64,
}

impl std::ops::Add for Written {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl std::ops::AddAssign for Written {
    fn add_assign(&mut self, other: Self) {
        self.added += other.added;
        self.updated += other.updated;
        self.removed += other.removed;
    }
}

/// Merges the skus that files touch into the tables, batch by batch in order of sku. Returns some of the products that changed, too.
///
/// `removals` counts what goes. Call this at most once per transaction, and before anything else in it writes products, offers or edits: with many rows, the
/// tables are read as they were before the transaction.
pub(crate) fn write_touched(
    store: &mut Store,
    touched: &[FileChanges],
    removals: Option<&mut Removals>,
    origin: &ChangeOrigin,
) -> Result<(Written, Vec<String>)> {
    let rows: usize = touched.iter().map(FileChanges::len).sum();
    let files: Vec<i64> = touched.iter().filter(|changes| !changes.is_empty()).map(|changes| changes.file).collect();
    let rows_at_a_time = store.rows_at_a_time();
    let mut batches = Batches::new(touched, rows_at_a_time)?;
    let catalog = Catalog::of(store)?;
    let mut names = NameDeltas::default();
    let mut recorder = Recorder::new(origin, &catalog);
    let mut writer = BatchWriter { removals, ..BatchWriter::new(store, origin)? };
    if rows <= rows_at_a_time {
        let mut rest = None;
        while let Some(mut batch) = next_batch(&mut rest, &mut batches)? {
            let before = before(store, &mut batch, &mut rest, &catalog)?;
            let rules = catalog.survivorship(&store.file_origins(&offering(&before, &files))?);
            writer.write(store, &merged((before, batch), &rules, &mut recorder, &mut names)?)?;
        }
    } else {
        // Its rows are not yet as another connection reads them.
        let written: Vec<i64> = files.into_iter().chain(origin.files()).collect();
        let mut origins = Origins::new(store.file_origins(&written)?);
        let merge = |reader: Option<&mut Store>, before: StoredRows, batch: Batch| {
            let rules = catalog.survivorship(&origins.of(reader, &before, &batch)?);
            merged((before, batch), &rules, &mut recorder, &mut names)
        };
        read_ahead(store, (batches, &catalog), merge, |store, merged| writer.write(store, &merged))?;
    }
    let examples = std::mem::take(&mut writer.examples);
    Ok((writer.finish(store, names)?, examples))
}

/// Writes batches while another thread reads and merges the next ones: rows from the runs, and their counterparts in the tables through
/// a connection of its own. That connection does not see what this transaction writes. It need not, because no two batches share
/// a sku and there is no other writer.
fn read_ahead(
    store: &mut Store,
    (mut batches, catalog): (Batches<'_>, &Catalog),
    mut merge: impl FnMut(Option<&mut Store>, StoredRows, Batch) -> Result<Merged> + Send,
    mut write: impl FnMut(&mut Store, Merged) -> Result<()>,
) -> Result<()> {
    // A first load has nothing to compare with, and may write in a way that lets nobody read meanwhile.
    let mut reader = if store.is_catalog_empty()? { None } else { Some(store.reader()?) };
    let read = |give: &mut dyn FnMut(_) -> bool| {
        let mut read_all = |mut reader: Option<&mut Store>| {
            let mut rest = None;
            while let Some(mut batch) = next_batch(&mut rest, &mut batches)? {
                let before = match &mut reader {
                    Some(reader) => before(reader, &mut batch, &mut rest, catalog)?,
                    None => StoredRows::default(),
                };
                if !give(merge(reader.as_deref_mut(), before, batch)?) {
                    break;
                }
            }
            Ok(())
        };
        match &mut reader {
            Some(reader) => reader.snapshot(|reader| read_all(Some(reader))),
            None => read_all(None),
        }
    };
    ahead("read ahead", Merged::bytes, read, |merged| write(store, merged))
}

/// The rest of a batch that was too large with its stored rows, or the next one.
fn next_batch(rest: &mut Option<Batch>, batches: &mut Batches<'_>) -> Result<Option<Batch>> {
    Ok(match rest.take() {
        Some(rest) => Some(rest),
        None => batches.next_batch()?,
    })
}

/// Reads the stored rows of a batch. If they are too many bytes, the last skus of the batch become the `rest`.
fn before(store: &mut Store, batch: &mut Batch, rest: &mut Option<Batch>, catalog: &Catalog) -> Result<StoredRows> {
    let skus = batch.skus();
    let (rows, read) = store.sku_rows_within(&skus, true, MAX_STORED_BYTES)?;
    if read < skus.len() {
        *rest = Some(batch.split_off(read));
    }
    Ok(convert::before(rows, catalog)?)
}

/// Skus of which the winner is chosen again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skus {
    /// Those with several offers, or with one that is not shown as it is.
    Contested,
    /// Those with an edit.
    Edited,
    /// All.
    All,
}

/// Chooses the winners of some skus again.
pub(crate) fn choose_again(store: &mut Store, skus: Skus, origin: &ChangeOrigin) -> Result<Written> {
    let catalog = Catalog::of(store)?;
    let mut recorder = Recorder::new(origin, &catalog);
    let mut writer = BatchWriter::new(store, origin)?;
    let mut names = NameDeltas::default();
    let mut after: Option<String> = None;
    loop {
        let (after_sku, limit) = (after.as_deref(), MAX_BATCH_ROWS as i64);
        let some = match skus {
            Skus::Contested => store.contested_skus(after_sku, limit)?,
            Skus::Edited => store.edited_skus(after_sku, limit)?,
            Skus::All => store.all_skus(after_sku, limit)?,
        };
        if some.is_empty() {
            return writer.finish(store, names);
        }
        let (rows, read) = store.sku_rows_within(&some, true, MAX_STORED_BYTES)?;
        let last = some[read - 1].clone();
        let before = convert::before(rows, &catalog)?;
        let rules = catalog.survivorship(&store.file_origins(&offering(&before, &[]))?);
        writer.write(store, &merged((before, Batch::default()), &rules, &mut recorder, &mut names)?)?;
        after = Some(last);
    }
}

/// A sku whose edit has changed.
pub(crate) struct EditedSku<'a> {
    pub(crate) sku: &'a str,
    /// The edit of now.
    pub(crate) edit: Option<Edit>,
    /// Its changes, as JSON.
    pub(crate) changes: Option<String>,
}

/// Chooses the winners again for skus whose edits have changed, which are sorted and unique. Reads only the files that offer them,
/// because a person waits for this.
pub(crate) fn choose_edited(
    store: &mut Store,
    edited: Vec<EditedSku<'_>>,
    catalog: &Catalog,
    origin: &ChangeOrigin,
) -> Result<Written> {
    let recorder = Recorder::new(origin, catalog);
    let mut writer = BatchWriter::new(store, origin)?;
    let mut names = NameDeltas::default();
    let mut edited = VecDeque::from(edited);
    while !edited.is_empty() {
        let skus: Vec<&str> = edited.iter().take(MAX_BATCH_ROWS).map(|edited| edited.sku).collect();
        let (rows, read) = store.sku_rows_within(&skus, false, MAX_STORED_BYTES)?;
        let stored = convert::before(rows, catalog)?;
        let mut edits = Vec::new();
        let mut changes = Vec::new();
        for EditedSku { sku, edit, changes: changed } in edited.drain(..read) {
            edits.extend(edit);
            changes.push((sku, changed));
        }
        let before = StoredRows { edits, ..stored };
        let rules = catalog.survivorship(&store.file_origins(&offering(&before, &[]))?);
        let record = |before: &StoredRows, delta: &Delta<'_>, _: &Batch| recorder.record_edits(before, delta, changes);
        writer.write(store, &merged_with((before, Batch::default()), &rules, catalog, record, &mut names)?)?;
    }
    writer.finish(store, names)
}

/// A merged batch, ready to be written.
struct Merged {
    changes: RowChanges,
    written: Written,
    /// The changes to be recorded; `None` if there are too many, so that none is.
    recorded: Option<Vec<Recorded>>,
    /// The batch and the rows that the tables had, for those who count removals.
    before: StoredRows,
    batch: Batch,
}

impl Merged {
    /// Bytes of its texts.
    fn bytes(&self) -> usize {
        self.changes.bytes() + self.before.bytes() + self.batch.bytes()
    }
}

/// Merges one batch, adds up how it changes the counts of names, and records the changes. `rules` have the ranks of all files that
/// offer the batch's skus.
fn merged(
    batch: (StoredRows, Batch),
    rules: &Survivorship,
    recorder: &mut Recorder<'_>,
    names: &mut NameDeltas,
) -> Result<Merged> {
    let catalog = recorder.catalog();
    let record = |before: &StoredRows, delta: &Delta<'_>, batch: &Batch| recorder.record(before, delta, batch);
    let merged = merged_with(batch, rules, catalog, record, names)?;
    Ok(Merged { recorded: merged.recorded.filter(|_| !recorder.has_overflown()), ..merged })
}

/// As [`merged`], with the changes that `record` returns.
fn merged_with(
    (before, batch): (StoredRows, Batch),
    rules: &Survivorship,
    catalog: &Catalog,
    record: impl FnOnce(&StoredRows, &Delta<'_>, &Batch) -> Vec<Recorded>,
    names: &mut NameDeltas,
) -> Result<Merged> {
    let delta = tributary_merge::merge(&before, &batch, rules)?;
    names.add(&delta.names)?;
    let written = Written {
        added: delta.products.inserted.len() as u64,
        updated: delta.products.updated.len() as u64,
        removed: delta.products.deleted.len() as u64,
    };
    let recorded = Some(record(&before, &delta, &batch));
    let changes = RowChanges::new(&delta, catalog);
    drop(delta);
    Ok(Merged { changes, written, recorded, before, batch })
}

/// Writes merged batches to the tables.
struct BatchWriter<'a> {
    /// When the products change, in seconds since 1970: one moment for all of a transaction.
    now: i64,
    written: Written,
    /// The first skus that changed.
    examples: Vec<String>,
    removals: Option<&'a mut Removals>,
    origin: &'a ChangeOrigin,
    /// The last recorded change before this.
    last_change: Option<i64>,
    /// Whether any change was recorded.
    has_recorded: bool,
}

impl<'a> BatchWriter<'a> {
    fn new(store: &mut Store, origin: &'a ChangeOrigin) -> Result<Self> {
        Ok(Self {
            now: clock::seconds(),
            written: Written::default(),
            examples: Vec::new(),
            removals: None,
            origin,
            last_change: store.newest_product_change()?,
            has_recorded: false,
        })
    }

    /// Writes what one batch changes, except the counts of names.
    fn write(&mut self, store: &mut Store, merged: &Merged) -> Result<()> {
        let Merged { changes, written, recorded, before, batch } = merged;
        self.written += *written;
        if let Some(removals) = &mut self.removals {
            removals.count(before, batch);
        }
        if self.examples.len() < MAX_EXAMPLES {
            let more = changes.skus().take(MAX_EXAMPLES - self.examples.len()).map(str::to_owned);
            self.examples.extend(more);
        }
        store.delete_products(&changes.deleted_products())?;
        store.update_products(&changes.updated_products(), self.now)?;
        store.insert_products(&changes.inserted_products(), self.now)?;
        store.delete_shadowed(&changes.deleted_shadowed())?;
        store.update_shadowed(&changes.updated_shadowed())?;
        store.insert_shadowed(&changes.inserted_shadowed())?;
        self.record(store, recorded.as_deref())
    }

    /// Stores the changes of a batch; with `None` there are too many, and those of earlier batches go as well.
    fn record(&mut self, store: &mut Store, recorded: Option<&[Recorded]>) -> Result<()> {
        match recorded {
            None if self.has_recorded => {
                self.has_recorded = false;
                store.delete_product_changes_after(self.last_change)?;
            }
            None | Some([]) => {}
            Some(recorded) => {
                self.has_recorded = true;
                let rows: Vec<_> = recorded.iter().map(Recorded::row).collect();
                store.insert_product_changes(self.origin.cause(self.now), &rows)?;
            }
        }
        Ok(())
    }

    /// Deletes old changes, and writes the counts of names, each once and in order.
    fn finish(self, store: &mut Store, names: NameDeltas) -> Result<Written> {
        if self.has_recorded {
            store.delete_old_product_changes()?;
        }
        let names = names.finish();
        let rows_at_a_time = store.rows_at_a_time();
        let mut take = |moves: Vec<(&str, i64)>| Ok(store.add_to_aggr(&moves)?);
        if names.max_names() <= rows_at_a_time {
            let mut moved = Ok(());
            names.for_each_batch(rows_at_a_time, &mut |moves| {
                moved = take(moves);
                moved.is_ok()
            });
            moved?;
        } else {
            let give_all = |give: &mut dyn FnMut(_) -> bool| {
                names.for_each_batch(rows_at_a_time, give);
                Ok(())
            };
            // A name takes at most 2 KiB.
            ahead("merge names", |_| 0, give_all, take)?;
        }
        Ok(self.written)
    }
}

/// Returns the current offers for one sku with their files, so that the last one wins, and the rules that decide it. Reads only those
/// files, because every view of a product asks for this.
pub(crate) fn current_offers(
    store: &mut Store,
    sku: &str,
    catalog: &Catalog,
) -> Result<(Vec<(Offer, FileOrigin)>, Survivorship)> {
    let before = convert::before(store.sku_rows(&[sku])?, catalog)?;
    let origins = store.file_origins(&offering(&before, &[]))?;
    let rules = catalog.survivorship(&origins);
    let mut origins: HashMap<i64, FileOrigin> = origins.into_iter().map(|origin| (origin.id, origin)).collect();
    let with_origin = |offer: Offer| {
        let origin = origins.remove(&offer.file).context("a file has two offers for one sku")?;
        Ok((offer, origin))
    };
    let offers =
        tributary_merge::current_offers(&before, &rules)?.into_iter().map(with_origin).collect::<Result<_>>()?;
    Ok((offers, rules))
}
