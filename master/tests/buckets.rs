//! Buckets as sources: the same files give the same tables as in a folder, and whatever a server does, no row is lost and none is wrong.

use std::{collections::BTreeMap, io::Write as _};

use serde_json::Value;
use tributary_testkit::{
    bucket::{BUCKET, Bucket, KEY, Wrong},
    process, wait,
};

use crate::system::System;

mod faults;
mod readers;

/// A master with one bucket.
struct World {
    system: System,
    bucket: Bucket,
}

impl World {
    /// The bucket is the source `cloud`, with these lines; `rest` follows.
    fn new(lines: &str, rest: &str) -> Self {
        let (mut system, bucket) = (System::new(), Bucket::start());
        system.set_variables(bucket.variables());
        configure(&system, lines, rest);
        Self { system, bucket }
    }

    fn put(&self, path: &str, body: impl AsRef<[u8]>) {
        self.bucket.put(&format!("in/{path}"), body);
    }

    fn remove(&self, path: &str) {
        self.bucket.remove(&format!("in/{path}"));
    }

    /// The source, as the API gives it.
    fn source(&self) -> Value {
        let sources = self.system.json("/api/v1/sources");
        let mut sources = sources["items"].as_array().unwrap().iter();
        sources.find(|source| source["name"] == "cloud").unwrap().clone()
    }

    /// Waits until the error of the source contains all these words.
    #[track_caller]
    fn error(&self, words: &[&str]) {
        wait::until(&format!("the error says {words:?}"), || {
            let error = self.source()["error"].as_str().unwrap_or_default().to_owned();
            words.iter().all(|word| error.contains(word)).then_some(())
        });
    }

    #[track_caller]
    fn skus(&self, expect: &[&str]) {
        wait::until(&format!("the skus are {expect:?}"), || {
            self.system.products().keys().eq(expect.iter().copied()).then_some(())
        });
    }
}

