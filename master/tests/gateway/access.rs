//! Keys, and pages of other sites.

use std::fs;

use serde_json::Value;
use tributary_testkit::{http::Response, process};

use super::{Master, SALES, file, form, refused};
use crate::system::System;

const PAGE: &str = "http://localhost:5173";

#[test]
fn a_key_is_a_token_with_a_role() {
    let system = System::new();
    let (reader, sender) = ("reader-0123456789".repeat(2), "sender-0123456789".repeat(2));
    fs::write(system.home().join("tokens"), format!("ann read {reader}\nbob upload {sender}\n")).unwrap();
    let master = Master::start(&system, &["--token-file", "tokens"]);
    let form = form(&[file("sales.csv", SALES)]);
    assert_eq!(refused(&master.send(&form, &[]), 401), "API key required");
    assert_eq!(refused(&master.send(&form, &[("X-API-Key", "wrong")]), 401), "Invalid API key");
    assert!(refused(&master.send(&form, &[("X-API-Key", &reader)]), 403).contains("role `upload`"));
    let twice = [("X-API-Key", sender.as_str()), ("X-API-Key", "x")];
    assert!(refused(&master.send(&form, &twice), 400).contains("more than once"));
    assert_eq!(master.files(), [""; 0]);
    let answer = master.send(&form, &[("X-API-Key", &sender)]);
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(master.send(&form, &[("Authorization", &format!("Bearer {sender}"))]).status, 202);
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    let status = format!("/status/{}", answer["job_id"].as_str().unwrap());
    for path in [&status, "/", "/download/x.csv"] {
        assert_eq!(master.ask("GET", path, &[]).status, 401, "{path}");
    }
    assert_eq!(master.ask("GET", &status, &[("X-API-Key", &reader)]).status, 200);
}

fn header<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    answer.header(&format!("access-control-{name}"))
}

#[test]
fn pages_of_named_sites_may_use_it() {
    let system = System::new();
    let master = Master::start(&system, &["--sales-gateway-origin", PAGE]);
    let asks = |origin: &str, method: &str, headers: &str| {
        let asked = [
            ("Origin", origin),
            ("Sec-Fetch-Site", "same-site"),
            ("Access-Control-Request-Method", method),
            ("Access-Control-Request-Headers", headers),
        ];
        master.ask("OPTIONS", "/upload", &asked)
    };
    let allowed = asks(PAGE, "POST", "content-type,x-api-key");
    assert_eq!((allowed.status, header(&allowed, "allow-origin")), (200, Some(PAGE)));
    assert_eq!((header(&allowed, "allow-credentials"), header(&allowed, "max-age")), (Some("true"), Some("600")));
    assert!(header(&allowed, "allow-headers").unwrap().to_lowercase().contains("x-api-key"));
    assert!(allowed.header("vary").unwrap().contains("Origin"));
    for refused in [asks("http://else.example", "POST", ""), asks(PAGE, "DELETE", ""), asks(PAGE, "POST", "x-other")] {
        assert_eq!((refused.status, header(&refused, "allow-origin")), (400, None), "{}", refused.text());
    }
    let form = form(&[file("sales.csv", SALES)]);
    let from = |origin| [("Origin", origin), ("Sec-Fetch-Site", "cross-site")];
    let taken = master.send(&form, &from(PAGE));
    assert_eq!((taken.status, header(&taken, "allow-origin")), (202, Some(PAGE)));
    assert!(header(&taken, "expose-headers").unwrap().to_lowercase().contains("content-disposition"));
    let unknown = master.ask("GET", "/status/x", &from(PAGE));
    assert_eq!((unknown.status, header(&unknown, "allow-origin")), (404, Some(PAGE)), "a page reads why");
    for origin in ["http://else.example", "http://localhost:5174", "null"] {
        let answer = master.send(&form, &from(origin));
        assert!(refused(&answer, 403).contains("another site"), "{origin}");
        assert_eq!(header(&answer, "allow-origin"), None);
    }
    assert_eq!(master.send(&form, &[("Origin", PAGE), ("Origin", PAGE)]).status, 400);
    assert_eq!(master.ask("GET", "/", &[("Host", "else.example")]).status, 421);
}

#[test]
fn pages_of_any_site_need_a_key() {
    let system = System::new();
    let any = ["--sales-gateway", "127.0.0.1:0", "--sales-gateway-origin", "*"];
    let output = system.run("master", &any);
    assert_eq!(output.status.code(), Some(2));
    assert!(process::stderr(&output).contains("--token-file"), "{}", process::stderr(&output));
    let key = "sender-0123456789".repeat(2);
    fs::write(system.home().join("tokens"), format!("bob upload {key}\n")).unwrap();
    let master = Master::start(&system, &["--token-file", "tokens", "--sales-gateway-origin", "*"]);
    let from = [("Origin", "https://any.example"), ("Sec-Fetch-Site", "cross-site"), ("X-API-Key", key.as_str())];
    let answer = master.ask("GET", "/", &from);
    assert_eq!((answer.status, header(&answer, "allow-origin")), (200, Some("*")));
    assert_eq!(header(&answer, "allow-credentials"), None);
    assert_eq!(master.ask("GET", "/", &from[..2]).status, 401);
}
