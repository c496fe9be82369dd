//! Turns offers into winners, and winners into row changes for `products` and `aggr`. The crate opens no files of its own and
//! knows no clock, no tokio and no diesel.
//!
//! 1. [`RunBuilder`] sorts the offers of one file by sku into a [`Run`], in memory or in spill files that the caller provides.
//! 2. A run is cut into [`Page`]s of (sku, content hash). [`diff_pages`] and [`compare_pages`] compare them with the pages
//!    applied before and return the skus that the file changes. Of a file of which only parts were read, a [`Patch`] does both.
//! 3. [`Batches`] merges the changes of several files in order of sku.
//! 4. [`merge`] compares each batch with what the database holds for the same skus and returns the rows to write.
//! 5. [`NameDeltas`] adds up how the count of each name changes. They are grouped in the hash table of polars.
#![warn(missing_docs)]

mod batch;
mod chunk;
mod delta;
mod edit;
mod error;
mod merge_heap;
mod names;
mod offer;
mod page;
mod page_diff;
mod patch;
mod rank;
mod recency;
mod record;
mod resolve;
mod run;
mod spill;
mod survivorship;
mod texts;
mod withdrawn;

pub use batch::{Batch, Batches};
pub use delta::{Delta, StoredRows, TableChanges, current_offers, merge};
pub use edit::{EditChange, change_edit};
pub use error::Error;
pub use names::{NameDeltas, SummedNameDeltas};
pub use offer::{Edit, EditTexts, Offer, Product};
pub use page::{Page, line_of};
pub use page_diff::{FileChanges, PageDiff, compare_pages, diff_pages};
pub use patch::{MovedLines, Patch, PatchedPages};
pub use rank::{RankedFile, Ranks};
pub use recency::Recency;
pub use run::{Run, RunBuilder};
pub use spill::SpillFiles;
pub use survivorship::Survivorship;
pub use texts::{DESCRIPTION, NAME, Texts};
pub use withdrawn::withdrawn;

/// Version of the pages and content hashes that this crate computes. It is part of every file's `reading`, so raising it makes
/// the master read every file again. A new page layout must also be able to read the old one, or come with a migration that
/// empties the catalog: stored pages are compared before they are replaced.
pub const FORMAT_VERSION: u32 = 3;
