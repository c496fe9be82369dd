//! A database whose file is taken away while the master runs. SQLite goes on writing to it, and everything is lost at the next start.

use std::fs;

use tributary_testkit::wait;

use crate::{
    system::System,
    unwritable::{is_ready, running, said},
};

const EDIT: &str = r#"{"name":"edited","description":""}"#;

#[track_caller]
fn refuses(system: &System) {
    for (path, body) in [("/api/v1/products/e", EDIT), ("/api/v1/documents/d.csv", "sku,name\nd,D\n")] {
        let answer = system.ask("PUT", path, body);
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("2")), "{path}: {}", answer.text());
        assert!(answer.text().contains("\"title\":\"cannot write\""), "{}", answer.text());
    }
}

/// Edits and uploads were answered with success, `/readyz` said ready, and a restart had none of them.
#[test]
fn a_database_that_was_moved_or_replaced_takes_nothing_until_it_is_back() {
    let mut system = running(System::of_file(), "sku,name\na,A\n");
    let (database, away) = (system.file().unwrap(), system.file().unwrap().with_extension("away"));
    fs::rename(&database, &away).unwrap();
    // Nobody has written anything meanwhile.
    let why = said(&system);
    assert!(why.contains("its file was deleted, moved or replaced") && why.contains("move that file back"), "{why}");
    refuses(&system);
    fs::copy(&away, &database).unwrap();
    refuses(&system);
    system.write("a", "feed.csv", "sku,name\na,B\n");
    system.settle("a");
    fs::rename(&away, &database).unwrap();
    wait::until("it is ready again", || is_ready(&system).then_some(()));
    assert_eq!(system.ask("PUT", "/api/v1/products/e", EDIT).status, 201);
    assert_eq!(system.ask("PUT", "/api/v1/documents/d.csv?wait=applied", "sku,name\nd,D\n").status, 200);
    wait::until("the version is applied", || (system.products()["a"].0 == "B").then_some(()));
    let log = system.log();
    assert_eq!(log.matches("the database cannot be written, and nothing is applied").count(), 1, "{log}");
    // Everything is in this file.
    system.kill_master();
    let products = system.products();
    assert!(["a", "d", "e"].iter().all(|sku| products.contains_key(*sku)), "{products:?}");
}
