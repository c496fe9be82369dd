//! Products, offers, edits and names.

mod aggr;
mod edits;
mod products;
mod sku_rows;
mod views;
