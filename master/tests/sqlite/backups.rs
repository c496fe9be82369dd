//! `starter backup` and `starter restore`: what was saved while the master ran comes back as it was at one moment, and nothing else is
//! ever put in place.

mod killed;
mod refused;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use serde_json::Value;
use tributary_testkit::{feed, http, process, wait};

use crate::system::System;

const CONFIGURATION: &str = "
[[report]]
name = \"orders\"
files = \"orders/**\"
feed = true
group_by = \"name\"
metrics = { rows = \"count()\" }
[uploads]
keep_free = \"0B\"
";

/// Tables that `readdb` prints.
const TABLES: [&str; 8] = ["products", "aggr", "sources", "files", "rejects", "edits", "history", "reports"];

/// A master with a source, edits, a report and uploads, of which one was replaced and one has rejects.
fn filled() -> System {
    let mut system = System::of_file();
    let mut rows = Vec::new();
    feed::write(&mut rows, 3_000, 0, 1).unwrap();
    system.write("north", "feed.csv", rows);
    system.write("north", "more.csv", "sku,name,description\nA1,Pen,blue\nA2\n");
    let url = system.serve("north");
    system.configure(&format!("[[source]]\nname = \"north\"\nurl = \"{url}\"\n{CONFIGURATION}"));
    system.start_master(&[]);
    system.sync();
    put(&system, "orders/1.csv", "sku,name\no1,Order\no2,Order\n");
    put(&system, "orders/1.csv", "sku,name\no1,Order\no3,Order\n");
    put(&system, "a%20b%25.csv", "sku,name\nu1,Upload\n,nothing\n");
    edit(&system, "A1", "Corrected");
    edit(&system, "mine", "Made by hand");
    system
}

fn put(system: &System, path: &str, body: &str) {
    let answer = system.ask("PUT", &format!("/api/v1/documents/{path}?wait=applied"), body);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn edit(system: &System, sku: &str, name: &str) {
    let body = format!("{{\"name\": {name:?}, \"description\": \"\"}}");
    let url = system.master_url(&format!("/api/v1/products/{sku}"));
    let answer = http::request("PUT", &url, &[("Content-Type", "application/json")], body.as_bytes()).unwrap();
    assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
}

fn starter(system: &System, args: &[&str]) -> Output {
    system.run("starter", args)
}

#[track_caller]
fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}{}", process::stdout(output), process::stderr(output));
    process::stdout(output)
}

#[track_caller]
fn fails(output: &Output, part: &str) {
    let told = process::stderr(output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(part), "{told}");
}

/// Takes a backup to a path in the system's folder.
#[track_caller]
fn backup(system: &System, to: &str) -> PathBuf {
    succeeds(&starter(system, &["backup", to]));
    system.home().join(to)
}

/// A folder with the configuration of another system and nothing else.
struct Elsewhere(tempfile::TempDir);

impl Elsewhere {
    fn new(system: &System) -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::copy(system.home().join("tributary.toml"), home.path().join("tributary.toml")).unwrap();
        Self(home)
    }

    fn run(&self, program: &str, args: &[&str]) -> Output {
        process::command(program, self.0.path()).args(args).output().unwrap()
    }

    fn restore(&self, from: &Path) -> Output {
        self.run("starter", &["restore", from.to_str().unwrap()])
    }

    fn database(&self) -> PathBuf {
        self.0.path().join("database.db")
    }

    /// All that is stored, by table; and the files of documents.
    fn contents(&self) -> Vec<(String, String)> {
        contents(&self.database(), |args| self.run("readdb", args))
    }

    /// Names in the folder.
    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        names
    }
}

fn contents(database: &Path, readdb: impl Fn(&[&str]) -> Output) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut print = |args: &[&str]| {
        let output = readdb(&[args, &["--format", "json", "--limit", "1000000"]].concat());
        found.push((args.join(" "), succeeds(&output)));
    };
    TABLES.iter().for_each(|table| print(&[table]));
    print(&["report", "orders"]);
    for sku in ["A1", "mine", "o1"] {
        print(&["changes", "--sku", sku]);
    }
    let mut files: Vec<_> = fs::read_dir(database.with_extension("db.uploads")).unwrap().map(Result::unwrap).collect();
    files.sort_by_key(fs::DirEntry::file_name);
    for file in files {
        found.push((file.file_name().into_string().unwrap(), fs::read_to_string(file.path()).unwrap()));
    }
    found
}

