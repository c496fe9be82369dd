//! Edits: one sku's edit is changed and its product chosen again, in one transaction. How an edit comes to be (form, API) is
//! not known here.

use anyhow::Result;
use tributary_merge::EditChange;
use tributary_store::{EditRow, Store};

use crate::{
    events::{self, Event},
    ingest,
    product::{Detail, detail},
};

/// What a change of an edit came to.
#[derive(Debug)]
pub(crate) struct Edited {
    /// Whether the product was shown before.
    pub(crate) was_shown: bool,
    /// What is known of the sku now.
    pub(crate) detail: Detail,
}

/// Changes the edit of `sku`. With `only_if_shown` nothing is changed while the product is not shown.
///
/// # Errors
/// The database fails; then nothing has changed.
pub(crate) fn edit(store: &mut Store, sku: &str, change: EditChange, only_if_shown: bool) -> Result<Edited> {
    store.transaction(|store| {
        let was_shown = store.is_shown(sku)?;
        if was_shown || !only_if_shown {
            let before = store.edit(sku)?;
            let after = tributary_merge::change_edit(sku, before.clone().map(ingest::edit), change);
            put(store, sku, before, after)?;
        }
        Ok(Edited { was_shown, detail: detail(store, sku)? })
    })
}

fn put(store: &mut Store, sku: &str, before: Option<EditRow>, after: Option<tributary_merge::Edit>) -> Result<()> {
    if before.map(ingest::edit) == after {
        return Ok(());
    }
    match after {
        Some(after) => store.put_edit(&ingest::edit_row(after))?,
        None => drop(store.delete_edit(sku)?),
    }
    ingest::choose_one(store, sku)?;
    events::put(store, &Event::Edit { sku: sku.to_owned() })
}
