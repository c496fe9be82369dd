//! Every kind of reject of docs/reference/csv-rules.md#rejects, as it is found in the database: file, line and reason.

use serde_json::json;
use tributary_testkit::process;

use crate::system::System;

/// Serves `content` as one file and compares its rejects, as (line, part of the reason), and the skus that were loaded.
#[track_caller]
fn check(content: &[u8], rejects: &[(i64, &str)], loaded: &[&str]) {
    let mut system = System::new();
    system.write("north", "in/feed.csv", content);
    system.serve("north");
    system.configure_sources(&[("north", "")]);
    // Some of these files have more rejects than good rows, which is a failure of its own.
    system.once();
    let found = system.table("rejects");
    assert_eq!(found.len(), rejects.len(), "{found:?}");
    for (line, reason) in rejects {
        let is = |row: &&serde_json::Value| row["line"] == *line && row["reason"].as_str().unwrap().contains(reason);
        let row =
            found.iter().find(is).unwrap_or_else(|| panic!("no reject in line {line} says {reason:?}: {found:?}"));
        assert_eq!((row["source"].as_str(), row["file"].as_str()), (Some("north"), Some("in/feed.csv")));
    }
    assert_eq!(system.products().into_keys().collect::<Vec<_>>(), loaded);
}

#[test]
fn each_kind() {
    check(b"sku,name\n,x\n \xc2\xa0 ,y\na,z\n", &[(2, "no sku"), (3, "no sku")], &["a"]);
    check(b"sku,name\nshort\na,b,c\nd,e\n", &[(2, "1 field"), (3, "3 fields")], &["d"]);
    check(b"sku,name,op\na,b,remove\nc,d,upsert\n", &[(2, "remove")], &["c"]);
    check(b"sku,name\na\0,b\nc,d\n", &[(2, "NUL")], &["c"]);
    check(b"sku,name\na,\"open\nb,x\nc,y\n", &[(2, "quoted")], &["b", "c"]);
    check(b"sku,name\na,\"shut\"x\nb,y\n", &[(2, "quoted")], &["b"]);
    let valid = "s,ä\n".replace('s', "s0") + &(1..12).map(|n| format!("s{n},ä\n")).collect::<String>();
    let mut mixed = format!("sku,name\n{valid}").into_bytes();
    mixed.extend_from_slice(b"bad,\xff\n");
    let skus: Vec<String> = (0..12).map(|n| format!("s{n}")).collect();
    let mut sorted: Vec<&str> = skus.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    check(&mixed, &[(14, "UTF-8")], &sorted);
}

#[test]
fn each_limit() {
    let long = |bytes: usize| "x".repeat(bytes);
    let feed = format!("sku,name\n{},a\n{},b\nc,{}\nd,{}\n", long(1024), long(1025), long(2049), long(2048));
    let fits = long(1024);
    check(feed.as_bytes(), &[(3, "sku"), (4, "name")], &["d", &fits]);
    let record = format!("sku,name,a,b,c,d,e\nr,n{}\nc,d,,,,,\n", format!(",{}", long(1 << 20)).repeat(5));
    check(record.as_bytes(), &[(2, "longer")], &["c"]);
    let field = format!("sku,name,description\na,b,{}\nc,d,e\n", long((1 << 20) + 1));
    check(field.as_bytes(), &[(2, "longer")], &["c"]);
}

#[test]
fn a_file_with_too_many_columns_is_rejected() {
    let mut system = System::new();
    system.write("north", "feed.csv", format!("sku,name{}\n", ",x".repeat(4_095)));
    system.serve("north");
    system.configure_sources(&[("north", "")]);
    assert_eq!(system.once().status.code(), Some(1));
    assert!(system.table("files")[0]["reason"].as_str().unwrap().contains("4096 are the limit"));
}

#[test]
fn a_rejected_file_keeps_its_last_accepted_rows() {
    let mut system = System::new();
    system.write("north", "feed.csv", "sku,name\na,x\n,bad\n");
    system.serve("north");
    system.configure_sources(&[("north", "")]);
    system.once_ok();
    for broken in ["name,description\nx,y\n", "", "<html>\n"] {
        system.write("north", "feed.csv", broken);
        let output = system.once();
        assert_eq!(output.status.code(), Some(1), "a rejected file is not applied");
        assert_eq!(system.products().into_keys().collect::<Vec<_>>(), ["a"]);
        assert_eq!(system.table("sources")[0]["state"], "rejected");
        let rejects = system.table("rejects");
        assert!(
            rejects.iter().any(|row| row["reason"].as_str().unwrap().contains("the file is rejected")),
            "{rejects:?}"
        );
        let again = system.once();
        assert!(
            String::from_utf8_lossy(&again.stdout).contains("0 files read"),
            "a rejected content is not read twice"
        );
    }
    system.write("north", "feed.csv", "sku,name\na,x\n,bad\n");
    assert!(system.once_ok().contains("0 files read"), "the accepted content is back");
    assert_eq!(system.table("sources")[0]["state"], "up");
    assert_eq!(system.table("rejects").len(), 1);
}

/// A feed whose rows all went bad, say because a column moved, used to delete every product that it gave.
#[test]
fn a_file_of_which_every_row_is_a_reject_is_rejected() {
    let mut system = System::new();
    let good = "sku,name\na,x\nb,y\n";
    system.write("north", "feed.csv", good);
    system.serve("north");
    system.configure_sources(&[("north", "")]);
    system.once_ok();
    let skus = |system: &System| system.products().into_keys().collect::<Vec<_>>();
    let reasons = |system: &System| -> Vec<String> {
        system.table("rejects").iter().map(|row| row["reason"].as_str().unwrap().to_owned()).collect()
    };
    let reason = "every row is a reject (3 of 3), the first in line 2: no sku";
    let bad = "sku,name\n,x\nshort\n,y\n";
    system.write("north", "feed.csv", bad);
    for read in ["1 files read", "0 files read"] {
        let output = system.once();
        let summary = process::stdout(&output);
        assert_eq!(output.status.code(), Some(1), "{summary}");
        assert!(
            summary.contains(read) && summary.contains(&format!("north/feed.csv is rejected: {reason}")),
            "{summary}"
        );
        assert_eq!(skus(&system), ["a", "b"], "its accepted rows stay");
        assert_eq!(system.table("sources")[0]["state"], "rejected");
        let file = &system.table("files")[0];
        assert_eq!((&file["state"], file["reason"].as_str()), (&json!("rejected"), Some(reason)));
        let found = reasons(&system);
        assert_eq!(found.len(), 4, "{found:?}");
        assert_eq!(found[0], format!("the file is rejected: {reason}"));
        assert!(found[1..].iter().all(|reason| !reason.contains("rejected")), "{found:?}");
    }
    system.write("north", "feed.csv", good);
    system.once_ok();
    assert_eq!((skus(&system).len(), reasons(&system).len()), (2, 0));

    // Without a row there is nothing to reject.
    system.write("north", "feed.csv", "sku,name\n");
    system.once_ok();
    assert!(skus(&system).is_empty());
}
