//! The built `readdb`: its output in each format, its exit codes, reading beside a writer, and following one. The store creates the
//! databases.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    str::FromStr,
};

use tempfile::TempDir;
use tributary_config::PRODUCTS;
use tributary_store::{
    DatabaseUrl, EditRow, FileRow, FileState, ProductRow, RejectRow, SourcePass, SourceState, Store,
};
use tributary_testkit::process;

mod formats;
mod tables;
mod usage;
mod watch;

/// A database with some of everything.
struct Database {
    folder: TempDir,
    store: Store,
}

/// A text that every format must preserve: separators, quotes, line breaks, an escape sequence, a formula.
const AWKWARD: &str = "=a, \"b\"\r\nc\t\u{1b}[31m ä ";

impl Database {
    fn new() -> Database {
        let folder = TempDir::new().unwrap();
        let url = DatabaseUrl::from_str(folder.path().join("database.db").to_str().unwrap()).unwrap();
        let mut database = Database { store: Store::open(&url).unwrap(), folder };
        database.fill();
        database
    }

    fn fill(&mut self) {
        let store = &mut self.store;
        let source_id = store.put_source("north", "http://127.0.0.1:5001", 0, 0).unwrap();
        store.put_source("south", "http://127.0.0.1:5002", 0, 1).unwrap();
        let pass = SourcePass {
            state: SourceState::Rejected,
            error: None,
            version: Some(Some("v1".to_owned())),
            last_sensed: Some("2026-11-22T10:00:00Z".to_owned()),
            last_applied: None,
        };
        store.set_source_pass(source_id, &pass).unwrap();
        let file_id = store.put_file(&mut file(source_id)).unwrap();
        let reject = RejectRow { line: 3, byte_offset: 20, reason: "no sku".to_owned(), raw: AWKWARD.to_owned() };
        store.replace_rejects(file_id, false, &[reject]).unwrap();
        let offered = |sku: &str, name: &str, description: &str| ProductRow {
            sku: sku.to_owned(),
            name: name.to_owned(),
            description: description.to_owned(),
            file_id: Some(file_id),
            edited: false,
            own: None,
        };
        let alone = ProductRow { file_id: None, edited: true, ..offered("b", "blue", "") };
        store.insert_products(&[offered("B", "red", AWKWARD), offered("a", "red", ""), alone], 0).unwrap();
        store.add_to_aggr(&[("blue".to_owned(), 1), ("red".to_owned(), 2)]).unwrap();
        store.put_edit(&edit("b", Some("blue"))).unwrap();
        store.put_edit(&edit("x", None)).unwrap();
    }

    /// Runs `readdb` in the folder of the database.
    fn readdb(&self, words: &str) -> Output {
        readdb_in(self.folder.path(), words).output().unwrap()
    }
}

fn file(source_id: i64) -> FileRow {
    FileRow {
        hash: Some("blake3:00".to_owned()),
        reading: Some("r".to_owned()),
        size_bytes: 1_234,
        row_count: 3,
        results: 2,
        rejects: 1,
        state: FileState::Rejected,
        rejected_hash: Some("blake3:01".to_owned()),
        rejected_reading: Some("r".to_owned()),
        rejected_reason: Some("no header".to_owned()),
        ..FileRow::new(PRODUCTS, source_id, "a/b.csv")
    }
}

fn edit(sku: &str, name: Option<&str>) -> EditRow {
    EditRow {
        sku: sku.to_owned(),
        name: name.map(str::to_owned),
        description: None,
        own: None,
        hidden: name.is_none(),
        stands: name.is_some(),
        edited_at: "2026-11-22T10:00:00Z".to_owned(),
        edited_by: Some("ann".to_owned()),
    }
}

fn readdb_in(folder: &Path, words: &str) -> Command {
    let mut command = process::command("readdb", folder);
    command.args(words.split_whitespace()).stdin(Stdio::null());
    command
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}
