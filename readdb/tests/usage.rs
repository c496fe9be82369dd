//! Exit codes, the search for the database, and a run beside a writer or without a reader.

use std::{fs, io::Read, process::Stdio};

use tempfile::TempDir;
use tributary_store::{Error, ProductRow};

use crate::{Database, readdb_in, stdout};

#[test]
fn wrong_usage_exits_with_2_and_a_failure_with_1() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("text.db"), "sku,name\n".repeat(1_000)).unwrap();
    let check = |words: &str, code: i32, part: &str| {
        let output = readdb_in(folder.path(), words).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{words}: {stderr}");
        assert!(stderr.contains(part), "{words}: {stderr}");
        assert_eq!(output.stdout, b"", "{words}");
    };
    check("", 1, "error: there is no database at database.db; `starter --database-url database.db` sets one up");
    check("aggr --database-url none/x.db", 1, "there is no database at none/x.db");
    check("--database-url text.db", 1, "text.db is not a SQLite database");
    check("--database-url .", 1, "is a folder");
    check("--database-url postgres://me:secret@host", 2, "names no database");
    check("nothing", 2, "invalid value 'nothing'");
    check("aggr --sku 1", 2, "--sku does not apply to names in aggr");
    check("edits --name a", 2, "--name does not apply to edits");
    check("--format csv", 2, "needs a table");
    check("changes", 2, "name the product, as in `readdb changes --sku 1`");
    check("report", 2, "name the report, as in `readdb report sales`");
    check("products sales", 2, "`sales` is one word too many");
    check("products --span day", 2, "--span and --source apply to `readdb history` only");
    check("held --watch --format json", 2, "--watch prints for people");
    check("--limit=-1", 2, "--limit");
    fs::write(folder.path().join("tributary.toml"), "listen = 1\nbroken [\n").unwrap();
    check("", 2, "tributary.toml, line 2: ");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing was created");
}

#[test]
fn help_and_version_succeed() {
    let folder = TempDir::new().unwrap();
    let check = |words: &str, part: &str| {
        let text = stdout(&readdb_in(folder.path(), words).output().unwrap());
        assert!(text.contains(part), "{words}: {text}");
    };
    check("--help", "--limit <N>");
    check("--version", concat!("readdb ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_flag_beats_the_variables_which_beat_the_file() {
    let database = Database::new();
    let folder = TempDir::new().unwrap();
    let path = database.folder.path().join("database.db");
    let good = path.to_str().unwrap();
    let succeeds = |flag: &str, strong: &str, weak: &str, file: &str| {
        fs::write(folder.path().join("tributary.toml"), format!("database_url = {file:?}\n")).unwrap();
        let words = if flag.is_empty() { String::new() } else { format!("--database-url {flag}") };
        let mut command = readdb_in(folder.path(), &words);
        command.env("TRIBUTARY_DATABASE_URL", strong).env("DATABASE_URL", weak);
        command.output().unwrap().status.success()
    };
    assert!(succeeds(good, "no.db", "no.db", "no.db"));
    assert!(succeeds("", good, "no.db", "no.db"));
    assert!(succeeds("", "", good, "no.db"));
    assert!(succeeds("", "", "", good));
    assert!(!succeeds("no.db", good, good, good));
    assert!(!succeeds("", "no.db", good, good));
    assert!(!succeeds("", "", "no.db", good));
}

#[test]
fn it_reads_the_last_version_while_another_is_being_applied() {
    let mut database = Database::new();
    let folder = database.folder.path().to_owned();
    let read = || stdout(&readdb_in(&folder, "products --sku new --format csv").output().unwrap());
    let header = "sku,name,description,source,file,edited\n";
    let row = ProductRow {
        sku: "new".to_owned(),
        name: "n".to_owned(),
        description: String::new(),
        file_id: None,
        edited: true,
        own: None,
    };
    database
        .store
        .transaction::<_, Error>(|store| {
            store.insert_products(&[row], 0)?;
            assert_eq!(read(), header);
            Ok(())
        })
        .unwrap();
    assert_eq!(read(), format!("{header}new,n,\"\",,,true\n"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut database = Database::new();
    let rows: Vec<ProductRow> = (0..20_000)
        .map(|number| ProductRow {
            sku: format!("z{number:06}"),
            name: "name".to_owned(),
            description: "far more than any pipe holds".to_owned(),
            file_id: None,
            edited: true,
            own: None,
        })
        .collect();
    database.store.transaction::<_, Error>(|store| store.insert_products(&rows, 0)).unwrap();
    for words in ["--limit 100000", "--format csv", "--format json"] {
        let mut child = readdb_in(database.folder.path(), &format!("products {words}"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0; 1];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{words}: {output:?}");
        assert_eq!(output.stderr, b"", "{words}");
    }
}

#[test]
fn logs_go_to_stderr_in_the_requested_format() {
    let database = Database::new();
    let logs = |words: &str| {
        let output = readdb_in(database.folder.path(), words).env("RUST_LOG", "debug").output().unwrap();
        assert!(serde_json::from_slice::<serde_json::Value>(&output.stdout).is_ok(), "stdout holds only the result");
        String::from_utf8(output.stderr).unwrap()
    };
    let text = logs("aggr --format json");
    assert!(text.contains("opened database.db") && !text.contains('\u{1b}'), "{text:?}");
    let json = logs("aggr --format json --log-format json");
    assert!(!json.is_empty());
    for line in json.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
}
