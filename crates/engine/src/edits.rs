//! Edits: changes the edit of one sku and chooses its product again, in one transaction. Knows nothing of where an edit comes from
//! (form, API, queue).

use anyhow::Result;
use tributary_merge::EditChange;
use tributary_store::{EditRow, Store};

use crate::{
    database::events::{self, Event},
    ingest::{self, Catalog, NoColumn},
};

/// A change of the edit of one sku (docs/reference/README.md#edits).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditRequest {
    /// Sets the texts of columns, by name, and keeps the others. `None` shows the winner's text again.
    Patch(Vec<(String, Option<String>)>),
    /// Replaces the edit with one of these texts, by column, and shows the product even if no source offers it.
    Replace(Vec<(String, String)>),
    /// Replaces the edit with one that hides the product.
    Hide,
    /// Deletes the edit.
    Clear,
}

/// Changes the edit of `sku`, and returns whether the product was shown before. With `only_if_shown`, nothing changes if it was not.
///
/// # Errors
/// [`NoColumn`]; the database fails. Then nothing has changed.
pub(crate) fn change(store: &mut Store, sku: &str, request: EditRequest, only_if_shown: bool) -> Result<bool> {
    store.transaction(|store| {
        let catalog = Catalog::of(store)?;
        let change = by_number(request, &catalog)?;
        let was_shown = store.is_shown(sku)?;
        if was_shown || !only_if_shown {
            let row = store.edit(sku)?;
            let before = row.as_ref().map(|row| ingest::edit(row, &catalog)).transpose()?;
            let kept = row.as_ref().filter(|_| matches!(change, EditChange::Patch(_)));
            let after = tributary_merge::change_edit(sku, before, change);
            let after = after.map(|edit| ingest::edit_row(&edit, kept, &catalog)).transpose()?;
            put(store, sku, row.as_ref(), after)?;
        }
        Ok(was_shown)
    })
}

fn by_number(request: EditRequest, catalog: &Catalog) -> Result<EditChange, NoColumn> {
    let number = |name: String| catalog.shown_column(&name);
    Ok(match request {
        EditRequest::Patch(texts) => EditChange::Patch(
            texts.into_iter().map(|(name, text)| Ok((number(name)?, text))).collect::<Result<_, NoColumn>>()?,
        ),
        EditRequest::Replace(texts) => EditChange::Replace(
            texts.into_iter().map(|(name, text)| Ok((number(name)?, text))).collect::<Result<_, NoColumn>>()?,
        ),
        EditRequest::Hide => EditChange::Hide,
        EditRequest::Clear => EditChange::Clear,
    })
}

fn put(store: &mut Store, sku: &str, before: Option<&EditRow>, after: Option<EditRow>) -> Result<()> {
    let is_same = match (before, &after) {
        (None, None) => true,
        (Some(before), Some(after)) => EditRow { edited_at: before.edited_at.clone(), ..after.clone() } == *before,
        _ => false,
    };
    if is_same {
        return Ok(());
    }
    match after {
        Some(after) => store.put_edit(&after)?,
        None => drop(store.delete_edit(sku)?),
    }
    ingest::choose_one(store, sku)?;
    events::put(store, &Event::Edit { sku: sku.to_owned() })
}
