//! The product inputs: configured sources with their held versions, their files, the pages of each file, and rejected rows. Each table has a module with
//! its row type and queries. People read through the `…_views`, with names in place of ids.
//! Products do not belong here but in `catalog`, and the files of reports in `reports`.

mod file_views;
mod files;
mod held_versions;
mod pages;
mod reject_views;
mod rejects;
mod source_views;
mod sources;

pub use file_views::FileView;
pub use files::{FileOrigin, FileRow, FileState};
pub use held_versions::HeldVersionRow;
pub use pages::{PageContent, PageRow};
pub use reject_views::{RejectCursor, RejectView};
pub use rejects::RejectRow;
pub(crate) use rejects::next_reject_id;
pub use source_views::SourceView;
pub use sources::{SourcePass, SourceRow, SourceState};
