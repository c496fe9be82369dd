//! Held versions, the history, changes of a product, and reports.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tributary_store::{
    Amounts, ChangeCause, Error, FailedReportRow, GroupRow, HeldVersionRow, NewProductChange, ReportRow, ReportTable,
    ReportValue, Store,
};

use crate::{Database, stdout};

fn json_of(database: &Database, words: &str) -> Value {
    serde_json::from_str(&stdout(&database.readdb(&format!("{words} --format json")))).unwrap()
}

fn hold(store: &mut Store) {
    let source_id = store.sources().unwrap().into_iter().find(|source| source.name == "north").unwrap().id;
    let held = HeldVersionRow {
        source_id,
        digest: "d".into(),
        removes: 260,
        offers: 300,
        reason: "260 of 300 skus would go".into(),
        held_since: "2026-11-22T10:00:00Z".into(),
        held_until: None,
        accepted: false,
        accepted_by: Some("ann".into()),
        accepted_at: None,
    };
    store.put_held_version(&held).unwrap();
}

#[test]
fn held_versions_say_what_would_go_and_why() {
    let mut database = Database::new();
    assert_eq!(json_of(&database, "held"), json!([]));
    hold(&mut database.store);
    let reason = "260 of 300 skus would go";
    let row = json!({"source": "north", "removes": 260, "offers": 300, "since": "2026-11-22T10:00:00Z", "until": null,
                     "accepted": false, "reason": reason, "accepted_by": "ann", "accepted_at": null});
    assert_eq!(json_of(&database, "held"), json!([row]));
    let csv = "source,removes,offers,since,until,accepted,reason,accepted_by,accepted_at\n";
    let line = "north,260,300,2026-11-22T10:00:00Z,,false,260 of 300 skus would go,ann,\n";
    assert_eq!(stdout(&database.readdb("held --format csv")), format!("{csv}{line}"));
    assert!(stdout(&database.readdb("held")).ends_with("\n1 of 1 held versions\n"));
}

#[test]
fn the_history_is_of_a_source_or_of_all_and_begins_with_the_newest_step() {
    let mut database = Database::new();
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let mut add = |source: &str, at: i64, added: i64| {
        let amounts = Amounts { added, products: Some(added), apply_seconds: 0.25, ..Amounts::default() };
        database.store.transaction::<_, Error>(|store| store.add_to_history(source, at, &amounts)).unwrap();
    };
    // Ten minutes ago lies within the hour, whatever the second is; two hours ago does not.
    add("", now - 7_200, 1);
    add("", now - 600, 2);
    add("", now, 3);
    add("north", now, 4);
    let added = |words: &str| -> Vec<i64> {
        let rows = json_of(&database, words);
        rows.as_array().unwrap().iter().map(|row| row["added"].as_i64().unwrap()).collect()
    };
    assert_eq!(added("history"), [3, 2]);
    assert_eq!(added("history --limit 1"), [3], "a limit leaves the newest");
    assert_eq!(added("history --source north"), [4]);
    assert_eq!(added("history --source nobody"), [0; 0]);
    assert_eq!(added("history --span year").iter().sum::<i64>(), 6);
    let newest = json_of(&database, "history --limit 1")[0].clone();
    let digits = newest["apply_seconds"].as_f64();
    assert_eq!((newest["products"].as_i64(), digits, newest["polls"].as_i64()), (Some(3), Some(0.25), Some(0)));
    let text = stdout(&database.readdb("history"));
    let head = text.lines().nth(1).unwrap();
    assert!(head.contains("products") && !head.contains("apply_seconds") && text.contains("2 of 2 steps"), "{text}");
}

