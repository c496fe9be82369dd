//! What only SQLite knows: opening, locking, migrating, many rows per statement.

mod bulk;
mod lock;
mod migrations;
mod open;
mod rooms;
