//! The inputs: configured sources with their held versions, their files as each reader knows them, the pages of product feeds, rejected
//! rows, which files are plain, and the queues of a broker. Each table has a module with its row type and queries. People read through the `…_views`, with names in place of
//! ids. What files give does not belong here but in `catalog` and `reports`; who the readers are, only the caller knows.

mod file_parts;
mod file_sums;
mod file_views;
mod files;
mod held_versions;
mod pages;
mod path_starts;
mod plain_files;
mod queues;
mod reject_views;
mod rejected_files;
mod rejects;
mod source_views;
mod sources;

pub use file_sums::FileSums;
pub use file_views::{FileFilter, FileView};
pub use files::{FileOrigin, FileRow, FileState, MAX_REJECTED_FILES};
pub use held_versions::HeldVersionRow;
pub use pages::{PageContent, PageRow};
pub use plain_files::PlainFileRow;
pub use queues::QueueRow;
pub use reject_views::{RejectFilter, RejectPage, RejectView};
pub use rejected_files::RejectedFileView;
pub use rejects::RejectRow;
pub use source_views::SourceView;
pub use sources::{SourcePass, SourceRow, SourceState};
