//! The product inputs: configured sources, their files, the pages of each file, and rejected rows. A row type and its queries are
//! in the module of its table; what people read, with names in place of ids, is in the `…_views`.
//! Products do not belong here, see `catalog`; nor does what reports read from files, see `reports`.

mod file_views;
mod files;
mod pages;
mod reject_views;
mod rejects;
mod source_views;
mod sources;

pub use file_views::FileView;
pub use files::{FileOrigin, FileRow, FileState};
pub use pages::{PageContent, PageRow};
pub use reject_views::RejectView;
pub use rejects::RejectRow;
pub(crate) use rejects::next_reject_id;
pub use source_views::SourceView;
pub use sources::{SourcePass, SourceRow, SourceState};