fn configure(system: &System, lines: &str, rest: &str) {
    let source =
        format!("[[source]]\nname = \"cloud\"\nurl = \"s3://{BUCKET}/in\"\npoll_interval = \"50ms\"\n{lines}\n");
    system.configure(&(source + rest));
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

const REPORTS: &str = "
[[report]]
name = \"sales\"
files = \"*sales*\"
feed = true
group_by = \"name\"
metrics = { rows = \"count()\", total = \"sum(n)\" }
[[report]]
name = \"all\"
files = \"**\"
feed = true
metrics = { rows = \"count()\" }
";

/// Files of all kinds, by path.
fn files() -> BTreeMap<String, Vec<u8>> {
    let mut files: BTreeMap<String, Vec<u8>> = (0..2_500)
        .map(|number| {
            let text = format!("sku,name,n\nk{},N{},{number}\n", number % 2_000, number % 7);
            (format!("{:02}/part {number}+é%.csv", number % 13), text.into_bytes())
        })
        .collect();
    files.insert("big_sales.csv.gz".to_owned(), gzip("sku,name,n\ng1,Gold,5\ng2,Gold,many\n\"broken\n"));
    files.insert("sales.csv.zst".to_owned(), zstd::encode_all(&b"sku,name,n\nz1,Zinc,7\n"[..], 0).unwrap());
    files.insert("prices.xlsx".to_owned(), crate::sheets::workbook());
    files.insert("none.csv".to_owned(), b"a,b\n1,2\n".to_vec());
    files
}

/// Products, names, reports and rejects that a master makes of the files.
fn tables(system: &System) -> Vec<Vec<String>> {
    let rows = |table: &str| {
        let mut rows: Vec<String> = system.table(table).into_iter().map(|row| row.to_string()).collect();
        rows.sort();
        rows
    };
    let mut rejects: Vec<String> = system
        .table("rejects")
        .iter()
        .map(|row| ["file", "line", "reason", "raw"].map(|name| row[name].to_string()).join(" "))
        .collect();
    rejects.sort();
    assert!(rejects.len() > 1, "{rejects:?}");
    let products = system.products().into_iter().map(|product| format!("{product:?}")).collect();
    let report = |name: &str| {
        let printed = system.run("readdb", &["report", name, "--format", "csv"]);
        assert!(printed.status.success(), "{}", process::stderr(&printed));
        process::stdout(&printed).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (sales, all) = (report("sales"), report("all"));
    assert!(sales.len() > 2 && all.len() == 2, "{sales:?} {all:?}");
    vec![products, rows("aggr"), sales, all, rejects]
}

#[test]
fn a_bucket_gives_what_the_same_folder_gives() {
    const FORMAT: &str = "[[source.format]]\nfiles = \"*.xlsx\"\nsheet = 2\n";
    let (folder, world) = (System::new(), World::new(FORMAT, REPORTS));
    for (path, body) in &files() {
        folder.write("cloud", path, body);
        world.put(path, body);
    }
    let formats = folder.home().join("formats.toml");
    std::fs::write(&formats, FORMAT.replace("source.", "")).unwrap();
    let mut command = folder.command("data-source", &["--listen", "127.0.0.1:0", "--settle", "20ms", "--dir"]);
    command.arg(folder.folder("cloud")).arg("--formats").arg(&formats);
    let source = process::Daemon::start(command);
    folder.configure(&format!("[[source]]\nname = \"cloud\"\nurl = \"{}\"\n{REPORTS}", source.url));
    for system in [&folder, &world.system] {
        let done = system.run("master", &["--once"]);
        // A file is rejected.
        assert_eq!(done.status.code(), Some(1), "{}", process::stderr(&done));
    }
    assert_eq!(tables(&folder), tables(&world.system));
    assert_eq!(world.bucket.count("LIST"), 3, "of three pages, and no list before them");
    assert_eq!(world.bucket.count("GET"), files().len(), "for the products and for two reports");
    let again = world.system.run("master", &["--once"]);
    assert!(process::stdout(&again).contains(": 0 files read"), "{}", process::stdout(&again));
    assert_eq!(world.bucket.count("GET"), files().len(), "what has not changed is not read");
    world.put("00/part 0+é%.csv", "sku,name,n\nk0,Other,1\n");
    let changed = world.system.run("master", &["--once"]);
    assert!(process::stdout(&changed).contains(": 1 files read"), "{}", process::stdout(&changed));
}

#[test]
fn objects_come_change_and_go_while_the_master_runs() {
    let mut world = World::new("", REPORTS);
    world.put("a.csv", "sku,name\na,A\n");
    world.put("sub/b.csv", "sku,name\nb,B\n");
    world.bucket.put("other/c.csv", "sku,name\nc,C\n");
    world.bucket.put("in.csv", "sku,name\nd,D\n");
    world.system.start_master(&[]);
    world.skus(&["a", "b"]);
    world.put("a.csv", "sku,name\na1,A\n");
    world.skus(&["a1", "b"]);
    world.remove("sub/b.csv");
    world.skus(&["a1"]);
    world.put("c_sales.csv", "sku,name,n\nc,C,1\n");
    world.skus(&["a1", "c"]);
    wait::until("the reports follow", || {
        (world.system.json("/api/v1/reports/all")["items"][0]["rows"] == 2).then_some(())
    });
    assert_eq!(world.source()["url"], format!("s3://{BUCKET}/in/"));
    let page = world.system.ask("GET", "/", "").text();
    assert!(!page.contains("href=\"s3:"), "no browser can open that");
    // Nothing has changed, so objects are listed and not read.
    let before = world.bucket.count("GET");
    let lists = world.bucket.count("LIST");
    wait::until("it is listed again", || (world.bucket.count("LIST") > lists + 3).then_some(()));
    assert_eq!(world.bucket.count("GET"), before);
}

#[test]
fn keys_that_are_no_files_are_left_out_with_a_reason() {
    let world = World::new("", "");
    let odd = [
        "",
        "sub/",
        "a//b.csv",
        "../c.csv",
        "./d.csv",
        "line\nbreak.csv",
        ".hidden/e.csv",
        "~$f.csv",
        "README.txt",
        "g.pdf",
        "h.xlsx",
    ];
    for key in odd {
        world.put(key, "sku,name\nx,X\n");
    }
    let done = world.system.run("master", &["--once"]);
    let said = process::stdout(&done) + &process::stderr(&done);
    assert_eq!(done.status.code(), Some(0), "{said}");
    let mut world = world;
    world.system.start_master(&[]);
    wait::until("the note", || world.source()["note"].is_string().then_some(()));
    let note = world.source()["note"].as_str().unwrap().to_owned();
    for words in
        ["4 files such as", "(name)", "(hidden)", "(owner)", "README.txt (note)", "g.pdf (ending)", "h.xlsx (workbook)"]
    {
        assert!(note.contains(words), "{words}: {note}");
    }
    assert_eq!(world.bucket.count("GET"), 0);
    world.put("two words/ä&<b>.csv", "sku,name\nz,Z\n");
    world.skus(&["z"]);
    let note = world.source()["note"].as_str().unwrap().to_owned();
    assert!(note.starts_with("left out: ") && note.contains("(name)"), "no other page would say so: {note}");
}

#[test]
fn what_an_archived_object_gave_stays() {
    let mut world = World::new("", "");
    world.put("a.csv", "sku,name\na,A\n");
    world.put("b.csv", "sku,name\nb,B\n");
    world.system.start_master(&[]);
    world.skus(&["a", "b"]);
    world.bucket.put_in_class("in/a.csv", "sku,name\na,A\n", "GLACIER");
    world.error(&["a.csv cannot be read", "it is archived"]);
    world.put("b.csv", "sku,name\nb2,B\n");
    world.skus(&["a", "b2"]);
}

/// A prefix with a slip of the pen lists nothing.
#[test]
fn an_empty_list_is_held() {
    let mut world = World::new("", "");
    let rows: String = (0..300).map(|number| format!("k{number},N\n")).collect();
    world.put("a.csv", format!("sku,name\n{rows}"));
    world.system.once_ok();
    world.system.configure(&format!("[[source]]\nname = \"cloud\"\nurl = \"s3://{BUCKET}/inn\"\n"));
    let done = world.system.run("master", &["--once"]);
    assert!(process::stdout(&done).contains("cloud is held, nothing was changed"), "{}", process::stdout(&done));
    assert_eq!(world.system.products().len(), 300);
    configure(&world.system, "", "");
    world.system.start_master(&[]);
    wait::until("it is up again", || (world.source()["state"] == "up").then_some(()));
    assert_eq!(world.bucket.count("GET"), 1, "nothing was read again");
}

#[test]
fn no_secret_is_shown() {
    let mut world = World::new("", "");
    world.put("a.csv", "sku,name\na,A\n");
    world.bucket.answer_wrongly("LIST", Wrong::Error("403 Forbidden", "AccessDenied"), 1);
    world.bucket.answer_wrongly("GET", Wrong::Error("403 Forbidden", "AccessDenied"), 1);
    world.system.start_master_that_warns();
    world.skus(&["a"]);
    let shown = ["/", "/sources", "/sources/cloud", "/api/v1/sources", "/metrics", "/api/v1/events"];
    let mut shown: String = shown[..5].iter().map(|path| world.system.ask("GET", path, "").text()).collect();
    shown += &world.system.log();
    assert!(shown.contains("AccessDenied") || world.system.log().contains("AccessDenied"), "{shown}");
    for secret in [KEY[1], "Signature", "X-Amz"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}
