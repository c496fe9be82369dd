//! Merges the offers and edits of some skus and writes the result to the tables. Call it inside a transaction.

use std::{collections::HashMap, sync::mpsc::sync_channel, thread};

use anyhow::{Context, Result};
use tributary_config::PRODUCTS;
use tributary_merge::{Batch, Batches, Delta, FileChanges, NameDeltas, Offer, StoredRows, Survivorship};
use tributary_store::{FileOrigin, Store};

use super::{Catalog, brake::Removals, convert};
use crate::clock;

/// Rows that are merged at a time, which bounds the memory of an apply.
const MAX_BATCH_ROWS: usize = 1024;
/// Batches that are read ahead while one is written.
const MAX_BATCHES_AHEAD: usize = 16;

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

/// Merges the skus that files touch into the tables, batch by batch in order of sku.
///
/// `removals` counts what goes. Call this at most once per transaction, and before anything else in it writes products, offers or edits: with many rows, the
/// tables are read as they were before the transaction.
pub(crate) fn write_touched(
    store: &mut Store,
    touched: &[FileChanges],
    removals: Option<&mut Removals>,
) -> Result<Written> {
    let rows: usize = touched.iter().map(FileChanges::len).sum();
    let files: Vec<i64> = touched.iter().filter(|changes| !changes.is_empty()).map(|changes| changes.file).collect();
    let mut batches = Batches::new(touched, MAX_BATCH_ROWS)?;
    let catalog = Catalog::of(store)?;
    let mut writer = BatchWriter { removals, ..BatchWriter::new(&catalog) };
    if rows <= MAX_BATCH_ROWS {
        while let Some(batch) = batches.next_batch()? {
            let before = before(store, &batch, &catalog)?;
            let rules = catalog.survivorship(&store.file_origins(&offering(&before, &files))?);
            writer.write(store, &before, &batch, &rules)?;
        }
    } else {
        let rules = catalog.survivorship(&store.all_file_origins(PRODUCTS)?);
        read_ahead(store, batches, &catalog, |store, before, batch| writer.write(store, before, batch, &rules))?;
    }
    writer.finish(store)
}

/// Writes batches while another thread reads the next ones: rows from the runs, and their counterparts in the tables through a
/// connection of its own. That connection does not see what this transaction writes. It need not, because no two batches share
/// a sku and there is no other writer.
fn read_ahead(
    store: &mut Store,
    mut batches: Batches<'_>,
    catalog: &Catalog,
    mut write: impl FnMut(&mut Store, &StoredRows, &Batch) -> Result<()>,
) -> Result<()> {
    let mut reader = store.reader()?;
    let read = |give: &mut dyn FnMut(_) -> bool| {
        reader.snapshot(|reader| {
            while let Some(batch) = batches.next_batch()? {
                if !give((before(reader, &batch, catalog)?, batch)) {
                    break;
                }
            }
            Ok(())
        })
    };
    ahead("read ahead", read, |(before, batch)| write(store, &before, &batch))
}

/// Runs `make` on another thread and gives its items to `take` on this one, in order. Once `take` has failed, the function that
/// `make` passes its items to returns false.
fn ahead<T: Send>(
    name: &str,
    make: impl FnOnce(&mut dyn FnMut(T) -> bool) -> Result<()> + Send,
    take: impl FnMut(T) -> Result<()>,
) -> Result<()> {
    thread::scope(|scope| {
        let (sender, ready) = sync_channel(MAX_BATCHES_AHEAD);
        let make = move || make(&mut |made| sender.send(made).is_ok());
        let making = thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, make);
        let making = making.with_context(|| format!("failed to start the thread `{name}`"))?;
        let taken = ready.into_iter().try_for_each(take);
        taken.and(making.join().ok().with_context(|| format!("the thread `{name}` panicked"))?)
    })
}

