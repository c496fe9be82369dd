//! Masters and other programs beside the one that writes a file: its lock cannot be waited for, so they end. On a server a second master
//! stands by.

use tributary_testkit::process;

use crate::{
    live::changes::{name_of, one_source},
    readers::Pair,
    system::System,
};

#[test]
fn a_second_master_is_refused_and_told_by_whom() {
    let system = one_source(System::of_file());
    for (binary, args) in
        [("master", &["--listen", "127.0.0.1:0"][..]), ("master", &["--once"]), ("starter", &["--reset"])]
    {
        let output = system.run(binary, args);
        assert_eq!(output.status.code(), Some(1), "{binary} {args:?}");
        assert!(process::stderr(&output).contains("in use by master, process"), "{}", process::stderr(&output));
    }
    assert_eq!(name_of(&system, "a").unwrap(), "First");
    // Whoever thinks that the file was left behind, and deletes it, lets nobody in.
    std::fs::remove_file(system.beside("lock")).unwrap();
    let output = system.run("master", &["--once"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(process::stderr(&output).contains("in use by another process"), "{}", process::stderr(&output));
}

#[test]
fn beside_an_active_master_no_other_one_starts() {
    let pair = Pair::of(System::of_file());
    for args in [&["--once"][..], &["--listen", "127.0.0.1:0"]] {
        let second = pair.system.run("master", args);
        let why = process::stderr(&second);
        assert!(second.status.code() == Some(1) && why.contains("database.db is in use by master, process"), "{why}");
    }
    let wrong = pair.system.run("master", &["--read-only", "--once"]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn a_held_lock_exits_with_1() {
    let system = System::of_file();
    system.configure("");
    let lock = tributary_store::Lock::acquire(&system.database_url(), "the test").unwrap();
    for (binary, flag) in [("master", "--once"), ("starter", "--reset")] {
        let output = system.run(binary, &[flag]);
        assert_eq!(output.status.code(), Some(1));
        assert!(process::stderr(&output).contains("the test"), "{}", process::stderr(&output));
    }
    drop(lock);
    assert!(system.run("master", &["--once"]).status.success());
}
