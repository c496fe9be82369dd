//! Answers that are packed, and those that a client has already.

use std::io::Read;

use tributary_testkit::http;

use super::one_source;

const FEED: &[(&str, &str)] = &[("feed.csv", "sku,name\na,First\n")];

fn ask(url: &str, headers: &[(&str, &str)]) -> http::Response {
    http::request("GET", url, headers, b"").unwrap()
}

#[test]
fn pages_lists_and_assets_are_packed_for_those_who_ask() {
    let system = one_source(FEED);
    for path in ["/", "/products", "/style.css", "/live.js", "/api/v1/products", "/api/v1/products?format=csv&raw=1"] {
        let url = system.master_url(path);
        let plain = ask(&url, &[]);
        assert_eq!(plain.header("content-encoding"), None, "{path}");
        let packed = ask(&url, &[("Accept-Encoding", "gzip")]);
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{path}");
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(&packed.body[..]).read_to_end(&mut text).unwrap();
        if path.contains("api") || path.contains('.') {
            assert_eq!(text, plain.body, "{path}");
        } else {
            // The ages on a page may differ.
            assert!(text.starts_with(b"<!DOCTYPE html>"), "{path}");
        }
    }
}

#[test]
fn streams_and_workbooks_are_never_packed() {
    let system = one_source(FEED);
    let workbook = ask(&system.master_url("/api/v1/products?format=xlsx"), &[("Accept-Encoding", "gzip")]);
    assert_eq!((workbook.header("content-encoding"), &workbook.body[..2]), (None, &b"PK"[..]));
    let mut events = http::lines(&system.master_url("/api/v1/events"), &[("Accept-Encoding", "gzip")]).unwrap();
    assert_eq!(events.next().unwrap(), "retry: 1000");
}

#[test]
fn a_client_that_has_a_list_or_an_asset_gets_no_body() {
    let system = one_source(FEED);
    for path in ["/style.css", "/api/v1/products", "/api/v1/sources", "/openapi.json"] {
        let url = system.master_url(path);
        let first = ask(&url, &[]);
        let tag = first.header("etag").unwrap_or_else(|| panic!("{path} has no tag")).to_owned();
        let again = ask(&url, &[("If-None-Match", &tag)]);
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
        assert_eq!(again.header("etag"), Some(tag.as_str()), "{path}");
        let packed = ask(&url, &[("If-None-Match", &tag), ("Accept-Encoding", "gzip")]);
        assert_eq!(packed.status, 304, "{path}");
        assert_eq!(ask(&url, &[("If-None-Match", "\"another\"")]).status, 200, "{path}");
    }
    let url = system.master_url("/api/v1/products");
    let tag = ask(&url, &[]).header("etag").unwrap().to_owned();
    system.ask("PATCH", "/api/v1/products/a", r#"{"name":"By hand"}"#);
    let changed = ask(&url, &[("If-None-Match", &tag)]);
    assert_eq!(changed.status, 200, "the list has changed");
    assert_eq!(ask(&system.master_url("/"), &[]).header("etag"), None, "a page is not kept");
}
