//! Requests that are refused whatever they ask for: to a foreign host name, or sent by a page on another site.

use std::{
    net::UdpSocket,
    time::{Duration, Instant},
};

use serde_json::Value;
use tributary_testkit::http::{Response, exchange, request};

use crate::{
    aggregate,
    support::{Source, first_line, spawn},
};

fn ask(source: &Source, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
    request(method, &format!("http://{}{path}", source.address), headers, body.as_bytes()).unwrap()
}

#[track_caller]
fn problem(response: &Response, status: u16) -> String {
    let problem: Value = serde_json::from_slice(&response.body).unwrap_or_else(|_| panic!("{}", response.text()));
    assert_eq!((response.status, &problem["status"]), (status, &status.into()), "{problem}");
    assert_eq!(response.header("content-type"), Some("application/problem+json"));
    problem["detail"].as_str().unwrap().to_owned()
}

#[test]
fn only_a_host_of_this_machine_is_answered() {
    let source = Source::of(&[("a.csv", "sku,name\n1,a\n")]);
    let port = source.address.rsplit(':').next().unwrap();
    let paths = ["/", "/style.css", "/sense", "/sense/files", "/read", "/read/a.csv", "/healthz", "/metrics"];
    for name in ["127.0.0.1", "localhost", "[::1]", "LOCALHOST", "127.0.0.2"] {
        for host in [format!("{name}:{port}"), name.to_owned()] {
            for path in paths {
                assert_eq!(ask(&source, "GET", path, &[("Host", &host)], "").status, 200, "{host} {path}");
            }
        }
    }
    for host in ["evil.example", "10.0.0.1", "0.0.0.0", "[::2]", "localhost.evil.example", "127.0.0.1.evil.example"] {
        for path in paths {
            let detail = problem(&ask(&source, "GET", path, &[("Host", host)], ""), 421);
            assert!(detail.contains(host) && detail.contains("--allowed-host"), "{detail}");
        }
        problem(&ask(&source, "GET", "/nowhere", &[("Host", host)], ""), 421);
        problem(&ask(&source, "POST", "/aggregate", &[("Host", host)], "{}"), 421);
    }
    let url = format!("http://{}", source.address);
    problem(&exchange(&url, b"GET /read HTTP/1.0\r\n\r\n").unwrap(), 421);
}

/// A server knows at which address a connection arrived only if it prepares each connection. The same function
/// (`http-common/src/connection.rs`, where it has a test) keeps small answers from waiting for acknowledgements.
#[test]
fn the_address_that_was_asked_is_a_host_of_this_machine() {
    let routed = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        socket.connect("198.51.100.1:9")?;
        socket.local_addr()
    });
    // A machine without a network has no other address than the loopback.
    let Ok(own) = routed else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut child = spawn(&["--dir", dir.path().to_str().unwrap(), "--listen", "0.0.0.0:0", "--allow-anonymous"]);
    let line = first_line(&mut child);
    let address = format!("{}:{}", own.ip(), line.rsplit(':').next().unwrap());
    let source = Source { dir, child, address };
    assert_eq!(ask(&source, "GET", "/healthz", &[], "").status, 200, "{}", source.address);
    problem(&ask(&source, "GET", "/healthz", &[("Host", "10.255.255.254")], ""), 421);
}

#[test]
fn hosts_can_be_allowed() {
    let args = [
        "--settle",
        "50ms",
        "--allowed-host",
        "feeds.example,lab:8080",
        "--allowed-host",
        "third.example",
        "--allowed-host",
        "https://proxied.example",
    ];
    let source = Source::with(&[("a.csv", "1")], &args);
    for (host, status) in [
        ("feeds.example", 200),
        ("FEEDS.example:80", 200),
        ("lab:8080", 200),
        ("third.example", 200),
        ("localhost", 200),
        ("lab", 421),
        ("lab:80", 421),
        ("proxied.example", 200),
        ("www.feeds.example", 421),
    ] {
        assert_eq!(ask(&source, "GET", "/sense", &[("Host", host)], "").status, status, "{host}");
    }
}

#[test]
fn a_page_on_another_site_computes_nothing() {
    let source = Source::of(&[("a.csv", "shop,n\nx,1\n")]);
    let body = aggregate::request(&source, "a.csv").to_string();
    let (own, neighbour) = (format!("http://{}", source.address), "http://localhost:1");
    let foreign: [&[(&str, &str)]; 7] = [
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Sec-Fetch-Site", "")],
        &[("Sec-Fetch-Site", "same-origin"), ("Origin", "http://evil.example")],
        &[("Origin", "http://evil.example")],
        &[("Origin", "null")],
        &[("Origin", neighbour)],
    ];
    for headers in foreign {
        problem(&ask(&source, "POST", "/aggregate", headers, &body), 403);
        problem(&ask(&source, "GET", "/read/a.csv", headers, ""), 403);
        let link = [headers, &[("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")]].concat();
        assert_eq!(ask(&source, "GET", "/read/a.csv", &link, "").status, 200, "{headers:?}");
    }
    assert_eq!(aggregate::count(&source, "tributary_source_partials_total "), 0);
    let ours: [&[(&str, &str)]; 4] = [
        &[],
        &[("Sec-Fetch-Site", "none")],
        &[("Origin", &own)],
        &[("Sec-Fetch-Site", "same-origin"), ("Origin", &own)],
    ];
    for headers in ours {
        assert_eq!(ask(&source, "POST", "/aggregate", headers, &body).status, 200, "{headers:?}");
    }
}

#[test]
fn a_refusal_does_not_wait_for_the_body() {
    let source = Source::of(&[("a.csv", "1")]);
    for (headers, status) in [("Host: localhost\r\nOrigin: null", 403), ("Host: evil.example", 421)] {
        let started = Instant::now();
        let text = format!("POST /aggregate HTTP/1.1\r\n{headers}\r\nContent-Length: 1000\r\n\r\n{{");
        problem(&exchange(&format!("http://{}", source.address), text.as_bytes()).unwrap(), status);
        assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    }
}
