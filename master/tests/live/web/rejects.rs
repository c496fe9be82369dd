//! Rejects: paged, searched, with cures, and as a list for the owner of a file; the page that shows them.

use serde_json::{Value, json};

use super::{column, get, one_source, page, problem};
use crate::system::System;

/// Two files with rejects of two kinds.
fn rejects() -> System {
    let good: String = (0..9).map(|number| format!("g{number},good\n")).collect();
    one_source(&[
        ("a.csv", &format!("sku,name\n{good},no sku\nx,y,z\n,again no sku\n")),
        ("in/b.csv", &format!("sku,name\n{good}p,q,r\n")),
    ])
}

fn lines(list: &Value) -> Vec<i64> {
    list["items"].as_array().unwrap().iter().map(|item| item["line"].as_i64().unwrap()).collect()
}

#[test]
/// docs/reference/http-api.md#rejects
fn rejects_are_paged_and_searched() {
    let system = rejects();
    let all = system.json("/api/v1/rejects");
    assert_eq!((all["items"].as_array().unwrap().len(), &all["next"]), (4, &Value::Null), "{all}");
    for filter in ["", "source=north&", "source=north&file=a.csv&", "reason=fields&"] {
        let whole = system.json(&format!("/api/v1/rejects?{filter}"));
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let list = system.json(&format!("/api/v1/rejects?{filter}limit=1&after={after}"));
            found.extend(list["items"].as_array().unwrap().clone());
            match &list["next"] {
                Value::Null => break,
                next => after = next.to_string(),
            }
        }
        assert_eq!(json!(found), whole["items"], "{filter}");
    }
    let fields = column(&system.json("/api/v1/rejects?reason=fields"), "reason");
    assert!(fields.len() == 2 && fields.iter().all(|reason| reason.contains("3 fields")), "{fields:?}");
    let in_order = system.json("/api/v1/rejects?source=north&file=a.csv&order=line");
    assert_eq!(lines(&in_order), [11, 12, 13]);
    assert_eq!(lines(&system.json("/api/v1/rejects?source=north&file=a.csv")), [13, 12, 11]);
    let first = &in_order["items"][0];
    assert_eq!((&first["cure"], &first["byte_offset"]), (&json!("fill in the sku of this row"), &json!(9 + 9 * 8)));
    for wrong in ["order=line", "order=line&source=north", "order=size", "after=x"] {
        problem(&get(&system, &format!("/api/v1/rejects?{wrong}"), &[]), 400);
    }
}

#[test]
fn the_page_counts_the_reasons_of_each_file_and_says_how_to_fix_a_row() {
    let system = rejects();
    let shown = page(&get(&system, "/rejects", &[]), 200);
    for part in [
        "<h1>Rows set aside",
        "<span class=\"count\">2</span> <bdi>no sku",
        "<span class=\"count\">1</span> <bdi>3 fields where the header has 2",
        "quote cells that hold the delimiter",
        "/api/v1/rejects?source=north&#38;file=in%2Fb.csv&#38;order=line&#38;format=csv",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("reject<") && !shown.contains("Reject "), "people read of rows set aside");
    let of_b = page(&get(&system, "/rejects?source=north&file=in%2Fb.csv&reason=", &[]), 200);
    assert!(!of_b.contains("no sku") && of_b.contains("Show all"), "{of_b}");
    let searched = page(&get(&system, "/rejects?reason=fields", &[]), 200);
    assert!(!searched.contains("again no sku") && searched.contains("x,y,z"), "{searched}");
    let none = page(&get(&system, "/rejects?source=south", &[]), 200);
    assert!(none.contains("No file has rows that were set aside.") && none.contains("<option selected>south</option>"));
    let csv = get(&system, "/api/v1/rejects?source=north&file=a.csv&order=line&format=csv", &[]).text();
    assert!(csv.lines().nth(1).is_some_and(|line| line.contains(",11,no sku,")), "{csv}");
}
