//! The history: what it counts, and what the first page shows of it.

use serde_json::Value;
use tributary_testkit::wait;

use super::{BROWSER, get, one_source};
use crate::system::System;

const FEED: &[(&str, &str)] = &[("feed.csv", "sku,name\na,First\n")];

/// The sum of a member over all steps.
fn sum(system: &System, query: &str, member: &str) -> i64 {
    let history = system.json(&format!("/api/v1/history{query}"));
    history["items"].as_array().unwrap().iter().filter_map(|item| item[member].as_i64()).sum()
}

#[test]
fn versions_edits_polls_and_requests_are_counted_and_survive_a_kill() {
    let mut system = one_source(FEED);
    let before: Value = system.json("/api/v1/history?span=day");
    assert_eq!(before["items"].as_array().unwrap().len(), 96);
    let added = sum(&system, "", "added");
    assert!(added > 0);
    assert_eq!(sum(&system, "?source=north", "added"), added);
    assert!(sum(&system, "", "polls") > 0 && sum(&system, "", "requests") > 0);
    system.ask("PATCH", "/api/v1/products/a", r#"{"name":"By hand"}"#);
    system.write("north", "feed.csv", "sku,name\na,Second\nnew,New\n,no sku\n");
    wait::until("the version is counted", || (sum(&system, "", "added") == added + 1).then_some(()));
    assert_eq!((sum(&system, "", "edits"), sum(&system, "?source=north", "edits")), (1, 0));
    assert!(sum(&system, "", "rejected") >= 1);
    system.kill_master();
    system.start_master(&[]);
    for span in ["hour", "day", "week", "year"] {
        let counted = ["added", "edits"].map(|member| sum(&system, &format!("?span={span}"), member));
        assert_eq!(counted, [added + 1, 1], "{span}");
    }
    let refused = system.ask("GET", "/api/v1/history?span=decade", "");
    assert_eq!(refused.status, 400);
}

#[test]
fn the_first_page_says_what_changed_and_draws_it() {
    let system = one_source(FEED);
    system.write("north", "feed.csv", "sku,name\na,Second\nA 9,New\n,no sku\n");
    let page = wait::until("the change is listed", || {
        let page = get(&system, "/", &[BROWSER]).text();
        page.contains("<code>A 9</code></a>").then_some(page)
    });
    for part in ["1 row set aside in ", "<svg viewBox", "Time of a request", "/products/A%209\""] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let week = get(&system, "/?span=week&sku=a", &[BROWSER]).text();
    assert!(week.contains("<b aria-current=\"true\">week</b>") && week.contains("/?span=day&#38;sku=a"), "{week}");
    assert_eq!(get(&system, "/?span=decade", &[BROWSER]).status, 400);
}
