//! Sessions that end at any moment while edits, uploads and files go on: the server ends them, stops or crashes, and the master goes on by itself.
//! `TRIBUTARY_CASES=300` ends them for some minutes.

use e2e::PostgresServer;
use tributary_testkit::{
    process::{self, Daemon, stdout},
    wait,
};

use super::{
    edit, files, has_rows,
    load::{Load, rounds},
    master, master_at, role, run,
};

/// Numbers that look random, and are the same each time.
fn scattered(number: usize) -> usize {
    number.wrapping_mul(2_654_435_761) >> 7
}

#[test]
fn nothing_is_lost_or_doubled_when_sessions_end() {
    let (schema, files) = (super::schema(), files());
    let source = Daemon::source(files.path());
    let (master, home) = master(&schema, &source.url);
    wait::until("the first load", || has_rows(&master).then_some(()));
    let load = Load::start(&master.url, files.path());
    for round in 0..rounds(30) {
        load.wait_for(1 + scattered(round) % 7);
        schema.psql(
            "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'tributary %' \
             AND application_name LIKE '% ' || current_schema()::regnamespace::oid OFFSET 0) AS these",
        );
    }
    load.wait_for(5);
    load.finish(&|query| schema.psql(query));
    assert_eq!(schema.psql("SELECT epoch FROM active_master").trim(), "1", "it is the same master all the time");
    let check = run("starter", &["check"], home.path());
    assert!(check.status.success(), "{}{}", stdout(&check), process::stderr(&check));
}

#[test]
fn nothing_is_lost_or_doubled_when_the_server_stops_or_crashes() {
    let (folder, files) = (tempfile::tempdir().unwrap(), files());
    let [data, log] = ["data", "log"].map(|name| folder.path().join(name));
    [&data, &log].into_iter().for_each(|path| std::fs::create_dir(path).unwrap());
    let mut server = PostgresServer::start(&data, &log);
    let source = Daemon::source(files.path());
    let (master, home) = master_at(&server.url(), &source.url, &[]);
    wait::until("the first load", || has_rows(&master).then_some(()));
    let load = Load::start(&master.url, files.path());
    for round in 0..rounds(4) {
        load.wait_for(3 + scattered(round) % 5);
        // In turn: it ends all sessions and stops, or leaves everything as it is and recovers at the next start.
        server.stop(if round % 2 == 0 { "INT" } else { "QUIT" });
        assert_ne!(edit(&master, 1, "while there is no server"), Some(200));
        server.revive();
        wait::until("it goes on", || (role(&master) == "ready").then_some(()));
    }
    load.wait_for(5);
    load.finish(&|query| server.psql(query));
    let check = run("starter", &["check"], home.path());
    assert!(check.status.success(), "{}{}", stdout(&check), process::stderr(&check));
}
