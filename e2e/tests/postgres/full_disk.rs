//! A server whose disk is really full: a small file system in memory, which only root can mount. Without that right the tests say on stderr that
//! they were skipped.

use std::{
    fs::{self, create_dir},
    io::Write,
    path::PathBuf,
};

use e2e::PostgresServer;
use tempfile::TempDir;
use tributary_testkit::{
    disk::{self, SmallDisk},
    http,
    process::{self, Daemon, stdout},
    wait,
};

use super::{edit, files, has_rows, master_at, role, run};

/// A server of which one of two folders is on a disk of this size: the data, or the log of writes.
struct Small {
    // Before the disk that it is on.
    server: PostgresServer,
    disk: SmallDisk,
    _folder: TempDir,
}

impl Small {
    fn start(small: &str, megabytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| -> PathBuf { folder.path().join(name) };
        ["data", "log"].into_iter().for_each(|name| create_dir(at(name)).unwrap());
        let Ok(disk) = SmallDisk::mount(&at(small), megabytes) else {
            // Not by a macro, whose output is only shown for tests that fail.
            let _ = writeln!(std::io::stderr(), "skipped: no file system can be mounted here");
            return None;
        };
        let server = PostgresServer::start(&at("data"), &at("log"));
        Some(Self { server, disk, _folder: folder })
    }
}

fn more_rows(count: usize) -> String {
    let rows: String = (0..count).map(|no| format!("more{no},name {no},{}\n", "text ".repeat(40))).collect();
    format!("sku,name,description\n{rows}")
}

fn ask(master: &Daemon, path: &str) -> (u16, String) {
    let (status, body) = http::get(&format!("{}{path}", master.url)).unwrap();
    (status, String::from_utf8(body).unwrap())
}

#[test]
fn a_full_disk_of_the_server_is_said_and_everything_goes_on_once_there_is_room() {
    let Some(small) = Small::start("data", 100) else { return };
    let files = files();
    let source = Daemon::source(files.path());
    let (master, home) = master_at(&small.server.url(), &source.url, &["--poll-interval", "50ms"]);
    wait::until("the first load", || has_rows(&master).then_some(()));
    wait::until("it is ready", || (role(&master) == "ready").then_some(()));
    let filler = disk::fill(small.disk.path()).unwrap();
    fs::write(files.path().join("more.csv"), more_rows(20_000)).unwrap();
    let text = wait::until("it says that it cannot write", || {
        let (status, text) = ask(&master, "/readyz");
        (status == 503).then_some(text)
    });
    for words in ["the disk of its server is full", "free space on the disk of the PostgreSQL server"] {
        assert!(text.contains(words), "{text}");
    }
    let (_, sources) = ask(&master, "/api/v1/sources");
    assert!(sources.contains("the disk of its server is full"), "{sources}");
    // Nothing of it is there, all else is, and is read.
    assert_eq!(small.server.psql("SELECT count(*) FROM products WHERE sku LIKE 'more%'").trim(), "0");
    assert_eq!(ask(&master, "/api/v1/products/s1").0, 200);
    assert_eq!(ask(&master, "/readyz").0, 503, "it still is so");
    fs::remove_file(filler).unwrap();
    wait::until("it goes on by itself", || (ask(&master, "/api/v1/products/more19999").0 == 200).then_some(()));
    wait::until("it is ready again", || (role(&master) == "ready").then_some(()));
    assert_eq!(edit(&master, 1, "afterwards"), Some(200));
    let check = run("starter", &["check"], home.path());
    assert!(check.status.success(), "{}{}", stdout(&check), process::stderr(&check));
}

/// Without room for its log of writes, PostgreSQL ends.
#[test]
fn a_server_that_ended_for_want_of_room_loses_nothing() {
    let Some(mut small) = Small::start("log", 16) else { return };
    let files = files();
    let source = Daemon::source(files.path());
    let (master, home) = master_at(&small.server.url(), &source.url, &["--poll-interval", "50ms"]);
    wait::until("the first load", || has_rows(&master).then_some(()));
    assert_eq!(edit(&master, 1, "before"), Some(200));
    let filler = disk::fill(small.disk.path()).unwrap();
    fs::write(files.path().join("more.csv"), more_rows(20_000)).unwrap();
    small.server.has_ended();
    let text = wait::until("it says that it cannot write", || {
        let (status, text) = ask(&master, "/readyz");
        (status == 503).then_some(text)
    });
    assert!(text.contains("its server cannot be reached"), "{text}");
    fs::remove_file(filler).unwrap();
    small.server.revive();
    wait::until("it goes on by itself", || {
        let url = format!("{}/api/v1/products/more19999", master.url);
        http::get(&url).is_ok_and(|(status, _)| status == 200).then_some(())
    });
    assert_eq!(small.server.psql("SELECT name FROM products WHERE sku = 's1'").trim(), "before");
    let check = run("starter", &["check"], home.path());
    assert!(check.status.success(), "{}{}", stdout(&check), process::stderr(&check));
}
