//! The products: offers, winners, edits, names and their counts. Each table has a module with its row type
//! and writes. People read through the `…_views`, the merge through `sku_rows`.
//! Files and sources do not belong here, see `inputs`; nor does any rule of who wins, which is the merge crate's.

mod aggr;
mod edits;
mod name_views;
mod product_views;
mod products;
mod shadowed;
mod sku_rows;
mod tally;

pub use aggr::AggrRow;
pub use edits::EditRow;
pub use name_views::AggrOrder;
pub use product_views::{ProductFilter, ProductView};
pub use products::ProductRow;
pub use shadowed::ShadowedRow;
pub use sku_rows::SkuRows;
pub use tally::Tally;
