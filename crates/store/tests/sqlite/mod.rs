//! SQLite's own part: opening, locking, migrating, many rows per statement, query plans.

mod bulk;
mod lock;
mod migrations;
mod open;
mod plans;
mod rooms;
mod share_files;
mod snapshot;
