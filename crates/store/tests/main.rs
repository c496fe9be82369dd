//! The store on real database files. The modules mirror the rooms of the crate; the helpers that they share are here.

// A helper of a test may panic as the test itself may; clippy only knows the functions marked `#[test]`.
#![allow(clippy::unwrap_used)]

use std::{
    str::FromStr,
    sync::atomic::{AtomicUsize, Ordering},
};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use tempfile::TempDir;
use tributary_store::{
    DatabaseUrl, EditRow, FileRow, PageRow, ProductFilter, ProductRow, ProductView, ShadowedRow, Store,
};

mod catalog;
mod client;
mod database;
mod documents;
mod history;
mod inputs;
mod postgres;
mod recorded;
mod reports;
mod sqlite;

/// A database in a folder of its own, which is deleted with it; or in a schema of its own of the server that `server` names.
struct Database {
    url: DatabaseUrl,
    store: Store,
    folder: TempDir,
    schema: Schema,
}

/// The schema of a database on the server, which is deleted with it; empty for a file.
struct Schema(String);

impl Drop for Schema {
    fn drop(&mut self) {
        if let Some(server) = server().filter(|_| !self.0.is_empty()) {
            on_server(&server, &format!("SET lock_timeout = '5s'; DROP SCHEMA {} CASCADE", self.0));
        }
    }
}

/// The URL of a PostgreSQL database for tests, `postgres://USER@HOST/NAME`. With it, the tests outside `sqlite` run there.
const SERVER: &str = "TRIBUTARY_TEST_POSTGRES";

fn server() -> Option<String> {
    std::env::var(SERVER).ok().filter(|url| !url.is_empty())
}

impl Database {
    fn new() -> Database {
        static SCHEMAS: AtomicUsize = AtomicUsize::new(0);
        let folder = TempDir::new().unwrap();
        let mut schema = Schema(String::new());
        let url = match server() {
            None => url_of(&folder, "database.db"),
            Some(server) => {
                schema.0 = format!("test_{}_{}", std::process::id(), SCHEMAS.fetch_add(1, Ordering::Relaxed));
                on_server(&server, &format!("CREATE SCHEMA {}", schema.0));
                format!("{server}?options=-csearch_path%3D{}", schema.0).parse().unwrap()
            }
        };
        Database { store: Store::open(&url).unwrap(), url, folder, schema }
    }

    fn client(&self) -> client::Client {
        match self.url.file() {
            Some(path) => client::Client::File(diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap()),
            None => {
                let mut client = PgConnection::establish(&server().unwrap()).unwrap();
                client.batch_execute(&format!("SET search_path = {}", self.schema.0)).unwrap();
                client::Client::Server(client)
            }
        }
    }

    /// A SQLite file, whatever the others are.
    fn file() -> Database {
        let folder = TempDir::new().unwrap();
        let url = url_of(&folder, "database.db");
        Database { store: Store::open(&url).unwrap(), url, folder, schema: Schema(String::new()) }
    }

    /// Adds a source with one file `a.csv` of the reader [`FEED`], and returns the file's id.
    fn file_of(&mut self, source: &str) -> i64 {
        let source_id = self.store.put_source(source, "http://127.0.0.1:5001", 0, 0).unwrap();
        put(&mut self.store, FEED, source_id, "a.csv")
    }

    fn products(&mut self) -> Vec<ProductView> {
        self.store.products_page(&ProductFilter::default(), None, i64::MAX).unwrap()
    }
}

fn on_server(server: &str, statement: &str) {
    PgConnection::establish(server).unwrap().batch_execute(statement).unwrap();
}

/// The reader that most tests write files of. To the store it is only a text.
const FEED: &str = "feed";

/// Stores a new file, and returns its id.
fn put(store: &mut Store, reader: &str, source: i64, path: &str) -> i64 {
    store.put_file(&mut FileRow::new(reader, source, path)).unwrap()
}

fn url_of(folder: &TempDir, name: &str) -> DatabaseUrl {
    DatabaseUrl::from_str(folder.path().join(name).to_str().unwrap()).unwrap()
}

fn product(sku: &str, name: &str) -> ProductRow {
    ProductRow {
        sku: sku.to_owned(),
        name: name.to_owned(),
        description: String::new(),
        file_id: None,
        edited: false,
        own: None,
    }
}

fn shadowed(sku: &str, file_id: i64) -> ShadowedRow {
    ShadowedRow {
        sku: sku.to_owned(),
        file_id,
        deletes: false,
        name: format!("name of {sku}"),
        description: String::new(),
        own: None,
    }
}

fn edit(sku: &str) -> EditRow {
    EditRow {
        sku: sku.to_owned(),
        name: None,
        description: None,
        own: None,
        hidden: false,
        stands: false,
        edited_at: "2026-11-22T10:00:00Z".to_owned(),
        edited_by: Some("ann".to_owned()),
    }
}

fn page(first_sku: &str, content: u8) -> PageRow<'_> {
    let bytes = |count| vec![content; count].leak();
    PageRow { first_sku, digest: bytes(16), entries: bytes(20_000), lines: bytes(3) }
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