fn before(store: &mut Store, batch: &Batch, catalog: &Catalog) -> Result<StoredRows> {
    Ok(convert::before(store.sku_rows(&batch.skus())?, catalog)?)
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
pub(crate) fn choose_again(store: &mut Store, skus: Skus) -> Result<Written> {
    let catalog = Catalog::of(store)?;
    let rules = catalog.survivorship(&store.all_file_origins(PRODUCTS)?);
    let mut writer = BatchWriter::new(&catalog);
    let mut after: Option<String> = None;
    loop {
        let (after_sku, limit) = (after.as_deref(), MAX_BATCH_ROWS as i64);
        let some = match skus {
            Skus::Contested => store.contested_skus(after_sku, limit)?,
            Skus::Edited => store.edited_skus(after_sku, limit)?,
            Skus::All => store.all_skus(after_sku, limit)?,
        };
        let Some(last) = some.last().cloned() else { return writer.finish(store) };
        let before = convert::before(store.sku_rows(&some)?, &catalog)?;
        writer.write(store, &before, &Batch::default(), &rules)?;
        after = Some(last);
    }
}

/// Chooses the winner again for one sku whose edit has changed. Reads only the files that offer it, because a person waits for
/// this.
pub(crate) fn choose_one(store: &mut Store, sku: &str) -> Result<Written> {
    let catalog = Catalog::of(store)?;
    let (before, origins) = offered(store, sku, &catalog)?;
    let mut writer = BatchWriter::new(&catalog);
    writer.write(store, &before, &Batch::default(), &catalog.survivorship(&origins))?;
    writer.finish(store)
}

/// Merges batches and writes them to the tables.
struct BatchWriter<'r> {
    catalog: &'r Catalog,
    /// When the products change, in seconds since 1970: one moment for all of a transaction.
    now: i64,
    names: NameDeltas,
    written: Written,
    removals: Option<&'r mut Removals>,
}

impl<'r> BatchWriter<'r> {
    fn new(catalog: &'r Catalog) -> Self {
        let (names, written) = Default::default();
        Self { catalog, now: clock::seconds(), names, written, removals: None }
    }

    /// Merges one batch and writes what it changes, except the counts of names. `rules` have the ranks of all files that offer the
    /// batch's skus.
    fn write(&mut self, store: &mut Store, before: &StoredRows, batch: &Batch, rules: &Survivorship) -> Result<()> {
        let Delta { products, shadowed, names } = tributary_merge::merge(before, batch, rules)?;
        self.written += Written {
            added: products.inserted.len() as u64,
            updated: products.updated.len() as u64,
            removed: products.deleted.len() as u64,
        };
        self.names.add(&names)?;
        if let Some(removals) = &mut self.removals {
            removals.count(before, batch);
        }
        store.delete_products(&products.deleted)?;
        store.update_products(&convert::product_rows(&products.updated, self.catalog), self.now)?;
        store.insert_products(&convert::product_rows(&products.inserted, self.catalog), self.now)?;
        store.delete_shadowed(&shadowed.deleted)?;
        store.update_shadowed(&convert::shadowed_rows(shadowed.updated, self.catalog))?;
        store.insert_shadowed(&convert::shadowed_rows(shadowed.inserted, self.catalog))?;
        Ok(())
    }

    /// Writes the counts of names, each once and in order.
    fn finish(self, store: &mut Store) -> Result<Written> {
        let names = self.names.finish();
        let mut take = |moves: Vec<(&str, i64)>| Ok(store.add_to_aggr(&moves)?);
        if names.max_names() <= MAX_BATCH_ROWS {
            let mut moved = Ok(());
            names.for_each_batch(MAX_BATCH_ROWS, &mut |moves| {
                moved = take(moves);
                moved.is_ok()
            });
            moved?;
        } else {
            let give_all = |give: &mut dyn FnMut(_) -> bool| {
                names.for_each_batch(MAX_BATCH_ROWS, give);
                Ok(())
            };
            ahead("merge names", give_all, take)?;
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
    let (before, origins) = offered(store, sku, catalog)?;
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

/// Returns the rows of one sku, and the files that offer it.
fn offered(store: &mut Store, sku: &str, catalog: &Catalog) -> Result<(StoredRows, Vec<FileOrigin>)> {
    let before = convert::before(store.sku_rows(&[sku])?, catalog)?;
    let origins = store.file_origins(&offering(&before, &[]))?;
    Ok((before, origins))
}

/// The files of stored offers, and `others`; each once.
fn offering(before: &StoredRows, others: &[i64]) -> Vec<i64> {
    let shown = before.products.iter().filter_map(|product| product.file);
    let mut files: Vec<i64> = shown.chain(before.shadowed.iter().map(|offer| offer.file)).collect();
    files.extend(others);
    files.sort_unstable();
    files.dedup();
    files
}