#[test]
fn the_changes_of_a_product_begin_with_the_newest() {
    let mut database = Database::new();
    let mut change = |cause: ChangeCause<'_>, sku: &str, texts: &str, edit: Option<&str>| {
        let row = NewProductChange { sku, file: cause.source.map(|_| "a/b.csv"), texts, edit };
        database.store.transaction::<_, Error>(|store| store.insert_product_changes(cause, &[row])).unwrap();
    };
    let version = ChangeCause { at: 0, source: Some("north"), ..ChangeCause::default() };
    change(version, "a", r#"{"name":["blue","red"]}"#, None);
    change(version, "B", "{}", None);
    let edit = ChangeCause { at: 60, entrance: Some("form"), author: Some("ann"), ..ChangeCause::default() };
    change(edit, "a", r#"{"name":["red","ink"]}"#, Some(r#"{"name":[null,"ink"]}"#));
    let csv = "id,at,source,file,entrance,who,columns,edit\n\
               3,1970-01-01T00:01:00Z,,,form,ann,\"{\"\"name\"\":[\"\"red\"\",\"\"ink\"\"]}\",\"{\"\"name\"\":[null,\"\"ink\"\"]}\"\n\
               1,1970-01-01T00:00:00Z,north,a/b.csv,,,\"{\"\"name\"\":[\"\"blue\"\",\"\"red\"\"]}\",\n";
    assert_eq!(stdout(&database.readdb("changes --sku a --format csv")), csv);
    assert_eq!(json_of(&database, "changes --sku a --limit 1")[0]["who"], "ann");
    assert!(stdout(&database.readdb("changes --sku a --limit 1")).ends_with("\n1 of 2 changes\n"));
    assert_eq!(json_of(&database, "changes --sku none"), json!([]));
}

#[test]
fn a_report_is_printed_with_every_digit() {
    let mut database = Database::new();
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let table =
        ReportTable { name: "sales".into(), group_by: texts(&["shop", "Date"]), metrics: texts(&["rows", "total"]) };
    let long = "123456789012345678901234567890";
    let row = |shop: &str, total: ReportValue| GroupRow {
        group: texts(&[shop, "2026-11-01"]),
        values: vec![ReportValue::Integer(2), total],
    };
    let rows =
        [row("a", ReportValue::Text(long.into())), row("b", ReportValue::Real(0.5)), row("c", ReportValue::Null)];
    let failure = FailedReportRow {
        report: "stock".into(),
        source_id: database.store.sources().unwrap()[0].id,
        error: "no column `Stock`".into(),
        failed_at: "2026-11-22T10:00:00Z".into(),
    };
    let report = ReportRow {
        name: "sales".into(),
        digest: "d".into(),
        groups: 3,
        computed_at: "2026-11-22T10:00:00Z".into(),
        standing: "{}".into(),
    };
    database
        .store
        .transaction::<_, Error>(|store| {
            store.write_report(&table, rows)?;
            store.put_report(&report)?;
            store.put_report_failure(&failure).map(drop)
        })
        .unwrap();
    let csv = format!("shop,Date,rows,total\na,2026-11-01,2,{long}\nb,2026-11-01,2,0.5\nc,2026-11-01,2,\n");
    assert_eq!(stdout(&database.readdb("report sales --format csv")), csv);
    let json = stdout(&database.readdb("report sales --format json"));
    assert!(json.contains(&format!("\"total\":{long}}}")), "{json}");
    assert_eq!(json_of(&database, "report sales --limit 0"), json!([]));
    assert!(stdout(&database.readdb("report sales --limit 1")).ends_with("\n1 of 3 groups\n"));
    let listed = json_of(&database, "reports");
    let sales = json!({"name": "sales", "groups": 3, "group_by": "shop, Date", "metrics": "rows, total",
                       "computed_at": "2026-11-22T10:00:00Z", "error": null});
    let stock = json!({"name": "stock", "groups": null, "group_by": "", "metrics": "", "computed_at": null,
                       "error": "no column `Stock`"});
    assert_eq!(listed, json!([sales, stock]));
    let unknown = database.readdb("report none");
    assert_eq!(unknown.status.code(), Some(1));
    let stderr = String::from_utf8(unknown.stderr).unwrap();
    assert!(stderr.contains("there is no table of a report `none`; `readdb reports` lists"), "{stderr}");
}
