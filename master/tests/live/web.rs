//! The HTTP of docs/reference/http-api.md, asked as foreign programs and browsers ask it; edits and events that are tested in
//! `edits` and `changes` are not tested again.

mod crowds;
mod csv_lists;
mod delivery;
mod garbage;
mod guard;
mod health;
mod history;
mod lists;
mod methods;
mod pages;
mod product;
mod rejects;
mod search;
mod source_pages;
mod sources;
mod token;
mod tokens;
mod written;
mod xlsx_lists;

use serde_json::Value;
use tributary_testkit::http::{self, Response};

use crate::system::System;

/// The `Accept` header of a browser.
const BROWSER: (&str, &str) = ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
const CSV: (&str, &str) = ("Accept", "text/csv");

/// A master with the source `north`, whose folder holds these files.
fn one_source(files: &[(&str, &str)]) -> System {
    let mut system = System::new();
    files.iter().for_each(|(path, content)| system.write("north", path, content));
    system.serve("north");
    system.configure_sources(&[("north", "")]);
    system.start_master(&[]);
    system.sync();
    system
}

/// A master without a source.
fn no_source() -> System {
    let mut system = System::new();
    system.start_master(&[]);
    system
}

/// A request with headers.
#[track_caller]
fn send(system: &System, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
    // A `POST` of HTTP/1.0 must say that it has no body (RFC 1945, section 8.3).
    let length: &[_] = if body.is_empty() && method == "POST" { &[("Content-Length", "0")] } else { &[] };
    http::request(method, &system.master_url(path), &[headers, length].concat(), body.as_bytes()).unwrap()
}

/// `GET` with headers.
#[track_caller]
fn get(system: &System, path: &str, headers: &[(&str, &str)]) -> Response {
    send(system, "GET", path, headers, "")
}

/// The path of a product; every byte of its sku is encoded.
fn product_path(sku: &str) -> String {
    format!("/api/v1/products/{}", encoded(sku))
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The JSON of an answer with this status.
#[track_caller]
fn answered(response: &Response, status: u16) -> Value {
    assert_eq!(response.status, status, "{}", response.text());
    assert_eq!(response.header("content-type"), Some("application/json"), "{}", response.text());
    is_guarded(response);
    serde_json::from_slice(&response.body).unwrap()
}

/// The problem that an answer with this status carries (RFC 9457).
#[track_caller]
pub(in crate::live) fn problem(response: &Response, status: u16) -> Value {
    assert_eq!(response.status, status, "{}", response.text());
    assert_eq!(response.header("content-type"), Some("application/problem+json"), "{}", response.text());
    is_guarded(response);
    let problem: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(problem["status"], status, "{problem}");
    assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
    problem
}

/// The page that an answer with this status is.
#[track_caller]
fn page(response: &Response, status: u16) -> String {
    assert_eq!(response.status, status, "{}", response.text());
    let kind = response.header("content-type").unwrap();
    assert!(kind.starts_with("text/html"), "{kind}: {}", response.text());
    is_guarded(response);
    response.text()
}

/// Every answer says that its type is not to be guessed, and what a page may load.
#[track_caller]
fn is_guarded(response: &Response) {
    assert_eq!(response.header("x-content-type-options"), Some("nosniff"), "{response:?}");
    let policy = response.header("content-security-policy").unwrap_or_else(|| panic!("no policy: {response:?}"));
    let directives: Vec<&str> = policy.split(';').map(str::trim).collect();
    assert!(directives.iter().any(|it| matches!(*it, "default-src 'none'" | "default-src 'self'")), "{policy}");
    // These do not fall back to `default-src`.
    for own in ["base-uri", "form-action", "frame-ancestors"] {
        assert!(directives.iter().any(|it| it.starts_with(own)), "{policy} says nothing of {own}");
    }
    for loose in ["unsafe", "*", "http:", "https:", "data:"] {
        assert!(!policy.contains(loose), "{policy} is not strict");
    }
}

/// The `items` of a list as texts of one of their members.
fn column(list: &Value, member: &str) -> Vec<String> {
    let items = list["items"].as_array().unwrap();
    items.iter().map(|item| item[member].as_str().unwrap_or_else(|| panic!("{item}")).to_owned()).collect()
}
