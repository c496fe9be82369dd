//! A disk that is really full: the database stands on a small file system in memory, which only root can mount. Without that right the
//! test says on stderr that it was skipped.

use std::{fs, io::Write};

use tributary_testkit::{
    disk::{self, SmallDisk},
    process::{self, Daemon},
    wait,
};

use crate::system::System;

/// A system whose database stands on a disk of eight megabytes.
fn on_small_disk(settings: &str) -> Option<(System, SmallDisk)> {
    let mut system = System::of_file();
    let folder = system.folder("disk");
    let Ok(disk) = SmallDisk::mount(&folder, 8) else {
        // Not by a macro, whose output is only shown for tests that fail.
        let _ = writeln!(std::io::stderr(), "skipped: no file system can be mounted here");
        return None;
    };
    system.write("good", "feed.csv", "sku,name\na,A\n");
    let good = system.serve("good");
    let database = folder.join("database.db");
    system.configure(&format!(
        "database_url = {database:?}\nkeep_free = \"0B\"\n[[source]]\nname = \"good\"\nurl = \"{good}\"\n{settings}"
    ));
    Some((system, disk))
}

#[test]
fn one_pass_on_a_full_disk_ends_with_the_reason() {
    let Some((system, disk)) = on_small_disk("") else { return };
    system.once_ok();
    let filler = disk::fill(disk.path()).unwrap();
    system.write("good", "feed.csv", "sku,name\na,B\n");
    let output = system.once();
    let said = process::stdout(&output) + &process::stderr(&output);
    assert_eq!((output.status.code(), said.contains("free space on its disk")), (Some(1), true), "{said}");
    fs::remove_file(filler).unwrap();
    system.once_ok();
    assert_eq!(system.products()["a"].0, "B");
}

#[test]
fn a_full_disk_is_said_and_everything_goes_on_once_there_is_room() {
    let Some((system, disk)) = on_small_disk("[compat]\n") else { return };
    let mut command = system.command("master", &["--listen", "127.0.0.1:0", "--poll-interval", "50ms"]);
    let log = system.home().join("master.log");
    command.env("RUST_LOG", "info").stderr(fs::File::create(&log).unwrap());
    let master = Daemon::start(command);
    let ask = |path: &str| tributary_testkit::http::get(&format!("{}{path}", master.url)).unwrap();
    wait::until("it is ready", || (ask("/readyz").0 == 200).then_some(()));
    let filler = disk::fill(disk.path()).unwrap();
    let rows: String = (0..40_000).map(|number| format!("b{number:05},name {number}\n")).collect();
    system.write("good", "feed.csv", format!("sku,name\n{rows}"));
    let (status, text) = wait::until("it says that it cannot write", || {
        let (status, body) = ask("/readyz");
        (status == 503).then(|| (status, String::from_utf8(body).unwrap()))
    });
    assert!(text.starts_with("the database cannot be written: ") && text.contains("disk is full"), "{status} {text}");
    assert!(text.contains(" (since 20"), "{text}");
    let home = String::from_utf8(ask("/").1).unwrap();
    assert!(home.contains("The database cannot be written, so nothing new is saved"), "{home}");
    assert_eq!(ask("/health").0, 503);
    let metrics = String::from_utf8(ask("/metrics").1).unwrap();
    assert!(metrics.contains("tributary_writable 0"), "{metrics}");
    assert_eq!(ask("/api/v1/products/a").0, 200, "it still reads");
    fs::remove_file(filler).unwrap();
    wait::until("it goes on by itself", || (ask("/api/v1/products/b39999").0 == 200).then_some(()));
    wait::until("it is ready again", || (ask("/readyz").0 == 200).then_some(()));
    assert_eq!(ask("/health").0, 200);
    let home = String::from_utf8(ask("/").1).unwrap();
    assert!(!home.contains("cannot be written"), "{home}");
    let log = fs::read_to_string(log).unwrap();
    for (line, times) in [("the database cannot be written, and nothing", 1), ("the database can be written again", 1)]
    {
        assert_eq!(log.matches(line).count(), times, "{line}: {log}");
    }
}
