//! From what a source holds to rows of the database: plan, fetch, gate, merge, apply.

mod adopt;
mod apply;
mod changes;
mod convert;
mod fetch;
mod plan;
mod read;
mod reading;
mod spool;

pub(crate) use adopt::{Stored, adopt};
pub(crate) use apply::{Applied, SourceVersion, apply, note_pass};
pub(crate) use changes::{Written, current_offers, ranks, write_merged};
pub(crate) use convert::{edit, edit_row};
pub(crate) use fetch::{FetchError, Received, causes, receive};
pub(crate) use plan::{Plan, plan};
pub(crate) use read::{Accepted, FileVersion, Outcome, read};
pub(crate) use reading::reading;
pub(crate) use spool::{Place, Spool, Spooled};
