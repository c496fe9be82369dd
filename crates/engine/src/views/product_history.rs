//! The history of a product for people: what changed it, and what it showed before and after.

use anyhow::Result;
use tributary_store::{ProductChangeRow, Store};

use crate::{
    clock,
    edits::can_undo,
    ingest::{Catalog, ChangedValue, read_changes},
};

/// A change of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductChange {
    /// Its number. Later changes have greater numbers.
    pub id: i64,
    /// When it was made, RFC 3339.
    pub at: Option<String>,
    /// Its cause.
    pub cause: ChangeCause,
    /// The columns that are shown otherwise.
    pub columns: Vec<ColumnChange>,
    /// Changes of the edit; empty unless it was one.
    pub edit: Vec<ColumnChange>,
    /// Whether it is an edit that can be undone.
    pub can_undo: bool,
}

/// The cause of a change of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeCause {
    /// A version of a source.
    Version {
        /// Name of the source, as it was then.
        source: String,
        /// Path of the file with its row; `None` if none has it any more.
        file: Option<String>,
    },
    /// Sources or the catalog were configured in another way.
    Configuration,
    /// An edit.
    Edit {
        /// `form`, `api` or `queue`.
        entrance: String,
        /// The name that the person gave.
        user: Option<String>,
    },
}

/// A column before and after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnChange {
    /// Its name, or `hidden` or `stands` of an edit.
    pub column: String,
    /// Before and after; `None` if the texts are too long to be kept.
    pub values: Option<(ChangedValue, ChangedValue)>,
}

/// At most `limit` changes of a product, the newest first; fewer if their texts take much memory.
///
/// # Errors
/// The database fails or is damaged.
pub(crate) fn product_history(store: &mut Store, sku: &str, limit: i64) -> Result<Vec<ProductChange>> {
    let rows = store.product_change_page(sku, limit)?;
    let edit = store.edit(sku)?;
    let catalog = Catalog::of(store)?;
    rows.into_iter()
        .map(|row| {
            let can_undo = can_undo(&row, edit.as_ref(), &catalog)?;
            change(row, can_undo, &catalog)
        })
        .collect()
}

fn change(row: ProductChangeRow, can_undo: bool, catalog: &Catalog) -> Result<ProductChange> {
    let ProductChangeRow { id, at, source, file, entrance, author, texts, edit, sku: _ } = row;
    let cause = match (source, entrance) {
        (_, Some(entrance)) => ChangeCause::Edit { entrance, user: author },
        (Some(source), None) => ChangeCause::Version { source, file },
        (None, None) => ChangeCause::Configuration,
    };
    let columns = column_changes(Some(&texts), catalog)?;
    let edit = column_changes(edit.as_deref(), catalog)?;
    Ok(ProductChange { id, at: clock::text_of_seconds(at), cause, columns, edit, can_undo })
}

/// The changes in the order of the catalog's columns; those that it no longer has, and flags, come last.
fn column_changes(json: Option<&str>, catalog: &Catalog) -> Result<Vec<ColumnChange>> {
    let Some(json) = json else { return Ok(Vec::new()) };
    let changes = read_changes(json)?.into_iter();
    let mut all: Vec<_> = changes.map(|(column, values)| ColumnChange { column, values }).collect();
    let place = |change: &ColumnChange| catalog.shown().position(|column| column == change.column);
    all.sort_by_key(|change| place(change).unwrap_or(usize::MAX));
    Ok(all)
}
