//! The products: offers, winners, edits, names and their counts, and which columns they have. Each table has a module with its row type
//! and writes. People read through the `…_views`, the merge through `sku_rows`.
//! Files and sources do not belong here, see `inputs`; nor does any rule of who wins, which is the merge crate's.

mod aggr;
mod edits;
mod name_views;
mod operation_messages;
mod own;
mod own_columns;
mod product_order;
mod product_views;
mod products;
mod settings;
mod shadowed;
mod sku_rows;
mod tally;

pub use aggr::AggrRow;
pub use edits::EditRow;
pub use name_views::AggrOrder;
pub use own::{own_edits, read_own, write_own};
pub use product_order::{ProductOrder, ProductPlace};
pub use product_views::{ColumnFilter, Comparison, MAX_PAGE_BYTES, ProductFilter, ProductView, SkuRange};
pub use products::ProductRow;
pub use settings::{CatalogColumn, CatalogSettings};
pub use shadowed::ShadowedRow;
pub use sku_rows::SkuRows;
pub use tally::Tally;
