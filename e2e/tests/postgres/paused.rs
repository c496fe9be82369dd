//! A master that is paused in the middle of a change, at a statement that is known: another takes over meanwhile, and the paused one writes nothing
//! more.

use std::{fs, time::Duration};

use e2e::{At, Plug, Statements};
use tributary_testkit::{
    process::{Daemon, stdout},
    wait,
};

use super::{edit, files, has_rows, master, master_at, role, run, schema, signal};

/// Pauses a master while the answer of this statement of a change is on its way, and lets another take over.
fn pause_at(at: At) {
    let (schema, files) = (schema(), files());
    let source = Daemon::source(files.path());
    let proxy = Statements::start(&schema.url);
    let (paused, _its_home) = master_at(&proxy.url(&schema.url), &source.url, &["--poll-interval", "50ms"]);
    wait::until("the first load", || has_rows(&paused).then_some(()));
    let (standby, home) = master(&schema, &source.url);
    wait::until("it stands by", || (role(&standby) == "standby").then_some(()));

    proxy.arm(at, Plug::Hold);
    fs::write(files.path().join("more.csv"), "sku,name\nnew,by the paused one\ns1,other\n").unwrap();
    let statement = proxy.held();
    signal(&paused, "-STOP");
    let took_over = || (role(&standby) == "ready").then_some(());
    wait::within(Duration::from_secs(60), Duration::from_millis(100), took_over).unwrap();
    // What the paused one had begun is rolled back, or it was committed before.
    wait::until("the other applies it", || {
        (schema.psql("SELECT count(*) FROM products WHERE sku = 'new'").trim() == "1").then_some(())
    });
    assert_eq!(edit(&standby, 1, "by the new one"), Some(200));
    let tables = || {
        let table = |query: &str| schema.psql(query);
        [
            table("SELECT * FROM catalog ORDER BY sku"),
            table("SELECT * FROM edits ORDER BY sku"),
            table("SELECT sku, entrance, source, texts FROM product_changes ORDER BY id"),
            table(
                "SELECT kind, data::json ->> 'added', data::json ->> 'updated' FROM events WHERE kind IN ('applied', 'edit') ORDER BY id",
            ),
            table("SELECT * FROM documents ORDER BY id"),
        ]
    };
    let before = tables();
    proxy.release();
    signal(&paused, "-CONT");
    // Both a change of a source and what people send.
    for sku in 1..4 {
        assert_ne!(edit(&paused, sku, "by the old one"), Some(200), "{statement}");
    }
    wait::until("the old one stands by", || (role(&paused) == "standby").then_some(()));
    assert_eq!(tables(), before, "the paused one has written after {statement}");
    let applied = "SELECT count(*) FROM events WHERE kind = 'applied' AND data::json ->> 'added' = '1'";
    assert_eq!(schema.psql(applied).trim(), "1", "{statement}");
    let check = run("starter", &["check"], home.path());
    assert!(check.status.success(), "{statement}: {}", stdout(&check));
}

#[test]
fn one_that_is_paused_in_a_change_writes_nothing_more() {
    pause_at(At::Number(10));
    pause_at(At::Number(30));
}

#[test]
fn one_that_is_paused_while_it_commits_writes_nothing_more() {
    pause_at(At::Text("COMMIT"));
}
