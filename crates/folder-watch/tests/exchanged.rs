//! Names whose file or folder is exchanged for something else all the time: it costs what stands there, and nothing else.

use std::{
    fs,
    os::unix::{fs::symlink, net::UnixListener},
    time::Duration,
};

use rustix::fs::{CWD, FileType, Mode, RenameFlags, mknodat, renameat_with};

use crate::support::{Watched, listed, write};

const ROUNDS: usize = 2_000;

#[test]
fn the_watcher_goes_on_and_offers_nothing_from_outside() {
    let (dir, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(outside.path(), "b.csv", "outside");
    for (path, content) in [("a.csv", "1"), ("sub/b.csv", "2"), ("other/c.csv", "3")] {
        write(dir.path(), path, content);
    }
    symlink(outside.path(), dir.path().join(".link")).unwrap();
    symlink(outside.path().join("b.csv"), dir.path().join(".0")).unwrap();
    mknodat(CWD, dir.path().join(".1"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let _socket = UnixListener::bind(dir.path().join(".2")).unwrap();
    fs::create_dir(dir.path().join(".3")).unwrap();
    let mut watched = Watched::start(dir, Duration::from_millis(50));
    let all = [("a.csv", "1"), ("other/c.csv", "3"), ("sub/b.csv", "2")];
    let first = watched.holds(&all);
    let possible = listed(&first);
    let entries: Vec<_> = first.entries.iter().cloned().collect();
    let root = watched.dir.path().to_owned();
    let swap = |one: &str, other: &str| {
        renameat_with(CWD, root.join(one), CWD, root.join(other), RenameFlags::EXCHANGE).unwrap();
    };
    std::thread::scope(|scope| {
        let exchanges = scope.spawn(|| {
            for round in 0..ROUNDS {
                swap("sub", ".link");
                swap("a.csv", [".0", ".1", ".2", ".3"][round / 2 % 4]);
            }
        });
        while !exchanges.is_finished() {
            let snapshot = watched.snapshot("a snapshot", |_| true);
            let offered = listed(&snapshot);
            assert!(offered.iter().all(|entry| possible.contains(entry)), "{offered:?}");
            for entry in &entries {
                // Either the bytes that were hashed or an error, and never a wait.
                if let Ok(mut content) = watched.folder.open(entry) {
                    let mut text = String::new();
                    std::io::Read::read_to_string(&mut content, &mut text).unwrap();
                    assert!(["1", "2", "3"].contains(&text.as_str()), "{text}");
                }
            }
        }
    });
    watched.holds(&all);
    write(&root, "d.csv", "4");
    watched.holds(&[("a.csv", "1"), ("d.csv", "4"), ("other/c.csv", "3"), ("sub/b.csv", "2")]);
}
