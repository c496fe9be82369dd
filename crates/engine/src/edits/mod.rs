//! Edits: changes the edits of skus and chooses their products again, in one transaction.
//!
//! Code that decides what an edit may hold, and when one is written, belongs here; what a change does to it is in the crate `merge`.
//! The origin of a change (form, API, queue) does not.

mod change;
mod operations;
mod terms;
mod texts;
mod undo;

pub use change::EditRequest;
pub(crate) use change::{Stale, change};
pub(crate) use operations::operate;
pub use operations::{Operation, OperationChange, OperationLimits, OperationMessage, OperationOutcome};
pub use terms::{Author, EditTerms, Entrance, Expected};
pub use texts::{TextError, checked_sku, checked_text};
pub use undo::CannotUndo;
pub(crate) use undo::can_undo;