#[test]
fn everything_comes_back_and_the_master_goes_on_from_there() {
    let mut system = filled();
    system.stop_master();
    let before = contents(&system.file().unwrap(), |args| system.run("readdb", args));
    let saved = backup(&system, "b.tar.zst");
    system.start_master(&[]);
    system.sync();
    let uploads = system.json("/api/v1/uploads");
    let while_it_runs = backup(&system, "running.tar.zst");
    system.stop_master();

    for saved in [saved, while_it_runs] {
        let elsewhere = Elsewhere::new(&system);
        let told = succeeds(&elsewhere.restore(&saved));
        assert!(told.contains("restored database.db and 2 uploads as of 20"), "{told}");
        // A start of the master writes history, so only the tables of the first backup are the same.
        if saved.ends_with("b.tar.zst") {
            assert_eq!(elsewhere.contents(), before);
        }
        let names = elsewhere.names();
        assert!(names.iter().all(|name| !name.contains("restore")), "{names:?}");
        let mut command = process::command("master", elsewhere.0.path());
        command.args(["--listen", "127.0.0.1:0"]).env("RUST_LOG", "error");
        let master = process::Daemon::start(command);
        let there = http::get(&format!("{}/api/v1/uploads", master.url)).unwrap().1;
        assert_eq!(serde_json::from_slice::<Value>(&there).unwrap(), uploads);
        drop(master);
        succeeds(&elsewhere.run("starter", &["check"]));
    }
}

/// One client corrects a product and then sends an upload, over and over. So a moment in between has the correction of one turn and the
/// upload of the same or of the turn before, never anything else.
#[test]
fn a_backup_under_load_shows_one_moment() {
    const BACKUPS: usize = 6;
    let system = filled();
    let (turn, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let mut saved = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let number = turn.load(Ordering::Relaxed) + 1;
                edit(&system, "turn", &number.to_string());
                put(&system, "turn.csv", &format!("sku,name\nsent,{number}\n"));
                turn.store(number, Ordering::Relaxed);
            }
        });
        for number in 0..BACKUPS {
            let first = turn.load(Ordering::Relaxed);
            wait::until("the client goes on", || (turn.load(Ordering::Relaxed) > first).then_some(()));
            let least = turn.load(Ordering::Relaxed);
            let path = backup(&system, &format!("{number}.tar.zst"));
            saved.push((path, least, turn.load(Ordering::Relaxed) + 1));
        }
        is_over.store(true, Ordering::Relaxed);
    });
    for (path, least, most) in saved {
        let elsewhere = Elsewhere::new(&system);
        succeeds(&elsewhere.restore(&path));
        succeeds(&elsewhere.run("master", &["--once"]));
        let shown = elsewhere.run("readdb", &["products", "--format", "json"]);
        let rows: Value = serde_json::from_slice(&shown.stdout).unwrap();
        let number = |sku: &str| -> u64 {
            let row = rows.as_array().unwrap().iter().find(|row| row["sku"] == sku).unwrap();
            row["name"].as_str().unwrap().parse().unwrap()
        };
        let (edited, sent) = (number("turn"), number("sent"));
        assert!((least..=most).contains(&edited), "{edited} is not of {least} to {most}");
        assert!(sent == edited || sent + 1 == edited, "correction {edited}, upload {sent}");
    }
}

#[test]
fn a_database_without_uploads_and_an_upload_without_its_file() {
    let mut system = System::of_file();
    system.write("north", "feed.csv", "sku,name\na,A\n");
    system.serve("north");
    system.configure_sources(&[("north", "")]);
    system.once_ok();
    let saved = backup(&system, "none.tar.zst");
    let elsewhere = Elsewhere::new(&system);
    assert!(succeeds(&elsewhere.restore(&saved)).contains("and 0 uploads"));
    assert!(!elsewhere.database().with_extension("db.uploads").exists());

    system.start_master(&[]);
    put(&system, "kept.csv", "sku,name\nk,K\n");
    put(&system, "lost.csv", "sku,name\nl,L\n");
    let folder = system.beside("uploads");
    let lost = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let lost: Vec<_> = lost.filter(|path| path.to_str().unwrap().contains("lost.csv")).collect();
    fs::remove_file(&lost[0]).unwrap();
    fails(&starter(&system, &["backup", "b.tar.zst"]), "the upload `lost.csv` is not part of it: its file is missing");
    let elsewhere = Elsewhere::new(&system);
    assert!(succeeds(&elsewhere.restore(&system.home().join("b.tar.zst"))).contains("and 1 uploads"));

    fs::rename(&folder, folder.with_extension("away")).unwrap();
    fails(&starter(&system, &["backup", "c.tar.zst"]), "is missing, and a backup without them is none");
    assert!(!system.home().join("c.tar.zst").exists());
}
