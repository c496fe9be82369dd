//! Events, and changes of products.

mod events;
mod product_changes;
