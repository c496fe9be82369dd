//! The edits of one database in another.

use anyhow::Result;
use tributary_store::{EditRow, Store};

use crate::ingest::{self, Catalog, ChangeOrigin, EditedSku};

/// Skus that are looked at together.
const BATCH: i64 = 1_000;

/// Makes the edits of `computed` those of `stored`, and the products with them.
pub(super) fn copy(stored: &mut Store, computed: &mut Store) -> Result<()> {
    let catalog = Catalog::of(computed)?;
    let mut after: Option<String> = None;
    loop {
        let skus = stored.edited_skus(after.as_deref(), BATCH)?;
        let Some(last) = skus.last().cloned() else { break };
        let rows = stored.edits_of(&texts(&skus))?;
        computed.transaction(|computed| put(computed, rows, &catalog))?;
        after = Some(last);
    }
    let mut after: Option<String> = None;
    loop {
        let skus = computed.edited_skus(after.as_deref(), BATCH)?;
        let Some(last) = skus.last().cloned() else { return Ok(()) };
        let kept = stored.edits_of(&texts(&skus))?;
        let gone = |sku: &&String| kept.binary_search_by(|row| row.sku.as_str().cmp(sku)).is_err();
        let gone: Vec<&str> = skus.iter().filter(gone).map(String::as_str).collect();
        computed.transaction(|computed| delete(computed, &gone, &catalog))?;
        after = Some(last);
    }
}

fn texts(skus: &[String]) -> Vec<&str> {
    skus.iter().map(String::as_str).collect()
}

fn put(computed: &mut Store, mut rows: Vec<EditRow>, catalog: &Catalog) -> Result<()> {
    let skus: Vec<&str> = rows.iter().map(|row| row.sku.as_str()).collect();
    let known = computed.edits_of(&skus)?;
    rows.retain(|row| !known.contains(row));
    computed.put_edits(&rows)?;
    let edited =
        rows.iter().map(|row| Ok(EditedSku { sku: &row.sku, edit: Some(ingest::edit(row, catalog)?), changes: None }));
    let edited = edited.collect::<Result<Vec<_>>>()?;
    ingest::choose_edited(computed, edited, catalog, &ChangeOrigin::Configuration)?;
    Ok(())
}

fn delete(computed: &mut Store, skus: &[&str], catalog: &Catalog) -> Result<()> {
    for sku in skus {
        computed.delete_edit(sku)?;
    }
    let edited = skus.iter().map(|sku| EditedSku { sku, edit: None, changes: None }).collect();
    ingest::choose_edited(computed, edited, catalog, &ChangeOrigin::Configuration)?;
    Ok(())
}
