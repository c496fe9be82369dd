//! Transactions, pooled readers, and all tables at once.

mod contents;
mod reader_pool;
mod transactions;
