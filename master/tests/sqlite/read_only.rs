//! A database that may be read and not written.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
};

use tributary_testkit::process;

use crate::{system::System, unwritable::configured};

/// Nobody but the owner of a database may change it. Root may anyway, so the master runs as somebody else then.
#[test]
fn a_read_only_database_is_refused_at_the_start() {
    let system = configured(System::of_file(), "sku,name\na,A\n");
    system.once_ok();
    system.write("a", "feed.csv", "sku,name\na,B\n");
    system.settle("a");
    let database = system.file().unwrap();
    let home = database.parent().unwrap();
    let mode = |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(home, 0o777);
    for end in ["db.lock", "db.spool", "db.cache"] {
        mode(&database.with_extension(end), 0o777);
    }
    let run = |args: &[&str]| {
        let mut command = system.command("master", args);
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            command.uid(65_534);
        }
        command.output().unwrap()
    };
    mode(&database, 0o444);
    for args in [&["--once"][..], &["--listen", "127.0.0.1:0"]] {
        let output = run(args);
        let error = process::stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains("cannot be written; check the permissions of the file"), "{error}");
    }
    mode(&database, 0o666);
    let output = run(&["--once"]);
    assert!(output.status.success(), "{}", process::stderr(&output));
    assert_eq!(system.products()["a"].0, "B");
}
