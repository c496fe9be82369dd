//! Products, offers, edits and names.

mod aggr;
mod edits;
mod operation_messages;
mod own_columns;
mod products;
mod sku_rows;
mod views;
