//! Edits: changes the edits of skus and chooses their products again, in one transaction.
//!
//! Code that decides what an edit may hold, and when one is written, belongs here; what a change does to it is in the crate `merge`.
//! Where a change comes from (form, API, queue) does not.

mod change;
mod operations;
mod texts;

pub use change::EditRequest;
pub(crate) use change::change;
pub(crate) use operations::operate;
pub use operations::{Operation, OperationChange, OperationLimits, OperationMessage, OperationOutcome};
pub use texts::{TextError, checked_sku, checked_text};
