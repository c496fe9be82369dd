//! Backups and restores that are refused, after which nothing has changed.

use std::fs;

use tributary_testkit::process;

use super::{Elsewhere, backup, fails, filled, starter, succeeds};

#[test]
fn a_database_in_use_or_with_rows_is_not_replaced() {
    let mut system = filled();
    let saved = backup(&system, "b.tar.zst");
    let from = saved.to_str().unwrap();
    fails(&starter(&system, &["restore", from]), "database.db is in use by master, process ");
    let before = system.products();
    system.stop_master();
    fails(&starter(&system, &["restore", from]), "database.db is not empty; restore to another database");
    assert_eq!(system.products(), before);

    // An empty one may be replaced, but not together with uploads of somebody.
    succeeds(&starter(&system, &["--reset"]));
    fails(&starter(&system, &["restore", from]), "database.db.uploads is not empty; move it away");
    fs::remove_dir_all(system.beside("uploads")).unwrap();
    succeeds(&starter(&system, &["restore", from]));
    assert_eq!(system.products(), before);
}

#[test]
fn no_file_is_written_over_and_none_is_left_behind() {
    let system = filled();
    let taken = system.home().join("taken");
    fs::write(&taken, "precious").unwrap();
    fails(&starter(&system, &["backup", "taken"]), "taken exists; give the backup another name");
    fails(&starter(&system, &["backup", "database.db"]), "database.db exists");
    assert_eq!(fs::read_to_string(&taken).unwrap(), "precious");
    fails(&starter(&system, &["backup", "none/b"]), "failed to create none/b.part");
    fails(&starter(&system, &["backup", "b", "--database-url", "none.db"]), "there is no database at none.db");
    let names = fs::read_dir(taken.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = names.filter(|name| name.to_str().unwrap().contains(".part")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_damaged_backup_and_any_other_file_change_nothing() {
    let system = filled();
    let saved = backup(&system, "b.tar.zst");
    let whole = fs::read(&saved).unwrap();
    let elsewhere = Elsewhere::new(&system);
    let names = || elsewhere.names().into_iter().filter(|name| !name.ends_with(".lock")).collect::<Vec<_>>();
    let before = names();
    let damaged = saved.with_file_name("damaged");
    let check = |bytes: &[u8], part: &str| {
        fs::write(&damaged, bytes).unwrap();
        let output = elsewhere.restore(&damaged);
        fails(&output, part);
        assert_eq!(names(), before, "{}", process::stderr(&output));
    };
    check(b"", "is no backup by `starter backup`");
    check(b"sku,name\na,A\n", "is no backup by `starter backup`");
    for eighth in 1..8 {
        check(&whole[..whole.len() * eighth / 8], "is damaged or not whole; take another backup");
        let mut bytes = whole.clone();
        bytes[whole.len() * eighth / 8] ^= 0xff;
        check(&bytes, "is damaged or not whole; take another backup");
    }
    check(&whole[..whole.len() - 1], "is damaged or not whole");
    succeeds(&elsewhere.restore(&saved));
}
