//! Undo: the change that takes one recorded edit back.

use anyhow::Result;
use tributary_merge::EditChange;
use tributary_store::{EditRow, ProductChangeRow, Store, read_own};

use crate::ingest::{Catalog, ChangeJson, ChangedValue, Changes, read_changes};

/// Why an edit cannot be undone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CannotUndo {
    /// There is no such change.
    #[error("the product has no change {0} in its history; only the newest are kept")]
    Unknown(i64),
    /// A source, or the configuration, made the change.
    #[error("the change was not made by hand: it comes from what the files say; correct the product instead")]
    NotAnEdit,
    /// Its texts were too long to be kept.
    #[error("the texts of the edit are too long to be kept, so what it replaced is not known any more")]
    NotKept,
    /// Later edits have changed all that it set.
    #[error("there is nothing left to undo: what the edit set has been changed or taken back since")]
    NothingLeft,
}

/// The JSON of how an edit differs from the one before; `None` if it does not, time aside.
pub(super) fn differences(before: Option<&EditRow>, after: Option<&EditRow>) -> Result<Option<String>> {
    let (old, new) = (values(before)?, values(after)?);
    let mut json = ChangeJson::default();
    let names = old.iter().chain(&new).map(|(name, _)| name.as_str());
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        let (old, new) = (value_of(&old, name), value_of(&new, name));
        if old != new && !seen.contains(&name) {
            seen.push(name);
            json.push(name, old, new);
        }
    }
    Ok(json.finish())
}

/// Values that an edit sets: its texts by column, and its flags.
type Values = Vec<(String, ChangedValue)>;

const FLAGS: [&str; 2] = ["hidden", "stands"];

fn values(edit: Option<&EditRow>) -> Result<Values> {
    let Some(EditRow { name, description, own, hidden, stands, .. }) = edit else { return Ok(Vec::new()) };
    let mut values = Vec::new();
    for (column, text) in [("name", name), ("description", description)] {
        values.extend(text.as_ref().map(|text| (column.to_owned(), ChangedValue::Text(Some(text.clone())))));
    }
    read_own(own.as_deref(), |column, text| values.push((column.to_owned(), ChangedValue::Text(Some(text)))))?;
    for (flag, is_set) in FLAGS.into_iter().zip([hidden, stands]).filter(|(_, is_set)| **is_set) {
        values.push((flag.to_owned(), ChangedValue::Flag(*is_set)));
    }
    Ok(values)
}

fn value_of(values: &Values, name: &str) -> ChangedValue {
    let found = values.iter().find(|(column, _)| column == name).map(|(_, value)| value.clone());
    found.unwrap_or(if FLAGS.contains(&name) { ChangedValue::Flag(false) } else { ChangedValue::Text(None) })
}

/// The change that puts back what an edit set, where it still is as that edit left it.
///
/// # Errors
/// [`CannotUndo`]; the row is damaged.
pub(crate) fn undone(
    id: i64,
    row: Option<&ProductChangeRow>,
    now: Option<&EditRow>,
    catalog: &Catalog,
) -> Result<Result<EditChange, CannotUndo>> {
    let Some(row) = row else { return Ok(Err(CannotUndo::Unknown(id))) };
    if row.entrance.is_none() {
        return Ok(Err(CannotUndo::NotAnEdit));
    }
    let Some(json) = &row.edit else { return Ok(Err(CannotUndo::NothingLeft)) };
    let changes = read_changes(json)?;
    if changes.values().any(Option::is_none) {
        return Ok(Err(CannotUndo::NotKept));
    }
    restoring(changes, &values(now)?, catalog).map(|change| change.ok_or(CannotUndo::NothingLeft))
}

fn restoring(changes: Changes, now: &Values, catalog: &Catalog) -> Result<Option<EditChange>> {
    let (mut texts, mut hidden, mut stands) = (Vec::new(), None, None);
    for (name, change) in changes {
        let Some((before, after)) = change else { continue };
        if value_of(now, &name) != after {
            continue;
        }
        match (name.as_str(), before) {
            ("hidden", ChangedValue::Flag(flag)) => hidden = Some(flag),
            ("stands", ChangedValue::Flag(flag)) => stands = Some(flag),
            // A column that the catalog no longer has shows nothing.
            (column, ChangedValue::Text(text)) => texts.extend(catalog.column(column).map(|column| (column, text))),
            _ => {}
        }
    }
    let has_any = !texts.is_empty() || hidden.is_some() || stands.is_some();
    Ok(has_any.then_some(EditChange::Restore { texts, hidden, stands }))
}

/// Whether an edit in the history can be undone.
///
/// # Errors
/// A row is damaged.
pub(crate) fn can_undo(row: &ProductChangeRow, now: Option<&EditRow>, catalog: &Catalog) -> Result<bool> {
    Ok(undone(row.id, Some(row), now, catalog)?.is_ok())
}

/// Reads the change that undoes an edit. Call it in the transaction that makes it.
///
/// # Errors
/// [`CannotUndo`]; the database fails.
pub(super) fn undo_of(store: &mut Store, sku: &str, id: i64, catalog: &Catalog) -> Result<EditChange> {
    let row = store.product_change(sku, id)?;
    let now = store.edit(sku)?;
    Ok(undone(id, row.as_ref(), now.as_ref(), catalog)??)
}
