//! Changes of edits, whichever way they come: one by a person, or many at once.

use std::collections::BTreeMap;

use anyhow::Result;
use tributary_merge::{Edit, EditChange};
use tributary_store::{EditRow, Store};

use crate::{
    clock,
    database::events::{self, Event},
    ingest::{self, Catalog, ChangeOrigin, EditedSku, NoColumn},
    views::{ProductDetail, detail},
};

use super::{
    terms::{EditTerms, Expected},
    undo::{differences, undo_of},
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
    /// Puts back what the edit of this number in the history set, where it still is as that edit left it.
    Undo(i64),
    /// Takes back what a column is corrected to. An edit that sets nothing any more is deleted.
    TakeBack(String),
}

/// Refusal of an edit, because the product is not as its author expects.
#[derive(Debug, thiserror::Error)]
#[error("the product has changed meanwhile")]
pub(crate) struct Stale(pub(crate) Box<ProductDetail>);

/// Changes the edit of `sku`, and returns whether the product was shown before.
///
/// # Errors
/// [`NoColumn`], [`Stale`], [`super::CannotUndo`]; the database fails. Then nothing has changed.
pub(crate) fn change(store: &mut Store, sku: &str, request: EditRequest, terms: EditTerms) -> Result<bool> {
    let EditTerms { author, expected, only_if_shown } = terms;
    store.transaction(|store| {
        check(store, sku, &expected)?;
        let catalog = Catalog::of(store)?;
        let change = match request {
            EditRequest::Patch(texts) => EditChange::Patch(numbered(texts, &catalog)?),
            EditRequest::Replace(texts) => EditChange::Replace(numbered(texts, &catalog)?),
            EditRequest::Hide => EditChange::Hide,
            EditRequest::Clear => EditChange::Clear,
            EditRequest::TakeBack(column) => {
                let texts = vec![(catalog.shown_column(&column)?, None)];
                EditChange::Restore { texts, hidden: None, stands: None }
            }
            EditRequest::Undo(id) => undo_of(store, sku, id, &catalog)?,
        };
        let was_shown = store.is_shown(sku)?;
        if was_shown || !only_if_shown {
            change_all(store, [(sku.to_owned(), vec![change])].into(), &catalog, &author.origin())?;
        }
        Ok(was_shown)
    })
}

/// Refuses an edit of a product that is not as expected.
fn check(store: &mut Store, sku: &str, expected: &Expected) -> Result<()> {
    if *expected == Expected::Anything {
        return Ok(());
    }
    let detail = detail(store, sku)?;
    let is_as_expected = match expected {
        Expected::Anything => true,
        Expected::Shown => detail.product.is_some(),
        Expected::NotShown => detail.product.is_none(),
        Expected::Versions(versions) => versions.contains(&detail.version()),
    };
    if is_as_expected { Ok(()) } else { Err(Stale(Box::new(detail)).into()) }
}

/// Replaces the names of columns by their numbers.
///
/// # Errors
/// [`NoColumn`].
pub(super) fn numbered<T>(texts: Vec<(String, T)>, catalog: &Catalog) -> Result<Vec<(usize, T)>, NoColumn> {
    texts.into_iter().map(|(name, text)| Ok((catalog.shown_column(&name)?, text))).collect()
}

/// Changes the edits of some skus, each by its changes in order, and writes those that differ afterwards, with their products and an
/// event for each. Call it inside a transaction.
///
/// # Errors
/// The database fails.
pub(super) fn change_all(
    store: &mut Store,
    changes: BTreeMap<String, Vec<EditChange>>,
    catalog: &Catalog,
    origin: &ChangeOrigin,
) -> Result<()> {
    let skus: Vec<&str> = changes.keys().map(String::as_str).collect();
    let mut rows = store.edits_of(&skus)?.into_iter().peekable();
    let now = clock::now();
    let mut changed = Vec::new();
    for (sku, changes) in changes {
        let mut draft = Draft::new(rows.next_if(|row| row.sku == sku), catalog)?;
        changes.into_iter().for_each(|change| draft.change(&sku, change));
        changed.extend(draft.difference(&now, origin.author(), catalog)?.map(|difference| (sku, difference)));
    }
    for (sku, Difference { row, .. }) in &changed {
        if row.is_none() {
            store.delete_edit(sku)?;
        }
    }
    store.put_edits(changed.iter().filter_map(|(_, difference)| difference.row.as_ref()))?;
    let edited = changed.iter_mut().map(|(sku, difference)| EditedSku {
        sku,
        edit: difference.edit.take(),
        changes: difference.changes.take(),
    });
    ingest::choose_edited(store, edited.collect(), catalog, origin)?;
    events::put_all(store, changed.into_iter().map(|(sku, _)| Event::Edit { sku }))
}

/// The edit of one sku on its way through changes.
struct Draft {
    /// As stored.
    row: Option<EditRow>,
    edit: Option<Edit>,
    /// Whether no change has cleared the texts of the row. Only then may those stay that belong to no column of the catalog any more,
    /// which `edit` does not have.
    keeps_texts: bool,
}

/// An edit that differs from its row: both as they are from now on, or none if it is deleted.
struct Difference {
    edit: Option<Edit>,
    row: Option<EditRow>,
    /// The differences, as JSON.
    changes: Option<String>,
}

impl Draft {
    fn new(row: Option<EditRow>, catalog: &Catalog) -> Result<Self> {
        let edit = row.as_ref().map(|row| ingest::edit(row, catalog)).transpose()?;
        Ok(Self { row, edit, keeps_texts: true })
    }

    fn change(&mut self, sku: &str, change: EditChange) {
        self.keeps_texts &= change.keeps_texts(self.edit.as_ref());
        self.edit = tributary_merge::change_edit(sku, self.edit.take(), change);
    }

    /// Compares the edit with its row. `None` if nothing but time and author would change.
    fn difference(self, now: &str, author: Option<&str>, catalog: &Catalog) -> Result<Option<Difference>> {
        let Self { row, edit, keeps_texts } = self;
        let Some(edit) = edit else {
            let deleted =
                |row: EditRow| Ok(Difference { edit: None, row: None, changes: differences(Some(&row), None)? });
            return row.map(deleted).transpose();
        };
        let after = ingest::edit_row(&edit, row.as_ref().filter(|_| keeps_texts), now, catalog)?;
        let after = EditRow { edited_by: author.map(str::to_owned), ..after };
        let changes = differences(row.as_ref(), Some(&after))?;
        let is_same = changes.is_none() && row.is_some();
        Ok((!is_same).then_some(Difference { edit: Some(edit), row: Some(after), changes }))
    }
}
