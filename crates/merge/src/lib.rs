//! Offers to winners to what changes in `products` and `aggr`. It opens nothing itself and knows no clock, no tokio and no
//! diesel. Rows stream through it in order of sku, the rule for one sku is plain Rust, and polars sums the names.
//!
//! A file becomes a [`Run`]: its offers, one a sku, sorted by sku, in memory or in a spool that it is handed. A run is cut into
//! [`Page`]s of (sku, content hash), and [`touched`] compares them with the pages that were applied before: what comes out are
//! the skus that this file changes. [`Batches`] goes through those of several files together, and [`merge`] takes each batch,
//! with what the database holds for the same skus, and says which rows have to be written.
#![warn(missing_docs)]

mod batch;
mod budget;
mod chunk;
mod delta;
mod edit;
mod error;
mod heap;
mod names;
mod page;
mod page_diff;
mod place;
mod rank;
mod record;
mod run;
mod spill;

pub use batch::{Batch, Batches};
pub use budget::Budget;
pub use delta::{Before, Changes, Delta, current_offers, merge};
pub use edit::{EditChange, change_edit};
pub use error::Error;
pub use names::{NameMoves, SummedNames};
pub use page::{Page, line_of};
pub use page_diff::{PagePlan, Touched, plan_pages, touched};
pub use place::{Edit, Offer, Placement, Product, place};
pub use rank::{RankedFile, Ranks};
pub use run::{Run, RunBuilder};
pub use spill::Spill;

/// The number of what this crate makes of a file. It is part of every file's `reading`, so that raising it makes every
/// file be read again. A new shape of pages has to read the old one too, or to come with a migration that empties the
/// catalog: stored pages are compared before they are replaced.
pub const FORMAT: u32 = 2;
