//! Reports by a part of the calendar, computed where the files are, and the words about a report.

use serde_json::{Value, json};
use tributary_testkit::wait;

use super::{changes::computed, configure, wait_for, with_reports};

const FILE: &str = "Shop,Date,Sales\nnorth,2026-05-31,5\nnorth,20260501,1.5\nsouth,31.05.2026 23:59,2\nsouth,2026-06-01T00:30:00+02:00,4\n\
                    north,05/06/2026,9\nnorth,soon,9\n";

fn report(words: &str, name: &str) -> String {
    format!(
        "[[report]]\nname = \"monthly\"\nfiles = \"*.csv\"\n{words}\n\
         group_by = [{{ column = \"Date\", by = \"month\", name = \"{name}\" }}, \"Shop\"]\n\
         metrics = {{ rows = \"count()\", sales = \"sum(Sales)\" }}\n"
    )
}

fn rows(name: &str) -> Value {
    let row = |month: &str, shop: &str, rows: u64, sales: Value| json!({name: month, "Shop": shop, "rows": rows, "sales": sales});
    json!([
        row("2026-05", "north", 2, json!(6.5)),
        row("2026-05", "south", 1, json!(2)),
        row("2026-06", "south", 1, json!(4)),
    ])
}

#[test]
fn a_source_groups_dates_and_says_which_it_cannot_read() {
    let system = with_reports(&[("a.csv", FILE)], &report("", "Month"));
    wait_for(&system, "monthly", &rows("Month"));
    assert_eq!(computed(system.url("north")), 1, "the source knows dates");
    let rejects = system.json("/api/v1/rejects?report=monthly");
    let reasons: Vec<_> =
        rejects["items"].as_array().unwrap().iter().map(|reject| reject["reason"].as_str().unwrap()).collect();
    assert!(
        reasons.iter().any(|reason| reason.contains("`Date` could be two dates: `05/06/2026`; day_first = true")),
        "{reasons:?}"
    );
    assert!(reasons.iter().any(|reason| reason.contains("`Date` is not a date: `soon`")), "{reasons:?}");
    assert_eq!(reasons.len(), 2);
}

/// Guards against a corrected title that lets a report of millions of rows be computed anew.
#[test]
fn a_reload_adopts_words_and_computes_nothing() {
    let system = with_reports(&[("a.csv", FILE)], &report("title = \"Old\"", "Month"));
    wait_for(&system, "monthly", &rows("Month"));
    let listed = |system: &crate::system::System| system.json("/api/v1/reports")["items"][0].clone();
    let before = listed(&system);
    assert_eq!((&before["title"], &before["description"], &before["units"]), (&json!("Old"), &Value::Null, &json!({})));
    let words = "title = \"New\"\ndescription = \"By till.\"\nunits = { sales = \"€\" }";
    configure(&system, &["north"], &report(words, "Month"));
    system.hangup();
    wait::until("the new title is in force", || (listed(&system)["title"] == "New").then_some(()));
    let after = listed(&system);
    assert_eq!((&after["description"], &after["units"]), (&json!("By till."), &json!({"sales": "€"})));
    system.sync();
    assert_eq!(after["computed_at"], before["computed_at"]);
    assert_eq!(listed(&system)["computed_at"], before["computed_at"]);
    assert_eq!(computed(system.url("north")), 1);
    // Nor does the name of a group in the results: its table is written again, from what is known.
    configure(&system, &["north"], &report(words, "Period"));
    system.hangup();
    wait_for(&system, "monthly", &rows("Period"));
    assert_eq!(computed(system.url("north")), 1);
}
