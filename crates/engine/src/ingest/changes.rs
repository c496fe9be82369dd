//! Merge and write: what some skus' offers and edits say, brought into the tables. Called inside a transaction.

use std::{collections::HashMap, sync::mpsc::sync_channel, thread};

use anyhow::{Context, Result};
use tributary_merge::{Batch, Batches, Delta, FileChanges, NameDeltas, Offer, RankedFile, Ranks, StoredRows};
use tributary_store::{FileOrigin, Store};

use super::convert;

/// Rows merged at a time: what bounds the memory of an apply. More are not faster.
const BATCH: usize = 1024;
/// Batches that may be ready while one is written.
const AHEAD: usize = 16;

/// What was written, in products.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Products that were not shown before.
    pub added: u64,
    /// Products that are shown with another name, description or origin.
    pub updated: u64,
    /// Products that are shown no more.
    pub removed: u64,
}

impl std::ops::AddAssign for Written {
    fn add_assign(&mut self, other: Self) {
        self.added += other.added;
        self.updated += other.updated;
        self.removed += other.removed;
    }
}

/// Merges what files touch into the tables, batch by batch in order of sku. At most once in a transaction, and before anything else
/// in it has written products, offers or edits: of many rows, what the tables hold is read as it was before the transaction.
pub(crate) fn write_touched(store: &mut Store, touched: Vec<FileChanges<'_>>) -> Result<Written> {
    let rows: usize = touched.iter().map(FileChanges::len).sum();
    let mut writing = Writing::new(ranks(store)?);
    let mut batches = Batches::new(touched, BATCH)?;
    if rows <= BATCH {
        while let Some(batch) = batches.next_batch()? {
            let before = before(store, &batch)?;
            writing.write(store, &before, &batch)?;
        }
    } else {
        write_ahead(store, batches, &mut writing)?;
    }
    writing.finish(store)
}

/// While one batch is written here, the next ones are read by another thread: rows from the runs, and what the tables hold for
/// them through a connection of its own. That one does not see what this transaction writes, and need not: no two batches share
/// a sku, and nobody else writes.
fn write_ahead(store: &mut Store, mut batches: Batches<'_>, writing: &mut Writing) -> Result<()> {
    let mut reader = store.reader()?;
    let read = |give: &mut dyn FnMut(_) -> bool| {
        reader.snapshot(|reader| {
            while let Some(batch) = batches.next_batch()? {
                if !give((before(reader, &batch)?, batch)) {
                    break;
                }
            }
            Ok(())
        })
    };
    ahead("read ahead", read, |(before, batch)| writing.write(store, &before, &batch))
}

/// Has another thread `make` things while this one takes them, in their order. A taker that fails ends it: what is given is then
/// answered with false.
fn ahead<T: Send>(
    name: &str,
    make: impl FnOnce(&mut dyn FnMut(T) -> bool) -> Result<()> + Send,
    take: impl FnMut(T) -> Result<()>,
) -> Result<()> {
    thread::scope(|scope| {
        let (sender, ready) = sync_channel(AHEAD);
        let make = move || make(&mut |made| sender.send(made).is_ok());
        let making = thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, make);
        let making = making.with_context(|| format!("failed to start the thread `{name}`"))?;
        let taken = ready.into_iter().try_for_each(take);
        taken.and(making.join().ok().with_context(|| format!("the thread `{name}` has stopped in its middle"))?)
    })
}

fn before(store: &mut Store, batch: &Batch) -> Result<StoredRows> {
    Ok(convert::before(store.sku_rows(&batch.skus())?))
}

/// Chooses again for every sku that has more than one offer, or one that is not shown as it is.
pub(crate) fn choose_again(store: &mut Store) -> Result<Written> {
    let mut writing = Writing::new(ranks(store)?);
    let mut after = None;
    loop {
        let skus = store.contested_skus(after.as_deref(), BATCH as i64)?;
        let Some(last) = skus.last().cloned() else { return writing.finish(store) };
        let before = convert::before(store.sku_rows(&skus)?);
        writing.write(store, &before, &Batch::default())?;
        after = Some(last);
    }
}

