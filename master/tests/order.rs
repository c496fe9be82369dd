//! Which file of a folder wins: `order` of a format.

use std::{
    fs::File,
    time::{Duration, SystemTime},
};

use tributary_testkit::wait;

use crate::system::System;

/// Three numbered deltas that offer the same sku, and another one each.
fn deltas(lines: &str) -> System {
    let mut system = System::new();
    for number in ["1", "2", "10"] {
        system.write("north", &format!("delta-{number}.csv"), format!("sku,name\nsame,{number}\nd{number},own\n"));
        touch(&system, number, number.parse().unwrap());
    }
    system.serve("north");
    system.configure_sources(&[("north", lines)]);
    system
}

/// Sets the time of a delta to so many seconds after the same moment.
fn touch(system: &System, number: &str, seconds: u64) {
    let file = File::options().write(true).open(system.folder("north").join(format!("delta-{number}.csv"))).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)).unwrap();
}

fn order(order: &str) -> String {
    format!("[[source.format]]\norder = \"{order}\"\n")
}

#[track_caller]
fn wins(system: &System, number: &str) {
    system.once_ok();
    assert_eq!(system.products()["same"].0, number);
    assert_eq!(system.products().len(), 4);
}

#[test]
fn another_order_chooses_again_without_reading() {
    let system = deltas("");
    let output = system.once();
    let log = tributary_testkit::process::stderr(&output);
    assert!(log.contains("delta-2.csv wins over delta-10.csv; order = \"natural\""), "{log}");
    assert_eq!(system.products()["same"].0, "2", "by bytes, delta-10 comes before delta-2");
    system.configure_sources(&[("north", &order("natural"))]);
    let summary = system.once_ok();
    assert!(summary.contains(" 0 files read") && summary.contains("(+0 ~1 -0)"), "{summary}");
    wins(&system, "10");
    system.configure_sources(&[("north", &order("path"))]);
    let output = system.once();
    assert_eq!(tributary_testkit::process::stderr(&output), "", "who sets the order need not be told");
    wins(&system, "2");
    system.configure_sources(&[("north", &order("modified"))]);
    wins(&system, "10");
}

#[test]
fn the_file_that_changed_last_wins() {
    let system = deltas(&order("modified"));
    wins(&system, "10");
    system.write("north", "delta-1.csv", "sku,name\nsame,1\nd1,changed\n");
    touch(&system, "1", 11);
    wins(&system, "1");
    // A time alone is enough, although no content is read.
    touch(&system, "2", 12);
    wait::until("the time is seen", || {
        system.once_ok();
        (system.products()["same"].0 == "2").then_some(())
    });
    // A rejected content has no time: the accepted one keeps its own.
    system.write("north", "delta-10.csv", "no header\n");
    touch(&system, "10", 13);
    assert_eq!(system.once().status.code(), Some(1));
    assert_eq!(system.products()["same"].0, "2");
}

#[test]
fn a_new_order_concerns_skus_that_nobody_touched() {
    let system = deltas(&order("modified"));
    wins(&system, "10");
    // Another row of delta-1 changes; `same` stays as it is in it, and wins now.
    system.write("north", "delta-1.csv", "sku,name\nd1,changed\nsame,1\n");
    touch(&system, "1", 20);
    wins(&system, "1");
    assert_eq!(system.products()["d1"].0, "changed");
}

/// A file that was touched must not win only after a restart.
#[test]
fn a_running_master_follows_a_time_that_changes_alone() {
    let mut system = deltas(&order("modified"));
    system.start_master(&[]);
    let wins = |system: &System, number: &str| {
        let name = || system.products().get("same").is_some_and(|(name, _)| name == number).then_some(());
        wait::until(&format!("delta-{number} wins"), name);
    };
    wins(&system, "10");
    touch(&system, "2", 30);
    wins(&system, "2");
    touch(&system, "2", 2);
    wins(&system, "10");
}
