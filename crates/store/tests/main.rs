//! The store on real database files. Each module mirrors one of the crate; here is what they share.

// A helper of a test may panic as the test itself may; clippy only knows the functions marked `#[test]`.
#![allow(clippy::unwrap_used)]

use std::str::FromStr;

use tempfile::TempDir;
use tributary_store::{DatabaseUrl, EditRow, ProductFilter, ProductRow, ProductView, ShadowedRow, Store};

mod aggr;
mod bulk;
mod catalog;
mod lock;
mod open;
mod report_files;
mod report_table;
mod schema;
mod state;
mod uploads;
mod views;

/// A database in a folder of its own, which goes away with it.
struct Database {
    url: DatabaseUrl,
    store: Store,
    folder: TempDir,
}

impl Database {
    fn new() -> Database {
        let folder = TempDir::new().unwrap();
        let url = url_of(&folder, "database.db");
        Database { store: Store::open(&url).unwrap(), url, folder }
    }

    /// A second source of the given name with one file `a.csv`; gives the file's id.
    fn file(&mut self, source: &str) -> i64 {
        let source_id = self.store.put_source(source, "http://127.0.0.1:5001", 0, 0).unwrap();
        self.store.insert_file(source_id, "a.csv").unwrap().id
    }

    fn products(&mut self) -> Vec<ProductView> {
        self.store.products_page(&ProductFilter::default(), None, i64::MAX).unwrap()
    }
}

fn url_of(folder: &TempDir, name: &str) -> DatabaseUrl {
    DatabaseUrl::from_str(folder.path().join(name).to_str().unwrap()).unwrap()
}

fn product(sku: &str, name: &str) -> ProductRow {
    ProductRow { sku: sku.to_owned(), name: name.to_owned(), description: String::new(), file_id: None, edited: false }
}

fn shadowed(sku: &str, file_id: i64) -> ShadowedRow {
    ShadowedRow {
        sku: sku.to_owned(),
        file_id,
        deletes: false,
        name: format!("name of {sku}"),
        description: String::new(),
    }
}

fn edit(sku: &str) -> EditRow {
    EditRow {
        sku: sku.to_owned(),
        name: None,
        description: None,
        hidden: false,
        stands: false,
        edited_at: "2026-11-22T10:00:00Z".to_owned(),
    }
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