/// Chooses again for one sku, whose edit has changed. Only the files that offer it are looked at: a person waits for this.
pub(crate) fn choose_one(store: &mut Store, sku: &str) -> Result<Written> {
    let (before, origins) = offered(store, sku)?;
    let mut writing = Writing::new(ranks_of(&origins));
    writing.write(store, &before, &Batch::default())?;
    writing.finish(store)
}

/// Batches on their way into the tables.
struct Writing {
    ranks: Ranks,
    names: NameDeltas,
    written: Written,
}

impl Writing {
    fn new(ranks: Ranks) -> Self {
        Self { ranks, names: NameDeltas::default(), written: Written::default() }
    }

    /// Merges one batch and writes what it changes, but for the counts of names.
    fn write(&mut self, store: &mut Store, before: &StoredRows, batch: &Batch) -> Result<()> {
        let Delta { products, shadowed, names } = tributary_merge::merge(before, batch, &self.ranks)?;
        self.written += Written {
            added: products.inserted.len() as u64,
            updated: products.updated.len() as u64,
            removed: products.deleted.len() as u64,
        };
        self.names.add(&names)?;
        store.delete_products(&products.deleted)?;
        store.update_products(&convert::product_rows(products.updated))?;
        store.insert_products(&convert::product_rows(products.inserted))?;
        store.delete_shadowed(&shadowed.deleted)?;
        store.update_shadowed(&convert::shadowed_rows(shadowed.updated))?;
        store.insert_shadowed(&convert::shadowed_rows(shadowed.inserted))?;
        Ok(())
    }

    /// Moves the counts of names, each once and in order, however often it came.
    fn finish(self, store: &mut Store) -> Result<Written> {
        let names = self.names.finish()?;
        let mut take = |moves: Vec<(&str, i64)>| Ok(store.add_to_aggr(&moves)?);
        if names.max_names() <= BATCH {
            let mut moved = Ok(());
            names.for_each_batch(BATCH, &mut |moves| {
                moved = take(moves);
                moved.is_ok()
            })?;
            moved?;
        } else {
            ahead("merge names", |give| Ok(names.for_each_batch(BATCH, give)?), take)?;
        }
        Ok(self.written)
    }
}

/// The rank of every stored file.
fn ranks(store: &mut Store) -> Result<Ranks> {
    let sources: HashMap<_, _> =
        store.sources()?.into_iter().map(|source| (source.id, (source.priority, source.position))).collect();
    let ranked = store.all_files()?.into_iter().map(|file| {
        let (priority, position) = *sources.get(&file.source_id).context("a file belongs to no source")?;
        Ok(RankedFile { file: file.id, priority, position, path: file.path })
    });
    Ok(Ranks::new(ranked.collect::<Result<_>>()?))
}

/// The current offers for one sku with the files that make them, in order of rank: the last one wins. Only those files are
/// looked at: this is asked for every product that somebody sees.
pub(crate) fn current_offers(store: &mut Store, sku: &str) -> Result<Vec<(Offer, FileOrigin)>> {
    let (before, origins) = offered(store, sku)?;
    let ranks = ranks_of(&origins);
    let mut origins: HashMap<i64, FileOrigin> = origins.into_iter().map(|origin| (origin.id, origin)).collect();
    let with_origin = |offer: Offer| {
        let origin = origins.remove(&offer.file).context("a file makes two offers for one sku")?;
        Ok((offer, origin))
    };
    tributary_merge::current_offers(&before, &ranks)?.into_iter().map(with_origin).collect()
}

/// What the tables hold for one sku, and the files that offer it.
fn offered(store: &mut Store, sku: &str) -> Result<(StoredRows, Vec<FileOrigin>)> {
    let before = convert::before(store.sku_rows(&[sku])?);
    let shown = before.products.iter().filter_map(|product| product.file);
    let files: Vec<i64> = shown.chain(before.shadowed.iter().map(|offer| offer.file)).collect();
    let origins = store.file_origins(&files)?;
    Ok((before, origins))
}

fn ranks_of(origins: &[FileOrigin]) -> Ranks {
    let ranked = |FileOrigin { id, path, priority, position, .. }: &FileOrigin| RankedFile {
        file: *id,
        priority: *priority,
        position: *position,
        path: path.clone(),
    };
    Ranks::new(origins.iter().map(ranked).collect())
}
