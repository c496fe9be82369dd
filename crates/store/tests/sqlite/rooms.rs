//! The border of the room `sqlite`: what only one kind of database understands stands in its room.

use std::{fs, path::Path};

/// The room that dispatches: it names the variant of each kind.
const DISPATCHER: &str = "database/";

fn rust_files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn only_the_room_of_sqlite_and_the_dispatcher_name_its_types() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    assert!(files.len() > 30, "{files:?}");
    for file in files {
        let name = file.strip_prefix(&source).unwrap().to_str().unwrap().to_owned();
        if name.starts_with("sqlite/") || name.starts_with(DISPATCHER) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for word in [
                "diesel::sqlite",
                "SqliteConnection",
                "Sqlite>",
                "AnyConnection::Sqlite",
                "PRAGMA",
                "pragma_",
                "sqlite_schema",
            ] {
                assert!(!line.contains(word), "{name}, line {number} names `{word}`; it belongs into src/sqlite");
            }
        }
    }
}
