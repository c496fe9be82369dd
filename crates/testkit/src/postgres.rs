//! Schemas on the PostgreSQL server of the tests, each in place of a database.

use std::{
    panic,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use crate::process::{stderr, stdout};

/// The variable with the URL of a PostgreSQL database for tests, `postgres://USER@HOST/NAME`. `cargo xtask services` sets it.
pub const VARIABLE: &str = "TRIBUTARY_TEST_POSTGRES";

/// Returns the URL of the server's database, if [`VARIABLE`] names one.
#[must_use]
pub fn server() -> Option<String> {
    std::env::var(VARIABLE).ok().filter(|url| !url.is_empty())
}

/// A schema of its own, which is deleted when this is dropped.
pub struct Schema {
    server: String,
    name: String,
    /// The URL with which a program sees this schema only.
    pub url: String,
}

impl Schema {
    /// Creates an empty schema in the database `server`.
    ///
    /// # Panics
    /// The server cannot be used, or there is no `psql`.
    #[must_use]
    pub fn create(server: &str) -> Self {
        static SCHEMAS: AtomicUsize = AtomicUsize::new(0);
        let name = format!("test_{}_{}", std::process::id(), SCHEMAS.fetch_add(1, Ordering::Relaxed));
        let url = format!("{server}?options=-csearch_path%3D{name}");
        let schema = Self { server: server.to_owned(), name, url };
        schema.psql(&format!("CREATE SCHEMA {}", schema.name));
        schema
    }

    /// Runs a statement as a client that is none of ours, and returns what it prints.
    ///
    /// # Panics
    /// It fails.
    pub fn psql(&self, statement: &str) -> String {
        let ran = Command::new("psql")
            .args(["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-c", &format!("SET search_path = {}", self.name)])
            .args(["-c", statement, &self.server])
            .output()
            .expect("psql can be run");
        assert!(ran.status.success(), "{statement}: {}", stderr(&ran));
        stdout(&ran)
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let delete = || self.psql(&format!("DROP SCHEMA {} CASCADE", self.name));
        // A panic within a panic would end all tests, and hide the first one.
        if thread::panicking() {
            let _ = panic::catch_unwind(delete);
        } else {
            delete();
        }
    }
}
