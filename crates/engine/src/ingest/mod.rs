//! Product feeds, from the bytes of a file to rows of `products` and `aggr`: plan, read, merge, apply.
//!
//! Code that decides which files to read, or what their rows change, belongs here. Asking sources and reports do not.

mod adopt;
mod apply;
mod brake;
mod changes;
mod convert;
mod order;
mod plan;
mod read;
mod reading;

pub use adopt::WouldDropSources;
pub(crate) use adopt::{Adopted, StoredSource, adopt, adopt_last, check_dropped, drop_source};
pub(crate) use apply::{Applied, RowCounts, SourceVersion, apply, apply_in, counts, note_pass};
pub(crate) use brake::{Held, held_until, is_of_gone_source};
pub use changes::Written;
pub(crate) use changes::{choose_one, current_offers};
pub(crate) use convert::{edit, edit_row};
pub(crate) use plan::{FileToRead, Plan, Rank, plan};
pub(crate) use read::{Accepted, ArrivingFile, FileReader, FileVersion, Outcome};
pub(crate) use reading::reading;
