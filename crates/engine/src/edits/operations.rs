//! Operations: many changes of edits at once, in messages as a queue brings them (docs/reference/README.md#edits). A message is applied
//! as a whole or not at all, and once only.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use anyhow::Result;
use tributary_merge::EditChange;
use tributary_store::Store;

use super::{
    change::{change_all, numbered},
    terms::{Author, Entrance},
    texts::{TextError, checked_sku, checked_text},
};
use crate::{
    clock, count,
    ingest::{Catalog, NoColumn},
    message_id::check_message_id,
};

/// Old messages that are deleted with each batch, beyond as many as it stores. So the table shrinks to a lower limit, but no batch waits
/// for long.
const MAX_DELETED_MESSAGES: i64 = 1_000;

/// A message with operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationMessage {
    /// The sender's id: a message that is known changes nothing. Without one, the message is applied each time it comes.
    pub id: Option<String>,
    /// The operations, which are applied in this order.
    pub operations: Vec<Operation>,
}

/// A change of one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The product.
    pub sku: String,
    /// Its change.
    pub change: OperationChange,
}

/// A change of a product, which becomes its edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationChange {
    /// Sets the texts of columns, by name, and keeps the others; `None` shows the winner's text again. The product is shown even if no
    /// source offers it. If it was hidden, it has no other texts. Of a column that is named twice the last text counts.
    Upsert(Vec<(String, Option<String>)>),
    /// Hides the product.
    Delete,
}

/// The outcome of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationOutcome {
    /// Its operations have been applied.
    Applied,
    /// It was known, so nothing has changed.
    Repeated,
    /// It cannot be used, for this reason, and nothing has changed. It is not remembered.
    Refused(String),
}

/// Bounds of how many messages are remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationLimits {
    /// At most so many messages are kept, the newest.
    pub keep_messages: u64,
    /// Time for which they are kept.
    pub keep_for: Duration,
}

/// Applies messages in order, in one transaction, and returns the outcome of each.
///
/// # Errors
/// The database fails. Then nothing has changed.
pub(crate) fn operate(
    store: &mut Store,
    messages: Vec<OperationMessage>,
    limits: OperationLimits,
) -> Result<Vec<OperationOutcome>> {
    store.transaction(|store| {
        let catalog = Catalog::of(store)?;
        let ids: Vec<&str> = messages.iter().filter_map(|message| message.id.as_deref()).collect();
        let known = store.known_operation_messages(&ids)?;
        let mut batch = Batch { known: known.into_iter().collect(), ..Batch::default() };
        let outcomes = messages.into_iter().map(|message| batch.add(message, &catalog)).collect();
        let queued = Author { entrance: Entrance::Queue, user: None }.origin();
        change_all(store, batch.changes, &catalog, &queued)?;
        remember(store, &batch.ids, limits)?;
        Ok(outcomes)
    })
}

/// Stores the ids of messages, and deletes old ones.
fn remember(store: &mut Store, ids: &[String], limits: OperationLimits) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    store.insert_operation_messages(ids, &clock::now())?;
    let limit = count::stored(ids.len() as u64).saturating_add(MAX_DELETED_MESSAGES);
    let oldest = clock::before_now(limits.keep_for);
    Ok(store.delete_old_operation_messages(count::stored(limits.keep_messages), &oldest, limit)?)
}

/// The changes of several messages, taken together.
#[derive(Default)]
struct Batch {
    /// Ids of messages that are known, those of the batch included.
    known: HashSet<String>,
    /// The new ones among them, in order.
    ids: Vec<String>,
    /// The changes of each sku, in order. Those of different skus do not meet, so their order does not count.
    changes: BTreeMap<String, Vec<EditChange>>,
}

impl Batch {
    fn add(&mut self, message: OperationMessage, catalog: &Catalog) -> OperationOutcome {
        let OperationMessage { id, operations } = message;
        if id.as_ref().is_some_and(|id| self.known.contains(id)) {
            return OperationOutcome::Repeated;
        }
        let changes = match changes(id.as_deref(), operations, catalog) {
            Ok(changes) => changes,
            Err(reason) => return OperationOutcome::Refused(reason),
        };
        for (sku, change) in changes {
            self.changes.entry(sku).or_default().push(change);
        }
        if let Some(id) = id {
            self.known.insert(id.clone());
            self.ids.push(id);
        }
        OperationOutcome::Applied
    }
}

/// Why an operation cannot be used.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error(transparent)]
    Text(#[from] TextError),
    #[error(transparent)]
    NoColumn(#[from] NoColumn),
}

/// The changes of a message, or why it cannot be used.
fn changes(
    id: Option<&str>,
    operations: Vec<Operation>,
    catalog: &Catalog,
) -> Result<Vec<(String, EditChange)>, String> {
    id.map_or(Ok(()), check_message_id).map_err(|error| error.to_string())?;
    let total = operations.len();
    let numbered = |(number, operation)| {
        change(operation, catalog).map_err(|error| match total {
            1 => error.to_string(),
            _ => format!("operation {number} of {total}: {error}"),
        })
    };
    (1..).zip(operations).map(numbered).collect()
}

fn change(operation: Operation, catalog: &Catalog) -> Result<(String, EditChange), Unusable> {
    let sku = checked_sku(&operation.sku)?.to_owned();
    let change = match operation.change {
        OperationChange::Upsert(mut texts) => {
            for (column, text) in &mut texts {
                if let Some(text) = text {
                    let checked = checked_text(column, text)?;
                    if checked.len() < text.len() {
                        *text = checked.to_owned();
                    }
                }
            }
            EditChange::Upsert(numbered(texts, catalog)?)
        }
        OperationChange::Delete => EditChange::Hide,
    };
    Ok((sku, change))
}

#[cfg(test)]
mod tests;
