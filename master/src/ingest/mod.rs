//! From what a source holds to rows of the database: plan, fetch, gate, merge, apply.

mod adopt;
mod apply;
mod arrival;
mod changes;
mod convert;
mod fetch;
mod plan;
mod read;
mod reading;
mod spool;

pub(crate) use adopt::{Stored, adopt, adopt_last};
pub(crate) use apply::{Applied, SourceVersion, apply, note_pass};
pub(crate) use arrival::{Core, Follower, Incoming};
pub(crate) use changes::{Written, choose_one, current_offers};
pub(crate) use convert::{edit, edit_row};
pub(crate) use fetch::{FetchError, Received, causes, receive};
pub(crate) use plan::{Plan, plan};
pub(crate) use read::{Accepted, Arriving, FileVersion, Outcome, Reader};
pub(crate) use reading::reading;
pub(crate) use spool::{Place, Spool, Spooled};
