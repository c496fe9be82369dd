//! Edits: changes the edit of one sku and chooses its product again, in one transaction. Knows nothing of where an edit comes from
//! (form, API, queue).

use anyhow::Result;
use tributary_merge::EditChange;
use tributary_store::{EditRow, Store};

use crate::{
    database::events::{self, Event},
    ingest,
};

/// Changes the edit of `sku`, and returns whether the product was shown before. With `only_if_shown`, nothing changes if it was not.
///
/// # Errors
/// The database fails; then nothing has changed.
pub(crate) fn change(store: &mut Store, sku: &str, change: EditChange, only_if_shown: bool) -> Result<bool> {
    store.transaction(|store| {
        let was_shown = store.is_shown(sku)?;
        if was_shown || !only_if_shown {
            let before = store.edit(sku)?;
            let after = tributary_merge::change_edit(sku, before.clone().map(ingest::edit), change);
            put(store, sku, before, after)?;
        }
        Ok(was_shown)
    })
}

fn put(store: &mut Store, sku: &str, before: Option<EditRow>, after: Option<tributary_merge::Edit>) -> Result<()> {
    if before.map(ingest::edit) == after {
        return Ok(());
    }
    match after {
        Some(after) => store.put_edit(&ingest::edit_row(&after))?,
        None => drop(store.delete_edit(sku)?),
    }
    ingest::choose_one(store, sku)?;
    events::put(store, &Event::Edit { sku: sku.to_owned() })
}
