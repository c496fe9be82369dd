//! The built `starter`: it creates, runs again, empties, respects the lock of a database in use, returns the documented exit codes,
//! and runs the demo.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

mod demo;

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    str::FromStr,
};

use tempfile::TempDir;
use tributary_store::{DatabaseUrl, Lock, ProductRow, Store};
use tributary_testkit::process;

fn starter(folder: &Path, words: &str) -> Command {
    let mut command = process::command("starter", folder);
    command.args(words.split_whitespace()).stdin(Stdio::null());
    command
}

fn run(folder: &Path, words: &str) -> Output {
    starter(folder, words).output().unwrap()
}

/// Returns the number that a successful run prints after `products`.
fn products(output: &Output) -> u64 {
    assert!(output.status.success(), "{output:?}");
    let text = std::str::from_utf8(&output.stdout).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("products ")).unwrap_or_else(|| panic!("{text}"));
    line.trim().parse().unwrap()
}

fn url_in(folder: &TempDir) -> DatabaseUrl {
    DatabaseUrl::from_str(folder.path().join("database.db").to_str().unwrap()).unwrap()
}

fn insert(store: &mut Store, sku: &str) {
    let row = ProductRow {
        sku: sku.to_owned(),
        name: "name".to_owned(),
        description: String::new(),
        file_id: None,
        edited: true,
        own: None,
    };
    store.insert_products(&[row], 0).unwrap();
}

#[test]
fn it_creates_the_database_once_and_keeps_what_is_in_it() {
    let folder = TempDir::new().unwrap();
    assert_eq!(products(&run(folder.path(), "")), 0);
    assert!(!Store::needs_setup(&url_in(&folder)).unwrap());
    insert(&mut Store::open(&url_in(&folder)).unwrap(), "1");
    assert_eq!(products(&run(folder.path(), "")), 1);
    assert_eq!(products(&run(folder.path(), "--reset")), 0);
    assert_eq!(products(&run(folder.path(), "")), 0);
}

#[test]
fn it_prints_the_row_count_of_each_table() {
    let folder = TempDir::new().unwrap();
    let output = run(folder.path(), "");
    let text = String::from_utf8(output.stdout).unwrap();
    let words: Vec<&str> = text.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(words, ["database.db", "products", "aggr", "sources", "files", "rejects", "edits", "shadowed"]);
}

#[test]
fn a_database_in_use_is_neither_emptied_nor_migrated_but_still_shown() {
    let folder = TempDir::new().unwrap();
    let url = url_in(&folder);
    let refused = |words: &str| {
        let output = run(folder.path(), words);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words}: {stderr}");
        let holder = format!("database.db is in use by master --once, process {}, since ", std::process::id());
        assert!(stderr.contains(&holder), "{words}: {stderr}");
    };
    let lock = Lock::acquire(&url, "master --once").unwrap();
    refused("");
    let mut store = Store::open(&url).unwrap();
    insert(&mut store, "1");
    refused("--reset");
    assert_eq!(products(&run(folder.path(), "")), 1, "reading needs no lock");
    drop(lock);
    assert_eq!(products(&run(folder.path(), "--reset")), 0);
}

#[test]
fn wrong_usage_exits_with_2_and_a_failure_with_1() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("text.db"), "sku,name\n".repeat(1_000)).unwrap();
    let check = |words: &str, code: i32, part: &str| {
        let output = run(folder.path(), words);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{words}: {stderr}");
        assert!(stderr.contains(part), "{words}: {stderr}");
        assert_eq!(output.stdout, b"", "{words}");
    };
    check("--database-url none/x.db", 1, "cannot create none/x.db: its folder does not exist");
    check("--database-url none/x.db --reset", 1, "its folder does not exist");
    check("--database-url text.db", 1, "text.db is not a SQLite database");
    check("--database-url text.db --reset", 1, "text.db is not a SQLite database");
    check("--database-url .", 1, "is a folder");
    check("--database-url postgres://h", 2, "names no database");
    check("--force", 2, "unexpected argument");
    fs::write(folder.path().join("tributary.toml"), "database_url = 5\n").unwrap();
    check("", 2, "tributary.toml, line 1: database_url: invalid type");
    assert_eq!(fs::read_to_string(folder.path().join("text.db")).unwrap(), "sku,name\n".repeat(1_000));
}

#[test]
fn help_version_and_a_reader_that_goes_away_succeed() {
    let folder = TempDir::new().unwrap();
    for (words, part) in [("--help", "--reset"), ("--version", concat!("starter ", env!("CARGO_PKG_VERSION")))] {
        let output = run(folder.path(), words);
        assert!(output.status.success() && String::from_utf8(output.stdout).unwrap().contains(part), "{words}");
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = starter(folder.path(), "").stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn logs_go_to_stderr_in_the_requested_format() {
    let folder = TempDir::new().unwrap();
    let output = starter(folder.path(), "--log-format json").env("RUST_LOG", "info").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("set up the schema"), "{stderr}");
    for line in stderr.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
}
