//! The lists as CSV: exact for programs, without formulas for people.

use serde_json::Value;

use super::{CSV, get, is_guarded, no_source, one_source, problem};
use crate::system::System;

/// Cells that a spreadsheet runs, and some that it does not; every special letter of CSV is in one of them.
const CELLS: [&str; 14] = [
    "=1+1",
    "+1",
    "-1",
    "@a",
    "\t=1",
    "\r=1",
    "plain",
    "a=1",
    " =1",
    "'=1",
    "\"quoted\"",
    "com,ma",
    "line\nend\r\nend",
    "",
];

/// Each cell is a description, and those that can be are a name; names are trimmed.
fn cells() -> System {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let row = |(number, cell): (usize, &&str)| format!("s{number:02},{0},{0}\n", quoted(cell));
    let rows: String = CELLS.iter().enumerate().map(row).collect();
    one_source(&[("=in/feed.csv", &format!("sku,name,description\n{rows}-minus,@at,x\n"))])
}

/// The records of a CSV answer, its header first.
#[track_caller]
fn records(system: &System, path: &str, headers: &[(&str, &str)]) -> Vec<Vec<String>> {
    let response = get(system, path, headers);
    assert_eq!(response.status, 200, "{}", response.text());
    assert!(response.header("content-type").unwrap().starts_with("text/csv"), "{response:?}");
    is_guarded(&response);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&response.body[..]);
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// The products of the database as CSV must give them.
fn expected(system: &System, escape: impl Fn(&str) -> String) -> Vec<Vec<String>> {
    let members = ["sku", "name", "description", "source", "file", "edited"];
    let mut expect = vec![members.map(str::to_owned).to_vec()];
    for item in system.json("/api/v1/products?limit=10000")["items"].as_array().unwrap() {
        let text = |member: &str| match &item[member] {
            Value::String(text) => escape(text),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        expect.push(members.map(text).to_vec());
    }
    expect
}

fn without_formulas(cell: &str) -> String {
    // Behind these, a spreadsheet of another country begins a cell or a row.
    let inner =
        ["\t", "\r", ";"].iter().fold(cell.to_owned(), |cell, at| cell.replace(&format!("{at}="), &format!("{at}'=")));
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell != "-1" { format!("'{inner}") } else { inner }
}

#[test]
fn csv_for_programs_is_exact_and_has_every_match() {
    let system = cells();
    assert_eq!(system.ask("PUT", "/api/v1/products/+alone", r#"{"name":"=N","description":"\r\n"}"#).status, 201);
    let all = expected(&system, str::to_owned);
    assert_eq!(all.len(), 1 + CELLS.len() + 2);
    let found = records(&system, "/api/v1/products", &[CSV]);
    assert_eq!(found, all);
    for (cell, record) in CELLS.iter().zip(found.iter().filter(|record| record[0].starts_with('s')).skip(1)) {
        assert_eq!((record[2].as_str(), record[1].as_str()), (*cell, cell.trim()));
    }
    assert_eq!(records(&system, "/api/v1/products?format=csv&raw=1", &[]), all);
    let matches = records(&system, "/api/v1/products?q=s0&source=north", &[CSV]);
    assert_eq!(matches.len(), 1 + 10);
    assert_eq!(records(&system, "/api/v1/products?q=nothing", &[CSV]), all[..1], "the header is there without rows");
}

#[test]
fn null_empty_text_and_words_for_null_stay_apart() {
    let system = one_source(&[("a.csv", "sku,name,description\n1,NULL,\n2,a,\" x\"\n")]);
    assert_eq!(system.ask("PUT", "/api/v1/products/3", r##"{"name":"","description":"#"}"##).status, 201);
    let text = get(&system, "/api/v1/products", &[CSV]).text();
    let rows = "1,\"NULL\",\"\",north,a.csv,false\n2,a,\" x\",north,a.csv,false\n3,\"\",\"#\",,,true\n";
    assert_eq!(text.split_once('\n').unwrap().1, rows);
}

#[test]
fn csv_for_people_has_no_formulas() {
    let system = cells();
    for path in ["/api/v1/products?format=csv", "/api/v1/products?format=csv&raw=0"] {
        let found = records(&system, path, &[super::BROWSER]);
        assert_eq!(found, expected(&system, without_formulas), "{path}");
        assert!(found.iter().flatten().all(|cell| without_formulas(cell) == *cell));
    }
}

#[test]
fn csv_for_spreadsheets_says_that_it_is_utf_8() {
    let system = one_source(&[("feed.csv", "sku,name\n1,-5\n2,-a\n")]);
    let begins = |path: &str, headers| get(&system, path, headers).body.starts_with("\u{feff}sku,name".as_bytes());
    assert!(begins("/api/v1/products?format=csv", &[]));
    assert!(!begins("/api/v1/products?format=csv&raw=1", &[]));
    assert!(!begins("/api/v1/products", &[CSV]));
    let names: Vec<String> =
        records(&system, "/api/v1/aggr?format=csv", &[]).into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(names, ["name", "-5", "'-a"], "a number is no formula");
}

#[test]
fn names_as_csv_are_all_of_them() {
    let system = one_source(&[("feed.csv", "sku,name\n1,=b\n2,=b\n3,\"a,\"\"x\"\"\"\n4,\n5,c\n")]);
    let check = |path: &str, headers: &[(&str, &str)], expect: &[[&str; 2]]| {
        let expect: Vec<Vec<String>> =
            [["name", "no_of_products"]].iter().chain(expect).map(|row| row.map(str::to_owned).to_vec()).collect();
        assert_eq!(records(&system, path, headers), expect, "{path}");
    };
    let all = [["", "1"], ["=b", "2"], ["a,\"x\"", "1"], ["c", "1"]];
    check("/api/v1/aggr", &[CSV], &all);
    check("/api/v1/aggr?limit=2&offset=1", &[CSV], &all[1..3]);
    check("/api/v1/aggr?offset=3", &[CSV], &all[3..]);
    check("/api/v1/aggr?order=-no_of_products", &[CSV], &[["=b", "2"], ["", "1"], ["a,\"x\"", "1"], ["c", "1"]]);
    check("/api/v1/aggr?format=csv", &[], &[["", "1"], ["'=b", "2"], ["a,\"x\"", "1"], ["c", "1"]]);
    check("/api/v1/aggr?format=csv&raw=1", &[], &all);
    check("/api/v1/aggr?q=b", &[CSV], &[["=b", "2"]]);
}

#[test]
fn csv_obeys_limit_and_after() {
    let system = one_source(&[("feed.csv", "sku,name\n1,a\n2,b\n3,c\n4,d\n")]);
    let skus = |query: &str| {
        let rows = records(&system, &format!("/api/v1/products?{query}"), &[CSV]);
        rows[1..].iter().map(|row| row[0].as_str()).collect::<String>()
    };
    assert_eq!(skus(""), "1234");
    assert_eq!(skus("limit=2"), "12");
    assert_eq!(skus("limit=2&after=2"), "34");
    assert_eq!(skus("after=3"), "4");
    assert_eq!(skus("limit=9223372036854775807"), "1234");
    for limit in ["0", "-1", "x"] {
        problem(&get(&system, &format!("/api/v1/products?limit={limit}"), &[CSV]), 400);
    }
}

#[test]
fn every_list_is_csv_too() {
    let rejects: String = (0..2_100).map(|number| format!("r{number}\n")).collect();
    let files = ["a.csv", "b.csv", "c.csv"].map(|file| (file, format!("sku,name\n1,a\n{rejects}")));
    let system = one_source(&files.each_ref().map(|(file, text)| (*file, text.as_str())));
    let id = "0123456789abcdef".repeat(2);
    assert_eq!(system.ask("POST", &format!("/api/v1/uploads?filename=u.csv&id={id}"), "sku,name\n2,b\n").status, 202);
    system.sync();
    for list in ["sources", "rejects", "uploads", "reports", "products", "aggr"] {
        let items = &system.json(&format!("/api/v1/{list}"))["items"];
        let found = records(&system, &format!("/api/v1/{list}"), &[CSV]);
        assert_eq!(found.len() - 1, items.as_array().unwrap().len(), "{list}");
        if let Some(first) = items.get(0) {
            // The times of products only if they are asked for: people copy these columns into tables of their own.
            let is_asked_for =
                |name: &&String| list != "products" || !["first_seen", "changed_at"].contains(&name.as_str());
            let members: Vec<&String> = first.as_object().unwrap().keys().filter(is_asked_for).collect();
            let mut columns: Vec<&String> = found[0].iter().collect();
            columns.sort();
            assert_eq!(columns, members, "{list}");
        }
        assert_eq!(
            records(&system, &format!("/api/v1/{list}?limit=1"), &[CSV])[1..],
            found[1..].first().cloned().into_iter().collect::<Vec<_>>(),
            "{list}"
        );
    }
    assert_eq!(records(&system, "/api/v1/rejects", &[CSV]).len(), 1 + 3 * 1_000, "read in several batches");
    assert_eq!(records(&system, "/api/v1/rejects?file=b.csv&limit=7", &[CSV]).len(), 1 + 7);
    let upload = &records(&system, "/api/v1/uploads?filename=u.csv", &[CSV])[1];
    assert_eq!((upload[0].as_str(), upload[1].as_str()), (id.as_str(), "u.csv"));
    assert_eq!(system.json("/api/v1/sources?limit=1")["items"].as_array().unwrap().len(), 1);
}

#[test]
fn the_kind_of_the_answer_is_what_accept_ranks_first() {
    let system = one_source(&[("feed.csv", "sku,name\na,b\n")]);
    let kind = |accept: &str| {
        let response = get(&system, "/api/v1/products", &[("Accept", accept)]);
        let kind = response.header("content-type").unwrap().to_owned();
        kind.split(';').next().unwrap().to_owned()
    };
    for csv in
        ["text/csv", "text/csv, */*;q=0.1", "application/json;q=0.5, text/csv", "TEXT/CSV", "text/csv;header=present"]
    {
        assert_eq!(kind(csv), "text/csv", "{csv}");
    }
    for json in ["*/*", "application/json", "text/csv;q=0.5, application/json", super::BROWSER.1, "garbage", ""] {
        assert_eq!(kind(json), "application/json", "{json}");
    }
    // What has no weight is not acceptable (RFC 9110, section 12.4.2).
    assert_eq!(kind("text/csv;q=0, */*"), "application/json");
}

#[test]
fn other_formats_are_refused_and_json_is_one() {
    let system = no_source();
    for list in ["products", "aggr"] {
        for format in ["xml", "CSV", "xls"] {
            problem(&get(&system, &format!("/api/v1/{list}?format={format}"), &[CSV]), 400);
        }
        let json = get(&system, &format!("/api/v1/{list}?format=json"), &[CSV]);
        super::answered(&json, 200);
    }
}
