//! A version that would take too much away waits for a person; everything else is applied at once.

mod reasons;

use std::fmt::Write;

use tributary_store::{HeldVersionRow, ReportRange};
use tributary_testkit::{http, process, wait};

use crate::system::System;

/// A feed of `count` products whose skus begin with `prefix`.
fn feed(prefix: &str, count: usize) -> String {
    (0..count).fold("sku,name\n".to_owned(), |mut feed, n| {
        writeln!(feed, "{prefix}{n},{prefix} {n}").unwrap();
        feed
    })
}

fn system(lines: &str) -> System {
    let mut system = System::new();
    system.write("north", "feed.csv", feed("a", 300));
    system.serve("north");
    system.configure_sources(&[("north", lines)]);
    system
}

/// `master --once` must be held and change nothing; returns its summary.
#[track_caller]
fn held(system: &System, products: usize) -> String {
    let output = system.once();
    let summary = process::stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{summary}");
    assert!(summary.contains("north is held, nothing was changed: "), "{summary}");
    assert_eq!(system.products().len(), products);
    assert_eq!(system.table("sources")[0]["state"], "held");
    summary
}

#[test]
fn an_empty_version_waits_until_someone_accepts_it() {
    let system = system("");
    system.once_ok();
    system.write("north", "feed.csv", "sku,name\n");
    let summary = held(&system, 300);
    assert!(summary.contains("300 of 300 skus would go, such as `a0`, `a1`, `a10`: feed.csv has no rows"), "{summary}");
    assert!(summary.contains("`master --accept north`; else it is applied at "), "{summary}");
    held(&system, 300);

    let output = system.run("master", &["--accept", "south"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(process::stderr(&output).contains("there is no source `south`"), "{}", process::stderr(&output));
    let output = system.run("master", &["--accept", "north"]);
    assert!(output.status.success(), "{}", process::stderr(&output));
    assert_eq!(process::stdout(&output), "accepted what north held; the next pass applies it\n");
    assert_eq!(system.products().len(), 300, "it is only accepted");
    let output = system.run("master", &["--accept", "north"]);
    assert!(process::stderr(&output).contains("nothing of the source `north` is held"), "{}", process::stderr(&output));
    system.once_ok();
    assert_eq!((system.products().len(), system.aggr().len()), (0, 0));
    assert_eq!(system.table("sources")[0]["state"], "up");
}

#[test]
fn other_skus_in_their_place_are_held_too_and_accepted_in_one_run() {
    let system = system("");
    system.once_ok();
    system.write("north", "feed.csv", feed("b", 400));
    held(&system, 300);
    let output = system.once_with(&["--accept", "north"]);
    assert!(output.status.success(), "{}", process::stdout(&output));
    assert_eq!(system.products().len(), 400);
}

#[test]
fn what_was_accepted_is_no_licence_for_another_version() {
    let system = system("");
    system.once_ok();
    system.write("north", "feed.csv", feed("b", 400));
    held(&system, 300);
    assert!(system.run("master", &["--accept", "north"]).status.success());
    system.write("north", "feed.csv", feed("a", 20));
    held(&system, 300);
    // The same skus go, though another name changes meanwhile.
    assert!(system.run("master", &["--accept", "north"]).status.success());
    system.write("north", "feed.csv", feed("a", 20).replace("a 0", "new"));
    system.once_ok();
    assert_eq!((system.products().len(), system.products()["a0"].0.as_str()), (20, "new"));
}

#[test]
fn a_version_within_the_bounds_is_applied_at_once() {
    let mut system = system("");
    // 300 in one file, 600 in another that offers the first 300 again.
    system.write("north", "more.csv", feed("a", 600));
    system.once_ok();
    system.write("north", "more.csv", "sku,name\n");
    system.once_ok();
    assert_eq!(system.products().len(), 300, "half of 600 is not more than half");
    // The rows move to another file.
    system.write("north", "feed.csv", "sku,name\n");
    system.write("north", "third.csv", feed("a", 300));
    system.once_ok();
    assert_eq!(system.products().len(), 300);
    system.write("north", "third.csv", feed("a", 150));
    system.once_ok();
    system.write("north", "third.csv", feed("a", 50));
    system.once_ok();
    assert_eq!(system.products().len(), 50, "100 are not more than 100");
    // Rows that delete say so themselves.
    system.write("north", "third.csv", feed("c", 300));
    system.once_ok();
    let deletes = (0..300).fold("sku,name,op\n".to_owned(), |feed, n| feed + &format!("c{n},,delete\n"));
    system.write("north", "third.csv", deletes);
    system.once_ok();
    assert_eq!(system.products().len(), 0);
    system.stop("north");
}

#[test]
fn the_brake_can_be_set_and_switched_off() {
    let mut strict = system("max_removal = { share = 0, rows = 0 }\nhold_for = \"1s\"");
    strict.once_ok();
    strict.write("north", "feed.csv", feed("a", 299));
    held(&strict, 300);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    strict.once_ok();
    assert_eq!(strict.products().len(), 299);
    let off = "max_removal = false";
    strict.configure_sources(&[("north", off)]);
    strict.write("north", "feed.csv", "sku,name\n");
    strict.once_ok();
    assert_eq!(strict.products().len(), 0);
    strict.stop("north");
}

#[test]
fn a_source_with_more_rejects_than_good_rows_is_rejected_but_applied() {
    let system = system("");
    system.once_ok();
    system.write("north", "feed.csv", format!("{}{}", feed("a", 300), ",no sku\n".repeat(301)));
    let output = system.once();
    let summary = process::stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{summary}");
    assert!(summary.contains("north: more rows are rejected than not (301 of 601)"), "{summary}");
    assert_eq!(system.table("sources")[0]["state"], "rejected");
    system.write("north", "feed.csv", format!("{}{}", feed("b", 300), ",no sku\n".repeat(300)));
    assert_eq!(system.once_with(&["--accept", "north"]).status.code(), Some(0));
    assert_eq!(system.products().len(), 300);
}

#[test]
fn a_running_master_holds_says_so_and_applies_what_is_accepted() {
    let mut system = system("");
    system.start_master_that_warns();
    system.sync();
    let source = |system: &System| system.json("/api/v1/sources")["items"][0].clone();
    let state = |system: &System, state: &str| {
        wait::until(&format!("the source is {state}"), || (source(system)["state"] == state).then_some(()));
    };
    let accept =
        |system: &System, query: &str| system.ask("POST", &format!("/api/v1/sources/north/accept{query}"), "").status;
    assert_eq!(accept(&system, ""), 409);
    system.write("north", "feed.csv", "sku,name\n");
    state(&system, "held");
    let held = source(&system)["held"].clone();
    assert_eq!((&held["removes"], &held["offers"], &held["accepted"]), (&300.into(), &300.into(), &false.into()));
    assert!(source(&system)["error"].as_str().unwrap().starts_with("held, nothing was changed: 300 of 300 skus"));
    assert!(held["until"].as_str().unwrap() > held["since"].as_str().unwrap());
    let page = system.ask("GET", "/", "").text();
    assert!(page.contains("Accept: remove 300 products") && page.contains("feed.csv has no rows"), "{page}");
    assert!(system.ask("GET", "/metrics", "").text().contains("tributary_source_held{source=\"north\"} 1\n"));
    assert_eq!(system.log().matches("a version of `north` is held").count(), 1, "{}", system.log());

    // A complete version removes nothing, so it passes, and nothing is held any more.
    system.write("north", "feed.csv", feed("a", 300).replace("a 0", "new"));
    state(&system, "up");
    assert_eq!(system.products()["a0"].0, "new");
    assert!(source(&system)["held"].is_null());
    // As it was before: nothing is to be done, and that is the end of it.
    system.write("north", "feed.csv", "sku,name\n");
    state(&system, "held");
    system.write("north", "feed.csv", feed("a", 300).replace("a 0", "new"));
    state(&system, "up");

    system.write("north", "feed.csv", "sku,name\n");
    state(&system, "held");
    assert_eq!(accept(&system, "?digest=other"), 409);
    assert_eq!(system.ask("POST", "/api/v1/sources/none/accept", "").status, 404);
    let digest = source(&system)["held"]["digest"].as_str().unwrap().to_owned();
    assert_eq!(accept(&system, &format!("?digest={digest}")), 202);
    state(&system, "up");
    assert_eq!(system.products().len(), 0);

    // By the form, and by the command line.
    system.write("north", "feed.csv", feed("a", 300));
    system.sync();
    system.write("north", "feed.csv", "sku,name\n");
    state(&system, "held");
    let form = format!("source=north&digest={digest}");
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    // A button that is pressed twice does no harm and shows no error, whichever answer the browser shows.
    for _ in 0..2 {
        let answer = http::request("POST", &system.master_url("/accept"), &headers, form.as_bytes()).unwrap();
        assert_eq!((answer.status, answer.header("location")), (303, Some("/#sources-heading")));
    }
    state(&system, "up");
    assert_eq!(system.products().len(), 0);
    system.write("north", "feed.csv", feed("a", 300));
    system.sync();
    system.write("north", "feed.csv", feed("b", 1));
    state(&system, "held");
    let listen = system.master_url("").replace("http://", "");
    let output = system.run("master", &["--accept", "north", "--listen", &listen]);
    assert!(output.status.success(), "{}", process::stderr(&output));
    assert_eq!(process::stdout(&output), "accepted what north held; the running master applies it\n");
    state(&system, "up");
    assert_eq!(system.products().len(), 1);
}

#[test]
fn nobody_has_to_stop_a_master_that_has_answered() {
    let mut system = system("");
    system.start_master(&[]);
    system.sync();
    let listen = system.master_url("").replace("http://", "");
    let fails = |args: &[&str], expect: &str| {
        let output = system.run("master", args);
        assert_eq!((output.status.code(), process::stdout(&output).as_str()), (Some(1), ""), "{args:?}");
        assert!(process::stderr(&output).contains(expect), "{args:?}: {}", process::stderr(&output));
    };
    fails(&["--accept", "north", "--listen", &listen], "error: nothing of the source `north` is held\n");
    fails(&["--accept", "none", "--listen", &listen], "error: there is no source `none`\n");
    fails(
        &["--accept", "north", "--listen", "127.0.0.1:0"],
        "stop that process first, or accept on its page, or say with `--listen`",
    );
    fails(
        &["--accept", "north", "--listen", "127.0.0.1:1"],
        "or say with `--listen` where it listens: http://127.0.0.1:1/",
    );
    fails(&["--accept", "north", "--once"], "stop that process first\n");
}

#[test]
fn what_is_accepted_must_be_a_source_that_is_configured() {
    let mut system = system("");
    system.once_ok();
    assert!(system.once_with(&["--accept", "north"]).status.success(), "whatever it would hold, and it holds nothing");
    let output = system.once_with(&["--accept", "nroth"]);
    assert_eq!(output.status.code(), Some(1), "{}", process::stdout(&output));
    assert!(process::stderr(&output).contains("there is no source `nroth`"), "{}", process::stderr(&output));
    // A version is held that removes a part, and then the source goes from the configuration.
    system.write("north", "feed.csv", feed("a", 20));
    held(&system, 300);
    let configured = std::fs::read_to_string(system.home().join("tributary.toml")).unwrap();
    system.configure("");
    let output = system.run("master", &["--accept", "north"]);
    assert_eq!(output.status.code(), Some(1), "{}", process::stdout(&output));
    assert!(process::stderr(&output).contains("`master --drop-sources north`"), "{}", process::stderr(&output));
    assert_eq!(system.products().len(), 300, "nobody has accepted that all go");
    system.configure(&configured);
    held(&system, 300);
    system.stop("north");
}

#[test]
fn a_running_master_applies_by_itself_what_stays_the_same() {
    let mut system = system("hold_for = \"2s\"");
    system.start_master(&[]);
    system.sync();
    system.write("north", "feed.csv", "sku,name\n");
    wait::until("it is held", || (system.json("/api/v1/sources")["items"][0]["state"] == "held").then_some(()));
    assert_eq!(system.products().len(), 300);
    wait::until("it is applied", || system.products().is_empty().then_some(()));
    assert_eq!(system.json("/api/v1/sources")["items"][0]["state"], "up");
}

#[test]
fn a_source_that_vanishes_at_a_reload_keeps_its_rows_until_someone_says_so() {
    let mut system = system("");
    system.write("south", "feed.csv", "sku,name\na0,South\ns1,Brush\n");
    system.serve("south");
    let both = [("north", ""), ("south", "")];
    system.configure_sources(&both);
    system.start_master_that_warns();
    system.sync();
    let state = |system: &System| {
        let sources = system.json("/api/v1/sources");
        let source = sources["items"].as_array().unwrap().iter().find(|source| source["name"] == "north").cloned();
        source.map(|source| source["state"].as_str().unwrap().to_owned())
    };
    let becomes = |system: &System, expect: Option<&str>| {
        wait::until(&format!("north is {expect:?}"), || (state(system).as_deref() == expect).then_some(()));
    };
    system.configure_sources(&[("south", "")]);
    system.hangup();
    becomes(&system, Some("held"));
    assert_eq!(system.products().len(), 301);
    assert_eq!(system.products()["a0"].0, "South", "the order is the same");
    system.write("south", "feed.csv", "sku,name\na0,South again\n");
    wait::until("the other source goes on", || (system.products()["a0"].0 == "South again").then_some(()));

    // It is configured again, and goes on.
    system.configure_sources(&both);
    system.hangup();
    becomes(&system, Some("up"));
    system.configure_sources(&[("south", "")]);
    system.hangup();
    becomes(&system, Some("held"));
    let page = system.ask("GET", "/", "").text();
    assert!(page.contains("Nothing was changed. The source is no longer configured; its 300 skus stay"), "{page}");
    let sources = system.json("/api/v1/sources");
    let digest = sources["items"][0]["held"]["digest"].as_str().unwrap();
    assert!(page.contains(&format!("value=\"{digest}\"")) && digest.len() > 30, "{digest}");
    let accept = |query: &str| system.ask("POST", &format!("/api/v1/sources/north/accept{query}"), "").status;
    assert_eq!(["?digest=", "?digset="].map(accept), [409, 400]);
    assert_eq!(accept(&format!("?digest={digest}")), 202);
    becomes(&system, None);
    assert_eq!(system.products().into_keys().collect::<Vec<_>>(), ["a0"]);
    assert!(system.log().contains("source `north` is no longer configured"), "{}", system.log());
}

/// A report lost its rows at once, although nothing of the version was to be applied.
/// A clock that jumped ahead let every held version pass.
#[test]
fn a_clock_that_is_set_lets_nothing_pass() {
    let mut system = system("");
    system.start_master_that_warns();
    system.sync();
    let error = |system: &System| system.json("/api/v1/sources")["items"][0]["error"].clone();
    let until = |system: &System, what: &str| {
        wait::until(what, || error(system).as_str().is_some_and(|error| error.contains(what)).then_some(()));
    };
    system.write("north", "feed.csv", "sku,name\n");
    until(&system, "has no rows");
    let mut store = system.store_to_write();
    let held = store.held_versions().unwrap().remove(0);
    store.put_held_version(&HeldVersionRow { held_since: "2020-01-01T00:00:00.000Z".to_owned(), ..held }).unwrap();
    std::fs::remove_file(system.folder("north").join("feed.csv")).unwrap();
    until(&system, "is gone");
    assert_eq!(system.products().len(), 300);
}

#[test]
fn reports_wait_for_what_is_held() {
    let mut system = System::new();
    system.write("north", "feed.csv", feed("a", 300));
    system.serve("north");
    let source = format!("[[source]]\nname = \"north\"\nurl = \"{}\"\n", system.url("north"));
    let report = "[[report]]\nname = \"all\"\nfiles = \"*.csv\"\nfeed = true\ngroup_by = \"name\"\nmetrics = { n = \"count()\" }\n";
    system.configure(&format!("{source}{report}"));
    system.once_ok();
    let rows = |system: &System| {
        let mut store = system.store();
        let table = store.stored_report("all").unwrap().unwrap();
        store.report_rows(&table, ReportRange::ALL).unwrap().len()
    };
    system.write("north", "feed.csv", "sku,name\n");
    held(&system, 300);
    assert_eq!(rows(&system), 300);
    assert!(system.once_with(&["--accept", "north"]).status.success());
    assert_eq!(rows(&system), 0);
}
