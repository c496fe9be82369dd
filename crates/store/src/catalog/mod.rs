//! The products: offers, winners, edits, names and their counts. A row type and its writes are in the module of its table; what
//! people read is in the `…_views`; `sku_rows` reads the rows that the merge starts from.
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
pub use sku_rows::State;
pub use tally::Tally;
