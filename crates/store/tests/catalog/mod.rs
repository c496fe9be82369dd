//! Products, offers, edits and names.

mod aggr;
mod edits;
mod own_columns;
mod products;
mod sku_rows;
mod views;
