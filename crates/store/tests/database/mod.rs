//! Transactions, and all tables at once.

mod contents;
mod transactions;
