//! `master --once` with reports: what it does, what it says, and how it exits.

use serde_json::json;
use tributary_testkit::process::{stderr, stdout};

use super::{
    changes::computed,
    configure,
    model::{ALL_NO_FEEDS, KINDS, SALES, Spec},
    wait_for,
};
use crate::system::System;

const FIRST: &str = "sku,name,kind,dept,n\n1,A,x,toys,5\n2,B,y,books,7\n3,C,z,toys,many\n";

#[test]
fn a_second_run_reads_nothing() {
    let mut system = System::new();
    system.write("north", "sales.csv", FIRST);
    system.write("north", "b_sales.csv", FIRST);
    system.write("south", "sub/other.csv", FIRST);
    ["north", "south"].iter().for_each(|source| drop(system.serve(source)));
    let specs = [SALES, ALL_NO_FEEDS, KINDS];
    configure(&system, &["north", "south"], &specs.iter().map(Spec::section).collect::<String>());
    let all = |system: &System| computed(system.url("north")) + computed(system.url("south"));
    // A row that is rejected is none that was not applied.
    system.once_ok();
    assert_eq!(all(&system), 2 + 3 + 2);
    for _ in 0..2 {
        system.assert_one_file();
        system.once_ok();
    }
    assert_eq!(all(&system), 7);
    system.start_master(&[]);
    wait_for(&system, "sales", &SALES.rows(&[FIRST.into(), FIRST.into()]));
    wait_for(&system, "everything", &ALL_NO_FEEDS.rows(&[FIRST.into(), FIRST.into(), FIRST.into()]));
    wait_for(&system, "kinds", &KINDS.rows(&[FIRST.into(), FIRST.into()]));
    assert_eq!(all(&system), 7);
}

#[test]
fn it_exits_with_1_as_long_as_a_file_is_rejected_or_a_source_is_down() {
    let mut system = System::new();
    system.write("north", "sales.csv", FIRST);
    system.write("south", "sales.csv", "sku,name\n1,A\n");
    ["north", "south"].iter().for_each(|source| drop(system.serve(source)));
    configure(&system, &["north", "south"], &SALES.section());
    for _ in 0..2 {
        let done = system.once();
        assert_eq!(done.status.code(), Some(1), "{}", stdout(&done));
        assert_eq!(stdout(&done).lines().count(), 1);
        assert!(stdout(&done).contains("sales.csv is rejected: no column `n`"), "{}", stdout(&done));
        assert!(!stderr(&done).contains("panicked"));
    }
    system.write("south", "sales.csv", FIRST);
    system.once_ok();
    let south = system.url("south").to_owned();
    system.stop("south");
    let done = system.run("master", &["--once"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(stdout(&done).contains("south is down"), "{}", stdout(&done));
    system.serve_at("south", &south);
    system.once_ok();
    assert_eq!(computed(system.url("south")), 0);
    system.start_master(&[]);
    wait_for(&system, "sales", &SALES.rows(&[FIRST.into(), FIRST.into()]));
    assert_eq!(system.json("/api/v1/products")["items"], json!([]));
}
