//! `GET /api/v1/products` and `/api/v1/aggr` as JSON: what is in them, in which order, cut down and page by page.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tributary_testkit::feed;

use super::{answered, column, encoded, get, no_source, one_source, problem};
use crate::system::System;

/// Skus whose order by bytes differs from that of words and from that of UTF-16; one is the beginning of another.
const SKUS: [&str; 14] =
    ["\u{10000}", "\u{ffff}", "é", "e\u{301}", "z", "aa", "a", "a b", "a/b", "Z", "10", "9", "a%b", "%"];

fn by_bytes() -> Vec<String> {
    let mut skus: Vec<String> = SKUS.iter().map(|sku| (*sku).to_owned()).collect();
    skus.sort_unstable();
    skus
}

fn odd_skus() -> System {
    let rows: String = SKUS.iter().map(|sku| format!("{sku},N\n")).collect();
    one_source(&[("feed.csv", &format!("sku,name\n{rows}"))])
}

/// `q` and its like percent-encoded into a query.
fn skus(system: &System, query: &[(&str, &str)]) -> Vec<String> {
    let query: String = query.iter().map(|(key, value)| format!("{key}={}&", encoded(value))).collect();
    column(&system.json(&format!("/api/v1/products?{query}")), "sku")
}

#[test]
/// docs/reference/http-api.md#products
fn a_product_has_the_fields_of_the_reference() {
    let system = one_source(&[("in/feed.csv", "sku,name,description\n a , Näme ,\" d\n\"\nb,,\n")]);
    assert_eq!(system.ask("PATCH", "/api/v1/products/b", r#"{"description":"mine"}"#).status, 200);
    assert_eq!(system.ask("PUT", "/api/v1/products/c", r#"{"name":"N","description":"d"}"#).status, 201);
    let mut list = answered(&system.ask("GET", "/api/v1/products", ""), 200);
    for product in list["items"].as_array_mut().unwrap() {
        let mut time = |member: &str| {
            let time = product.as_object_mut().unwrap().remove(member).unwrap();
            chrono::DateTime::parse_from_rfc3339(time.as_str().unwrap()).unwrap()
        };
        assert!(time("first_seen") <= time("changed_at"));
    }
    let expect = json!({"items": [
        {"sku": "a", "name": "Näme", "description": " d\n", "source": "north", "file": "in/feed.csv", "edited": false},
        {"sku": "b", "name": "", "description": "mine", "source": "north", "file": "in/feed.csv", "edited": true},
        {"sku": "c", "name": "N", "description": "d", "source": null, "file": null, "edited": true},
    ], "next": null, "previous": null});
    assert_eq!(list, expect);
}

#[test]
fn an_empty_database_gives_empty_lists() {
    let system = no_source();
    assert_eq!(system.json("/api/v1/products"), json!({"items": [], "next": null, "previous": null}));
    assert_eq!(system.json("/api/v1/aggr"), json!({"items": [], "total": 0}));
    assert_eq!(system.json("/api/v1/sources"), json!({"items": []}));
    assert_eq!(system.json("/api/v1/rejects"), json!({"items": [], "next": null}));
    assert_eq!(system.json("/api/v1/reports"), json!({"items": []}));
    // Where there is no report, nothing leads to them.
    assert!(!super::get(&system, "/", &[]).text().contains("/reports"));
}

#[test]
fn pages_of_any_size_have_every_sku_once_in_order_of_bytes() {
    let system = odd_skus();
    for limit in [1, 2, 3, 7, 13, 14, 15, 10_000] {
        let (mut found, mut after, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = system.json(&format!("/api/v1/products?limit={limit}{after}"));
            let skus = column(&page, "sku");
            assert!(skus.len() <= limit, "{page}");
            let last = skus.last().cloned();
            found.extend(skus);
            pages += 1;
            let Some(next) = page["next"].as_str() else { break };
            assert_eq!(Some(next), last.as_deref(), "`next` goes on behind the page's last sku");
            after = format!("&after={}", encoded(next));
        }
        assert_eq!(found, by_bytes(), "limit {limit}");
        assert_eq!(pages, SKUS.len().div_ceil(limit), "limit {limit}: no page is empty");
    }
    // A sku to go on from need not be there, nor be a sku that could be.
    assert_eq!(skus(&system, &[("after", "a a")])[0], "a b");
    assert_eq!(skus(&system, &[("after", "\u{10ffff}")]), [""; 0]);
    assert_eq!(skus(&system, &[("after", &"a".repeat(3_000))])[0], "e\u{301}");
    assert_eq!(skus(&system, &[("after", "")]), by_bytes());
}

#[test]
fn a_hundred_rows_are_a_page_where_nothing_is_said_and_ten_thousand_are_the_most() {
    let mut large = Vec::new();
    feed::write(&mut large, 12_000, 0, 3).unwrap();
    let system = one_source(&[("feed.csv", &String::from_utf8(large).unwrap())]);
    let all: Vec<String> = system.products().into_keys().collect();
    assert!(all.len() > 10_000, "{}", all.len());
    assert_eq!(column(&system.json("/api/v1/products"), "sku"), all[..100]);
    assert_eq!(system.json("/api/v1/aggr")["items"].as_array().unwrap().len(), 100);
    let first = system.json("/api/v1/products?limit=10000");
    let rest = system.json(&format!("/api/v1/products?limit=10000&after={}", first["next"].as_str().unwrap()));
    assert_eq!([column(&first, "sku"), column(&rest, "sku")].concat(), all);
    assert_eq!(rest["next"], json!(null));

    // The whole as CSV is longer than what is read at a time.
    let whole = get(&system, "/api/v1/products", &[super::CSV]);
    let mut reader = csv::Reader::from_reader(&whole.body[..]);
    let found: Vec<String> = reader.records().map(|record| record.unwrap()[0].to_owned()).collect();
    assert_eq!(found, all);
}

#[test]
fn a_limit_that_is_none_is_refused() {
    let system = no_source();
    for list in ["products", "aggr"] {
        for limit in ["0", "-1", "10001", "x", "1.5", "1e3", "99999999999999999999", "%FF"] {
            problem(&system.ask("GET", &format!("/api/v1/{list}?limit={limit}"), ""), 400);
        }
        problem(&system.ask("GET", &format!("/api/v1/{list}?limit=%00"), ""), 422);
    }
    for offset in ["-1", "x", "9223372036854775808"] {
        problem(&system.ask("GET", &format!("/api/v1/aggr?offset={offset}"), ""), 400);
    }
    for order in ["sku", "-name", "no_of_products", "name;drop", "%2Dno_of_products%01"] {
        problem(&system.ask("GET", &format!("/api/v1/aggr?order={order}"), ""), 400);
    }
}

#[test]
fn q_is_a_part_of_the_sku_or_the_name_and_no_pattern() {
    let rows = "ab1,Red Chair\nAB2,red chair\n100%,Full\n1000,Half_way\na_b,Ünder\n\"q\"\"x\",O'Neil\n";
    let system =
        one_source(&[("feed.csv", &format!("sku,name\n{rows}")), ("more.csv", "sku,name,description\nd,,ab1\n")]);
    let check = |part: &str, expect: &[&str]| assert_eq!(skus(&system, &[("q", part)]), expect, "{part:?}");
    check("ab", &["ab1"]);
    check("AB", &["AB2"]);
    check("red", &["AB2"]);
    check("d C", &["ab1"]);
    check("%", &["100%"]);
    check("_", &["1000", "a_b"]);
    check("a_", &["a_b"]);
    check("0%", &["100%"]);
    check("*", &[]);
    check("?", &[]);
    check("\\", &[]);
    check("Ü", &["a_b"]);
    check("ü", &[]);
    check("'", &["q\"x"]);
    check("\"", &["q\"x"]);
    check(" ", &["AB2", "ab1"]);
    assert_eq!(system.ask("GET", "/api/v1/products?q=%00", "").status, 422, "no text has a NUL byte");
    check("", &["100%", "1000", "AB2", "a_b", "ab1", "d", "q\"x"]);
    // In a query a blank may be written as a plus.
    assert_eq!(column(&system.json("/api/v1/products?q=Red+Ch"), "sku"), ["ab1"]);
    // What an edit shows is found, and what it lies over is not.
    assert_eq!(system.ask("PATCH", "/api/v1/products/ab1", r#"{"name":"Blue"}"#).status, 200);
    check("Blue", &["ab1"]);
    check("Red", &[]);
    // A part, page by page.
    let first = system.json("/api/v1/products?q=a&limit=1");
    assert_eq!((column(&first, "sku"), &first["next"]), (vec!["1000".into()], &json!("1000")));
    let rest = system.json("/api/v1/products?q=a&limit=3&after=1000");
    let expect = ["AB2", "a_b", "ab1"].map(str::to_owned).to_vec();
    assert_eq!((column(&rest, "sku"), &rest["next"]), (expect, &json!(null)));
}

#[test]
fn name_and_source_are_exact_and_all_filters_must_hold() {
    let mut system = System::new();
    system.write("north", "a.csv", "sku,name\na,One\nb,Two\nc,one\ne,\n");
    system.write("south", "a.csv", "sku,name\nb,Two\nd,One\n");
    system.serve("north");
    system.serve("south");
    system.configure_sources(&[("north", ""), ("south", "")]);
    system.start_master(&[]);
    system.sync();
    assert_eq!(system.ask("PUT", "/api/v1/products/f", r#"{"name":"One","description":""}"#).status, 201);
    let check = |query: &[(&str, &str)], expect: &[&str]| assert_eq!(skus(&system, query), expect, "{query:?}");
    check(&[("name", "One")], &["a", "d", "f"]);
    check(&[("name", "On")], &[]);
    check(&[("name", "On_")], &[]);
    check(&[("name", "")], &["e"]);
    // The winner's source, not that of any offer; what stands alone has none.
    check(&[("source", "north")], &["a", "c", "e"]);
    check(&[("source", "south")], &["b", "d"]);
    check(&[("source", "North")], &[]);
    check(&[("source", "west")], &[]);
    check(&[("source", "south"), ("name", "One")], &["d"]);
    check(&[("source", "north"), ("q", "n")], &["a", "c"]);
    check(&[("source", "north"), ("q", "n"), ("name", "one")], &["c"]);
    check(&[("source", "north"), ("after", "a"), ("limit", "1")], &["c"]);
    // Offered by north again once south's offer has gone.
    system.write("south", "a.csv", "sku,name\nd,One\n");
    system.sync();
    assert_eq!(skus(&system, &[("source", "north")]), ["a", "b", "c", "e"]);
}

/// The names of a page of `aggr` with their counts.
fn names(list: &Value) -> Vec<(String, i64)> {
    let counts = list["items"].as_array().unwrap().iter().map(|item| {
        assert_eq!(item.as_object().unwrap().len(), 2, "{item}");
        item["no_of_products"].as_i64().unwrap()
    });
    column(list, "name").into_iter().zip(counts).collect()
}

#[test]
fn names_are_counted_ordered_and_cut_down() {
    let rows = "1,b\n2,b\n3,b\n4,B\n5,a%\n6,a%\n7,a_\n8,a_\n9,\n10,é\n11,ab\n";
    let system = one_source(&[("feed.csv", &format!("sku,name\n{rows}"))]);
    let check = |query: &str, expect: &[(&str, i64)], total: i64| {
        let list = system.json(&format!("/api/v1/aggr?{query}"));
        let expect: Vec<_> = expect.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        assert_eq!((names(&list), list["total"].as_i64().unwrap()), (expect, total), "{query}");
    };
    let by_name = [("", 1), ("B", 1), ("a%", 2), ("a_", 2), ("ab", 1), ("b", 3), ("é", 1)];
    let by_count = [("b", 3), ("a%", 2), ("a_", 2), ("", 1), ("B", 1), ("ab", 1), ("é", 1)];
    check("", &by_name, 7);
    check("order=name", &by_name, 7);
    check("order=-no_of_products", &by_count, 7);
    check("limit=2", &by_name[..2], 7);
    check("limit=3&offset=2", &by_name[2..5], 7);
    check("limit=3&offset=6", &by_name[6..], 7);
    check("offset=7", &[], 7);
    check("offset=9223372036854775807", &[], 7);
    check("order=-no_of_products&limit=2&offset=1", &by_count[1..3], 7);
    check("q=b", &[("ab", 1), ("b", 3)], 2);
    check("q=b&limit=1&offset=1", &[("b", 3)], 2);
    check("q=b&order=-no_of_products", &[("b", 3), ("ab", 1)], 2);
    check("q=%25", &[("a%", 2)], 1);
    check("q=_", &[("a_", 2)], 1);
    check("q=", &by_name, 7);
    check("q=zz", &[], 0);
    // It follows edits: the names of `products` are what is counted.
    assert_eq!(system.ask("PATCH", "/api/v1/products/4", r#"{"name":"b"}"#).status, 200);
    assert_eq!(system.ask("DELETE", "/api/v1/products/10", "").status, 204);
    let counted = names(&system.json("/api/v1/aggr")).into_iter().collect::<BTreeMap<_, _>>();
    let of_products = system.products().into_values().fold(BTreeMap::new(), |mut counts, (name, _)| {
        *counts.entry(name).or_insert(0) += 1;
        counts
    });
    assert_eq!(counted, of_products);
    assert_eq!((counted["b"], counted.get("B"), counted.get("é")), (4, None, None));
}

#[test]
fn an_unknown_parameter_is_refused_with_the_known_ones() {
    let system = no_source();
    for (path, known) in [
        (
            "/api/v1/products",
            "`q`, `name`, `source`, `edited`, `after`, `before`, `sort`, `columns`, `limit`, `format`, `raw`, and the columns",
        ),
        ("/api/v1/aggr", "`q`, `limit`, `offset`, `order`, `format`, `raw`"),
        ("/api/v1/sources", "`limit`, `format`, `raw`"),
        ("/api/v1/rejects", "`source`, `report`, `file`, `limit`, `format`, `raw`"),
        ("/api/v1/reports", "`limit`, `format`, `raw`"),
        ("/api/v1/uploads", "`filename`, `limit`, `format`, `raw`"),
        ("/products", "`q`, `name`, `source`, `edited`, `after`"),
        ("/names", "`q`, `offset`, `sort`, `after`"),
        ("/rejects", "`source`, `file`, `report`"),
        ("/", "`sku`, `name`, `description`"),
    ] {
        let problem = problem(&system.ask("GET", &format!("{path}?after=&limits=5"), ""), 400);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("` is unknown") && detail.contains(known), "{path}: {detail}");
        assert!(!detail.contains("Query deserialize"), "{path}: {detail}");
    }
    let upload = problem(&system.ask("POST", "/api/v1/uploads?name=a.csv", "sku,name\n"), 400);
    assert!(upload["detail"].as_str().unwrap().contains("`filename`, `id`, `replace`"), "{upload}");
}
