//! Product feeds, from the bytes of a file to rows of `products` and `aggr`: read, merge, apply.
//!
//! Code that decides what the rows of feeds change belongs here. What is the same for every reader is in `input`.

mod adopt;
mod adopt_catalog;
mod ahead;
mod apply;
mod brake;
mod catalog;
mod causes;
mod change_json;
mod changes;
mod convert;
mod faults;
mod feed;
mod order;
mod origins;
mod parts;
mod read;
mod recorder;
mod row_changes;

pub use adopt::WouldDropSources;
pub(crate) use adopt::{Adopted, StoredSource, adopt, adopt_last, check_dropped, drop_source};
pub(crate) use adopt_catalog::adopt_catalog;
pub(crate) use apply::{Applied, RowCounts, SourceVersion, apply, apply_in, counts, note_pass};
pub(crate) use brake::{Held, HoldWait, is_of_gone_source};
pub use catalog::NoColumn;
pub(crate) use catalog::{Catalog, FeedRules};
pub use change_json::ChangedValue;
pub(crate) use change_json::{ChangeJson, Changes, read_changes};
pub use changes::Written;
pub(crate) use changes::{EditedSku, choose_edited, current_offers};
pub(crate) use convert::{edit, edit_row, own_texts};
pub(crate) use faults::Faults;
pub(crate) use feed::Feed;
pub(crate) use parts::Memory;
pub(crate) use read::{Accepted, ArrivingFile, FileReader, FileVersion, Outcome};
pub(crate) use recorder::ChangeOrigin;
