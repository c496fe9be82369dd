//! A disk that is really full: the database stands on a small file system in memory, which only root can mount. Without that right the
//! test says on stderr that it was skipped.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use tributary_testkit::{
    process::{self, Daemon},
    wait,
};

use crate::system::System;

/// A mounted file system of eight megabytes.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m", "small"]).arg(folder.path()).output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        // Not by a macro, whose output is only shown for tests that fail.
        let _ = writeln!(std::io::stderr(), "skipped: no file system can be mounted here");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Leaves no byte free. Returns the file to delete for them.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("filler");
        let mut file = fs::File::create(&path).unwrap();
        for piece in [64 << 10, 4 << 10, 1] {
            while file.write_all(&vec![0; piece]).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[test]
fn one_pass_on_a_full_disk_ends_with_the_reason() {
    let Some(disk) = SmallDisk::mount() else { return };
    let mut system = System::new();
    system.write("good", "feed.csv", "sku,name\na,A\n");
    let good = system.serve("good");
    let database = disk.path().join("database.db");
    system.configure(&format!(
        "database_url = {database:?}\nkeep_free = \"0B\"\n[[source]]\nname = \"good\"\nurl = \"{good}\"\n"
    ));
    system.once_ok();
    let filler = disk.fill();
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
    let Some(disk) = SmallDisk::mount() else { return };
    let mut system = System::new();
    system.write("good", "feed.csv", "sku,name\na,A\n");
    let good = system.serve("good");
    let database = disk.path().join("database.db");
    system.configure(&format!(
        "database_url = {database:?}\nkeep_free = \"0B\"\n[[source]]\nname = \"good\"\nurl = \"{good}\"\n[compat]\n"
    ));
    let mut command = system.command("master", &["--listen", "127.0.0.1:0", "--poll-interval", "50ms"]);
    let log = system.database().with_file_name("master.log");
    command.env("RUST_LOG", "info").stderr(fs::File::create(&log).unwrap());
    let master = Daemon::start(command);
    let ask = |path: &str| tributary_testkit::http::get(&format!("{}{path}", master.url)).unwrap();
    wait::until("it is ready", || (ask("/readyz").0 == 200).then_some(()));
    let filler = disk.fill();
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
