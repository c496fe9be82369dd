//! `GET /api/v1/products/{sku}`: any sku in a path, and the offers of one.

use std::io::Write;

use serde_json::{Value, json};

use super::{answered, encoded, is_guarded, no_source, one_source, problem, product_path, send};
use crate::system::System;

/// Skus that mean something else where a path is taken apart, cleaned up or decoded twice.
const SKUS: [&str; 22] = [
    "a/b",
    "a/edit",
    "edit",
    "/",
    "//",
    "%",
    "%41",
    "%2F",
    "a+b",
    "a b",
    "a?b=c",
    "a#b",
    "..",
    ".",
    "../products",
    "ä€\u{1f600}",
    "e\u{301}",
    "a;b=c",
    "a\\b",
    "<b>\"'&",
    "a\nb",
    "{sku}",
];

#[test]
fn any_sku_is_found_under_its_encoded_path() {
    let quoted = |sku: &&str| format!("\"{}\",\"name of {0}\"\n", sku.replace('"', "\"\""));
    let rows: String = SKUS.iter().map(quoted).collect();
    // What they would be mistaken for.
    let system = one_source(&[("feed.csv", &format!("sku,name\n{rows}a,wrong\nA,wrong\nb,wrong\né,wrong\n"))]);
    for sku in SKUS {
        let path = product_path(sku);
        let product = answered(&system.ask("GET", &path, ""), 200);
        assert_eq!((product["sku"].as_str(), &product["edit"]), (Some(sku), &json!(null)), "{path}");
        let patched = answered(&system.ask("PATCH", &path, r#"{"description":"mine"}"#), 200);
        assert_eq!((patched["sku"].as_str(), patched["description"].as_str()), (Some(sku), Some("mine")), "{path}");
        assert_eq!(send(&system, "DELETE", &format!("{path}/edit"), &[], "").status, 204);
        let cleared = answered(&system.ask("GET", &path, ""), 200);
        assert_eq!((cleared["name"].clone(), cleared["description"].as_str()), (product["name"].clone(), Some("")));
        // The form leads to the product by its sku in a query.
        let body = format!("sku={}&name=formed", encoded(sku));
        let saved = system.ask("POST", "/update", &body);
        assert_eq!(saved.status, 303, "{sku:?}: {}", saved.text());
        let shown = system.ask("GET", saved.header("location").unwrap(), "");
        assert_eq!(shown.status, 200, "{sku:?}: {:?}", saved.header("location"));
        assert!(shown.text().contains("formed"), "{sku:?}");
    }
    assert_eq!(system.table("edits").len(), SKUS.len());
    // Only what must be encoded is: the same product.
    for (path, sku) in [("a+b", "a+b"), ("a;b=c", "a;b=c"), ("%2e%2E", ".."), ("..", ".."), ("a%2Fedit", "a/edit")] {
        let product = answered(&system.ask("GET", &format!("/api/v1/products/{path}"), ""), 200);
        assert_eq!(product["sku"], sku, "{path}");
    }
    // What stands behind a `?` or a `/` that is not encoded is not part of the sku; nobody may hide `a` who means `a?b`.
    let refused = problem(&send(&system, "DELETE", "/api/v1/products/a?b", &[], ""), 400);
    assert!(refused["detail"].as_str().unwrap().contains("%3F"), "{refused}");
    problem(&system.ask("GET", "/api/v1/products/a/b", ""), 404);
}

#[test]
fn a_sku_is_trimmed_and_compared_exactly() {
    let system = one_source(&[("feed.csv", "sku,name\na,x\né,y\n")]);
    for typed in [" a ", "\u{a0}a\u{2003}", "a\n", "\u{3000}a"] {
        assert_eq!(answered(&system.ask("GET", &product_path(typed), ""), 200)["sku"], "a", "{typed:?}");
    }
    for other in ["A", "e\u{301}", "aa", "\u{feff}a", "a\u{200b}"] {
        let unknown = problem(&system.ask("GET", &product_path(other), ""), 404);
        assert_eq!((&unknown["offers"], &unknown["edit"]), (&json!([]), &json!(null)), "{other:?}");
    }
}

#[test]
fn an_unknown_sku_has_no_offers_and_no_edit() {
    let system = no_source();
    for sku in ["nowhere", "a/edit", &"x".repeat(1024)] {
        let unknown = problem(&system.ask("GET", &product_path(sku), ""), 404);
        assert!(unknown.get("offers").is_some_and(|offers| *offers == json!([])), "{unknown}");
        assert!(unknown.get("edit").is_some_and(Value::is_null), "{unknown}");
        let patched = problem(&system.ask("PATCH", &product_path(sku), r#"{"name":"x"}"#), 404);
        assert!(patched.get("offers").is_some() && patched.get("edit").is_some(), "{patched}");
    }
    assert_eq!(system.table("edits"), Vec::<Value>::new());
}

#[test]
fn a_sku_that_cannot_be_one_is_refused() {
    let system = no_source();
    let put = |path: &str| system.ask("PUT", &format!("/api/v1/products/{path}"), r#"{"name":"n","description":"d"}"#);
    for (method, body) in [("GET", ""), ("PUT", r#"{"name":"n","description":"d"}"#), ("PATCH", "{}"), ("DELETE", "")] {
        let ask = |path: &str| system.ask(method, &format!("/api/v1/products/{path}"), body);
        for invalid in ["%FF", "a%C3", "%ED%A0%80", "%C0%AF", "a%80b"] {
            problem(&ask(invalid), 400);
        }
        for nul in ["%00", "a%00b", "a%00"] {
            problem(&ask(nul), 422);
        }
    }
    for blank in ["%20", "%C2%A0", "%0A%09"] {
        problem(&put(blank), 422);
    }
    problem(&put(&"x".repeat(1025)), 422);
    problem(&put(&encoded(&"ä".repeat(513))), 422);
    assert_eq!(system.json("/api/v1/products")["items"], json!([]));
    // The longest that may be: 1 KiB of bytes, each written as three.
    for longest in ["x".repeat(1024), "ä".repeat(512)] {
        assert_eq!(answered(&put(&encoded(&longest)), 201)["sku"], longest.as_str());
        assert_eq!(answered(&system.ask("GET", &product_path(&longest), ""), 200)["name"], "n");
    }
    // A percent sign that encodes nothing stands for itself or is refused, and does no harm.
    for path in ["%", "%zz", "a%2"] {
        let response = put(path);
        assert!([201, 400, 422].contains(&response.status), "{path}: {}", response.text());
        is_guarded(&response);
    }
}

/// The offers in a product or in a problem: (source, file, row, name, wins).
fn offers(answer: &Value) -> Vec<(String, String, u64, String, bool)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut offers: Vec<_> = answer["offers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|offer| {
            assert!(offer["description"].is_string(), "{offer}");
            let (row, wins) = (offer["row"].as_u64().unwrap(), offer["wins"].as_bool().unwrap());
            (text(&offer["source"]), text(&offer["file"]), row, text(&offer["name"]), wins)
        })
        .collect();
    offers.sort_unstable();
    offers
}

#[test]
fn a_winning_delete_hides_the_sku_and_the_offers_tell_why() {
    let mut system = System::new();
    system.write("north", "a.csv", "sku,name,description\na,North,n\n");
    system.write("north", "b.csv", "sku,name,op\n\na,,delete\n");
    system.write("south", "a.csv", "sku,name\n");
    system.serve("north");
    system.serve("south");
    system.configure_sources(&[("north", ""), ("south", "")]);
    system.start_master(&[]);
    system.sync();
    let hidden = problem(&system.ask("GET", "/api/v1/products/a", ""), 404);
    let offer = |source: &str, file: &str, row: u64, name: &str, wins: bool| {
        (source.to_owned(), file.to_owned(), row, name.to_owned(), wins)
    };
    let expect = [offer("north", "a.csv", 2, "North", false), offer("north", "b.csv", 3, "", true)];
    assert_eq!((offers(&hidden), &hidden["edit"]), (expect.to_vec(), &json!(null)));
    problem(&system.ask("PATCH", "/api/v1/products/a", r#"{"name":"x"}"#), 404);
    super::page(&system.ask("POST", "/update", "sku=a&name=x"), 404);

    // A delete that does not win hides nothing, and no delete can win over a product that stands.
    system.write("south", "a.csv", "sku,name\na,South\n");
    system.sync();
    let shown = answered(&system.ask("GET", "/api/v1/products/a", ""), 200);
    let expect = [
        offer("north", "a.csv", 2, "North", false),
        offer("north", "b.csv", 3, "", false),
        offer("south", "a.csv", 2, "South", true),
    ];
    assert_eq!((offers(&shown), &shown["source"]), (expect.to_vec(), &json!("south")));
    system.write("south", "a.csv", "sku,name\n");
    system.sync();
    problem(&system.ask("GET", "/api/v1/products/a", ""), 404);
    let put = answered(&system.ask("PUT", "/api/v1/products/a", r#"{"name":"Mine","description":""}"#), 201);
    assert_eq!((&put["name"], offers(&put).len()), (&json!("Mine"), 2));
    answered(&system.ask("GET", "/api/v1/products/a", ""), 200);
    assert_eq!(system.ask("DELETE", "/api/v1/products/a/edit", "").status, 204);
    problem(&system.ask("GET", "/api/v1/products/a", ""), 404);
}

#[test]
fn the_row_of_an_offer_is_the_line_on_which_it_begins() {
    // Line breaks in fields, empty lines, rejects and CR LF count; the last good row for a sku is the offer.
    let content = "sku,name,description\r\n\r\na,First,\"two\nlines\"\r\nb,B,\r\n,no sku,\r\na,Second,x\r\nc,\"C\r\nC\",\r\na,bad\r\nd,D,";
    let rows = |system: &System, expect: &[(&str, u64, &str)]| {
        for (sku, row, name) in expect {
            let product = answered(&system.ask("GET", &format!("/api/v1/products/{sku}"), ""), 200);
            let found: Vec<(u64, String)> = offers(&product).into_iter().map(|offer| (offer.2, offer.3)).collect();
            assert_eq!(found, [(*row, (*name).to_owned())], "{sku}");
        }
    };
    let expect = [("a", 7, "Second"), ("b", 5, "B"), ("c", 8, "C\r\nC"), ("d", 11, "D")];
    let system = one_source(&[("feed.csv", content)]);
    rows(&system, &expect);
    // The same content elsewhere in the file: nothing is shown otherwise, but the rows have moved.
    system.write("north", "feed.csv", content.replacen("\r\n\r\n", "\r\n\r\n\r\n,no sku,\r\n", 1));
    system.sync();
    rows(&system, &expect.map(|(sku, row, name)| (sku, row + 2, name)));
    // Packed, and in another encoding: lines are lines.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(content.as_bytes()).unwrap();
    let system = one_source(&[]);
    system.write("north", "feed.csv.gz", packed.finish().unwrap());
    system.sync();
    rows(&system, &expect);
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(content.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let system = one_source(&[]);
    system.write("north", "feed.csv", wide);
    system.sync();
    rows(&system, &expect);
}

#[test]
fn the_rows_of_a_long_file_are_right_everywhere() {
    let (mut content, mut line, mut expect) = ("sku,name,description\n".to_owned(), 2, Vec::new());
    for number in 0..5_000u64 {
        let breaks = number as usize % 4;
        expect.push((format!("s{}", number * 7_919 % 5_000), line));
        content += &format!("s{},N,\"x{}\"\n", number * 7_919 % 5_000, "\n".repeat(breaks));
        line += 1 + breaks as u64;
    }
    let system = one_source(&[("feed.csv", &content)]);
    for (sku, line) in expect.iter().step_by(97).chain(expect.last()) {
        let product = answered(&system.ask("GET", &format!("/api/v1/products/{sku}"), ""), 200);
        assert_eq!(offers(&product)[0].2, *line, "{sku}");
    }
}
