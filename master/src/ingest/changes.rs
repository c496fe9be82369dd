//! Merge and write: what some skus' offers and edits say, brought into the tables. Called inside a transaction.

use std::collections::HashMap;

use anyhow::{Context, Result};
use polars::frame::DataFrame;
use tributary_merge::{Batches, Delta, Offer, RankedFile, Ranks, Touched};
use tributary_store::{FileOrigin, Store};

use super::convert;

/// Rows merged at a time: what bounds the memory of an apply.
const BATCH: usize = 100_000;

/// What was written, in products.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// Products that were not shown before.
    pub(crate) added: u64,
    /// Products that are shown with another name, description or origin.
    pub(crate) updated: u64,
    /// Products that are shown no more.
    pub(crate) removed: u64,
}

impl std::ops::AddAssign for Written {
    fn add_assign(&mut self, other: Self) {
        self.added += other.added;
        self.updated += other.updated;
        self.removed += other.removed;
    }
}

/// Merges what files touch into the tables, batch by batch in order of sku.
pub(crate) fn write_touched(store: &mut Store, touched: Vec<Touched>) -> Result<Written> {
    let ranks = ranks(store)?;
    let mut batches = Batches::new(touched, BATCH);
    let mut written = Written::default();
    while let Some(batch) = batches.next_batch()? {
        let skus = tributary_merge::skus(&batch)?;
        written += write_merged(store, &skus, &batch, &ranks)?;
    }
    Ok(written)
}

/// Chooses again for every sku that has more than one offer, or one that is not shown as it is.
pub(crate) fn choose_again(store: &mut Store) -> Result<Written> {
    let ranks = ranks(store)?;
    let mut written = Written::default();
    let mut after = None;
    loop {
        let skus = store.contested_skus(after.as_deref(), BATCH as i64)?;
        let Some(last) = skus.last().cloned() else { return Ok(written) };
        written += write_merged(store, &skus, &[], &ranks)?;
        after = Some(last);
    }
}

/// The rank of every stored file.
pub(crate) fn ranks(store: &mut Store) -> Result<Ranks> {
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
    let before = convert::before(store.state(&[sku.to_owned()])?);
    let shown = before.products.iter().filter_map(|product| product.file);
    let files: Vec<i64> = shown.chain(before.shadowed.iter().map(|offer| offer.file)).collect();
    let origins = store.file_origins(&files)?;
    let ranked = |FileOrigin { id, path, priority, position, .. }: &FileOrigin| RankedFile {
        file: *id,
        priority: *priority,
        position: *position,
        path: path.clone(),
    };
    let ranks = Ranks::new(origins.iter().map(ranked).collect());
    let mut origins: HashMap<i64, FileOrigin> = origins.into_iter().map(|origin| (origin.id, origin)).collect();
    let with_origin = |offer: Offer| {
        let origin = origins.remove(&offer.file).context("a file makes two offers for one sku")?;
        Ok((offer, origin))
    };
    tributary_merge::current_offers(&before, &ranks)?.into_iter().map(with_origin).collect()
}

/// Merges one batch: `skus` are all that it holds, sorted and unique.
pub(crate) fn write_merged(
    store: &mut Store,
    skus: &[String],
    touched: &[DataFrame],
    ranks: &Ranks,
) -> Result<Written> {
    let before = convert::before(store.state(skus)?);
    write(store, tributary_merge::merge(before, touched, ranks)?)
}

fn write(store: &mut Store, delta: Delta) -> Result<Written> {
    let Delta { products, shadowed, aggr } = delta;
    let written = Written {
        added: products.inserted.len() as u64,
        updated: products.updated.len() as u64,
        removed: products.deleted.len() as u64,
    };
    store.delete_products(&products.deleted)?;
    store.update_products(&convert::product_rows(products.updated))?;
    store.insert_products(&convert::product_rows(products.inserted))?;
    store.delete_shadowed(&shadowed.deleted)?;
    store.update_shadowed(&convert::shadowed_rows(shadowed.updated))?;
    store.insert_shadowed(&convert::shadowed_rows(shadowed.inserted))?;
    store.move_aggr(&aggr)?;
    Ok(written)
}
