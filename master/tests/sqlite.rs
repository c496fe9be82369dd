//! Tests of a database in a file: backups, its lock, its disk, its permissions. These tests use a SQLite file in any case, so they
//! are left out with `--skip sqlite::` where the suite runs on a server.

mod backups;
mod checks;
mod displaced;
mod full_disk;
mod locked;
mod masters;
mod read_only;
mod settings;
