//! Bodies that `PUT` and `PATCH` of a product take, and those that they refuse.

use serde_json::{Value, json};

use super::{answered, no_source, one_source, problem, send};

const LIMIT: usize = 8 << 20;

#[test]
fn a_body_that_does_not_fit_is_unprocessable_and_changes_nothing() {
    let system = one_source(&[("feed.csv", "sku,name,description\na,First,d\n")]);
    let both = [
        r#"{"name":"n","description":"d","price":1}"#,
        r#"{"name":"n","description":"d","sku":"b"}"#,
        r#"{"Name":"n","name":"n","description":"d"}"#,
        r#"{"name":1,"description":"d"}"#,
        r#"{"name":"n","description":true}"#,
        r#"{"name":["n"],"description":"d"}"#,
        r#"{"name":{"a":1},"description":"d"}"#,
        r#"{"name":"n","name":"m","description":"d"}"#,
        r#"{"name":"n","description":"d","description":null}"#,
        r#"{"name":"a\u0000b","description":"d"}"#,
        r#"{"name":"n","description":"\u0000"}"#,
        r#""name""#,
        "null",
        "1",
        "true",
    ];
    for body in both {
        problem(&system.ask("PUT", "/api/v1/products/a", body), 422);
        problem(&system.ask("PUT", "/api/v1/products/new", body), 422);
        problem(&system.ask("PATCH", "/api/v1/products/a", body), 422);
    }
    for missing in ["{}", r#"{"name":"n"}"#, r#"{"description":"d"}"#, r#"{"name":null,"description":"d"}"#] {
        problem(&system.ask("PUT", "/api/v1/products/a", missing), 422);
        problem(&system.ask("PUT", "/api/v1/products/new", missing), 422);
    }
    let long = json!({"name": "x".repeat(2049), "description": ""}).to_string();
    problem(&system.ask("PUT", "/api/v1/products/a", &long), 422);
    problem(&system.ask("PATCH", "/api/v1/products/a", &long), 422);
    let longest = json!({"name": "x".repeat(2048), "description": ""}).to_string();
    answered(&system.ask("PUT", "/api/v1/products/b", &longest), 201);
    assert_eq!(system.table("edits").len(), 1);
    assert_eq!(answered(&system.ask("GET", "/api/v1/products/a", ""), 200)["name"], "First");
}

#[test]
fn an_array_is_no_object() {
    let system = one_source(&[("feed.csv", "sku,name\na,First\n")]);
    for array in [r#"["n","d"]"#, "[]", r#"["n"]"#, r#"[{"name":"n","description":"d"}]"#] {
        problem(&system.ask("PUT", "/api/v1/products/new", array), 422);
        problem(&system.ask("PATCH", "/api/v1/products/a", array), 422);
    }
    assert_eq!(system.table("edits"), Vec::<Value>::new());
}

#[test]
fn a_body_that_is_no_json_is_a_bad_request() {
    let system = one_source(&[("feed.csv", "sku,name\na,First\n")]);
    let deep = "[".repeat(100_000);
    for broken in [
        "",
        " ",
        "{",
        r#"{"name":"n""#,
        r#"{"name":"n","description":"d"}x"#,
        "name=n",
        r#"{"name":"\ud800","description":""}"#,
        "{'name':1}",
        &deep,
    ] {
        for (method, sku) in [("PUT", "new"), ("PATCH", "a")] {
            let response = system.ask(method, &format!("/api/v1/products/{sku}"), broken);
            // What nests without end may be called either.
            let expect = if broken == deep && response.status == 422 { 422 } else { 400 };
            problem(&response, expect);
        }
    }
    for invalid in [&b"{\"name\":\"\xff\",\"description\":\"\"}"[..], b"\xff\xfe{\0}\0", b"\0"] {
        let url = system.master_url("/api/v1/products/new");
        problem(&tributary_testkit::http::request("PUT", &url, &[], invalid).unwrap(), 400);
    }
    assert_eq!(system.table("edits"), Vec::<Value>::new());
}

#[test]
fn json_is_taken_whatever_its_type_is_called() {
    let system = no_source();
    let body = r#"{"name":" N\t","description":" \u00e4\r\n "}"#;
    for kind in ["application/json", "application/json; charset=utf-8", "application/merge-patch+json"] {
        let response = send(&system, "PUT", "/api/v1/products/a", &[("Content-Type", kind)], body);
        assert!([200, 201].contains(&response.status), "{kind}: {}", response.text());
    }
    let product = system.json("/api/v1/products/a");
    assert_eq!((&product["name"], &product["description"]), (&json!("N"), &json!(" ä\r\n ")));
}

#[test]
fn a_body_of_eight_mebibytes_is_taken_and_one_byte_more_is_not() {
    let system = no_source();
    let body = r#"{"name":"n","description":"d"}"#;
    let padded = |bytes: usize| body.to_owned() + &" ".repeat(bytes - body.len());
    answered(&system.ask("PUT", "/api/v1/products/a", &padded(LIMIT)), 201);
    for (method, path) in [("PUT", "/api/v1/products/b"), ("PATCH", "/api/v1/products/a"), ("POST", "/update")] {
        problem(&system.ask(method, path, &padded(LIMIT + 1)), 413);
        // Without a length that is told beforehand.
        let url = system.master_url("");
        let mut chunked = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        let piece = format!("{:x}\r\n{}\r\n", 1 << 20, " ".repeat(1 << 20));
        chunked += &(piece.repeat(9) + "0\r\n\r\n");
        problem(&tributary_testkit::http::exchange(&url, chunked.as_bytes()).unwrap(), 413);
        assert_eq!(system.ask("GET", "/healthz", "").status, 200);
    }
    assert_eq!(system.table("products").len(), 1);
}

#[test]
fn what_is_too_long_for_a_field_is_refused_and_what_fits_is_kept() {
    let system = no_source();
    // A description of a mebibyte, as in a file, of which every byte is escaped, fits into a body.
    let escaped = format!(r#"{{"name":"","description":"{}"}}"#, r"\u0001".repeat(1 << 20));
    let product = answered(&system.ask("PUT", "/api/v1/products/a", &escaped), 201);
    assert_eq!(product["description"].as_str().unwrap(), "\u{1}".repeat(1 << 20));
    assert_eq!(product["name"], "");
}

#[test]
fn an_empty_patch_is_answered_and_is_no_edit() {
    let system = one_source(&[("feed.csv", "sku,name,description\na,First,d\n")]);
    let product = answered(&system.ask("PATCH", "/api/v1/products/a", "{}"), 200);
    assert_eq!(
        (&product["name"], &product["edited"], &product["edit"]),
        (&json!("First"), &json!(false), &json!(null))
    );
    let product = answered(&system.ask("PATCH", "/api/v1/products/a", r#"{"name":null,"description":null}"#), 200);
    assert_eq!((&product["name"], &product["edited"]), (&json!("First"), &json!(false)));
    assert_eq!(system.ask("DELETE", "/api/v1/products/a/edit", "").status, 204);
    problem(&system.ask("PATCH", "/api/v1/products/nowhere", "{}"), 404);
    assert_eq!(system.table("edits"), Vec::<Value>::new());
    // Over an edit it keeps all of it, and the moment of its last change too.
    let patched = answered(&system.ask("PATCH", "/api/v1/products/a", r#"{"name":"Mine"}"#), 200);
    assert_eq!(answered(&system.ask("PATCH", "/api/v1/products/a", "{}"), 200), patched);
}
