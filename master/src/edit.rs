//! Edits: one sku's edit is stored and its product chosen again, in one transaction. How an edit comes to be (form, API,
//! queue) is not known here.

use anyhow::Result;
use tributary_store::{EditRow, Store};

use crate::ingest::{ranks, write_merged};

/// Lays `edit` over its sku's winner in place of an earlier one.
///
/// # Errors
/// The database fails; then nothing has changed.
pub fn set_edit(store: &mut Store, edit: &EditRow) -> Result<()> {
    store.transaction(|store| {
        store.put_edit(edit)?;
        choose(store, &edit.sku)
    })
}

/// Takes the edit of `sku` away, if there is one.
///
/// # Errors
/// The database fails; then nothing has changed.
pub fn clear_edit(store: &mut Store, sku: &str) -> Result<()> {
    store.transaction(|store| {
        store.delete_edit(sku)?;
        choose(store, sku)
    })
}

fn choose(store: &mut Store, sku: &str) -> Result<()> {
    let ranks = ranks(store)?;
    write_merged(store, &[sku.to_owned()], &[], &ranks)?;
    Ok(())
}
