//! The output: exact CSV and JSON, a readable table.

use serde_json::{Value, json};
use tributary_store::ProductRow;

use crate::{AWKWARD, Database, stdout};

#[test]
fn json_is_one_array_of_objects_with_the_values_as_stored() {
    let database = Database::new();
    let check = |words: &str, expect: Value| {
        let text = stdout(&database.readdb(&format!("{words} --format json")));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expect, "{words}");
    };
    let upper = json!({"sku": "B", "name": "red", "description": AWKWARD, "source": "north", "file": "a/b.csv", "edited": false});
    let lower =
        json!({"sku": "a", "name": "red", "description": "", "source": "north", "file": "a/b.csv", "edited": false});
    let alone = json!({"sku": "b", "name": "blue", "description": "", "source": null, "file": null, "edited": true});
    let blue = json!({"name": "blue", "no_of_products": 1});
    let red = json!({"name": "red", "no_of_products": 2});
    check("products", json!([upper, lower, alone]));
    check("products --limit 1", json!([upper]));
    check("products --limit 0", json!([]));
    check("products --sku a", json!([lower]));
    check("products --sku A", json!([]));
    check("products --name red", json!([upper, lower]));
    check("products --name red --sku b", json!([]));
    check("aggr", json!([blue, red]));
    check("aggr --name red", json!([red]));
    check("", json!({"products": [upper, lower, alone], "aggr": [blue, red]}));
    check("--sku b", json!({"products": [alone], "aggr": [blue, red]}));
    check("--name red --limit 1", json!({"products": [upper], "aggr": [red]}));
    check("--limit 0", json!({"products": [], "aggr": []}));
    check(
        "sources",
        json!([
            {"name": "north", "url": "http://127.0.0.1:5001", "state": "rejected", "version": "v1", "files": 1, "offers": 2,
             "rejects": 1, "last_sensed": "2026-11-22T10:00:00Z", "last_applied": null, "error": null},
            {"name": "south", "url": "http://127.0.0.1:5002", "state": "unknown", "version": null, "files": 0, "offers": 0,
             "rejects": 0, "last_sensed": null, "last_applied": null, "error": null},
        ]),
    );
    check(
        "files",
        json!([{"source": "north", "path": "a/b.csv", "state": "rejected", "hash": "blake3:00", "size_bytes": 1234,
                "rows": 3, "offers": 2, "rejects": 1, "repaired": 0, "replaced": 0, "reason": "no header", "notes": null}]),
    );
    let reject =
        json!({"source": "north", "file": "a/b.csv", "line": 3, "reason": "no sku", "raw": AWKWARD, "report": null});
    check("rejects", json!([reject]));
    let time = "2026-11-22T10:00:00Z";
    let hidden = json!({"sku": "x", "name": null, "description": null, "hidden": true, "stands": false, "edited_at": time,
               "edited_by": "ann"});
    check("edits --sku x", json!([hidden]));
    check("sources --limit 0", json!([]));
}

#[test]
fn csv_is_exact_and_starts_with_its_header() {
    let database = Database::new();
    let check = |words: &str, expect: &[&[&str]]| {
        let text = stdout(&database.readdb(&format!("{words} --format csv")));
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        let records: Vec<Vec<String>> =
            reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
        assert_eq!(records, expect, "{words}");
    };
    check(
        "products",
        &[
            &["sku", "name", "description", "source", "file", "edited"],
            &["B", "red", AWKWARD, "north", "a/b.csv", "false"],
            &["a", "red", "", "north", "a/b.csv", "false"],
            &["b", "blue", "", "", "", "true"],
        ],
    );
    check("aggr --limit 1", &[&["name", "no_of_products"], &["blue", "1"]]);
    check("aggr --name none", &[&["name", "no_of_products"]]);
    check(
        "rejects",
        &[&["source", "file", "line", "reason", "raw", "report"], &["north", "a/b.csv", "3", "no sku", AWKWARD, ""]],
    );
    check(
        "edits",
        &[
            &["sku", "name", "description", "hidden", "stands", "edited_at", "edited_by"],
            &["b", "blue", "", "false", "true", "2026-11-22T10:00:00Z", "ann"],
            &["x", "", "", "true", "false", "2026-11-22T10:00:00Z", "ann"],
        ],
    );
    assert_eq!(stdout(&database.readdb("aggr --format csv")), "name,no_of_products\nblue,1\nred,2\n");
    let edits = stdout(&database.readdb("edits --sku b --format csv"));
    assert!(edits.ends_with("\nb,blue,,false,true,2026-11-22T10:00:00Z,ann\n"), "null is nothing: {edits}");
    let products = stdout(&database.readdb("products --sku b --format csv"));
    assert!(products.ends_with("\nb,blue,\"\",,,true\n"), "an empty text is quoted: {products}");
}

#[test]
fn the_table_has_a_line_per_row_and_the_counts() {
    let database = Database::new();
    let text = stdout(&database.readdb("--limit 2"));
    let line = |part: &str| text.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}: {text}"));
    let shown = line("│ B ");
    assert!(shown.contains("=a, \"b\"\\r\\nc\\t\\u{1b}[31m ä"), "{shown}");
    assert!(shown.contains("north") && shown.contains("a/b.csv"), "{shown}");
    assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text:?}");
    line("2 of 3 products");
    line("2 of 2 names in aggr");
    assert!(!text.contains("│ b "), "beyond the limit: {text}");
    assert!(stdout(&database.readdb("products --name none")).ends_with("\n0 of 0 products\n"));
}

#[test]
fn programs_get_all_rows_or_are_told_that_they_do_not() {
    let mut database = Database::new();
    let (products, names): (Vec<ProductRow>, Vec<(String, i64)>) =
        (0..2_500).map(|number| (product(&format!("z{number:04}")), (format!("n{number:04}"), 1))).unzip();
    database.store.insert_products(&products, 0).unwrap();
    database.store.add_to_aggr(&names).unwrap();
    let run = |words: &str| {
        let output = database.readdb(words);
        let errors = String::from_utf8(output.stderr.clone()).unwrap();
        (stdout(&output), errors)
    };
    let rows = |words: &str| {
        let (text, errors) = run(&format!("{words} --format csv"));
        (text.lines().skip(1).filter(|line| line.starts_with(['n', 'z'])).count(), errors)
    };
    assert_eq!(rows("products"), (2_500, String::new()), "every batch");
    assert_eq!(rows("aggr"), (2_500, String::new()), "every batch");
    assert_eq!(rows("products --limit 2503"), (2_500, String::new()), "nothing was cut");
    let told = "readdb: 1,500 of 2,503 products, because of --limit\n".to_owned();
    assert_eq!(rows("products --limit 1500"), (1_497, told));
    let (text, errors) = run("--format json");
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["products"].as_array().unwrap().len(), 2_503);
    assert_eq!(json["aggr"].as_array().unwrap().len(), 2_502);
    assert_eq!(errors, "");
    let (_, errors) = run("--format json --limit 1");
    let of_names = "readdb: 1 of 2,502 names in aggr, because of --limit\n";
    assert_eq!(errors, format!("readdb: 1 of 2,503 products, because of --limit\n{of_names}"));
    assert_eq!(run("products --limit 1").1, "", "a table says it itself");
}

fn product(sku: &str) -> ProductRow {
    let text = String::new;
    ProductRow { sku: sku.to_owned(), name: text(), description: text(), file_id: None, edited: true, own: None }
}
