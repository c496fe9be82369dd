//! Whatever a client sends, nothing panics and the next one is answered.

use std::{fs, io::Write, net::TcpStream, process::Stdio};

use tributary_testkit::{
    http::{self, Response, exchange},
    process::Daemon,
};

use super::{BROWSER, one_source, page, problem, send};
use crate::system::System;

/// A master whose complaints are kept, so that a panic in one of its threads is seen.
struct Watched {
    master: Daemon,
    system: System,
}

impl Watched {
    fn start() -> Self {
        let system = System::new();
        let log = fs::File::create(system.folder("log").join("stderr")).unwrap();
        let mut command = system.command("master", &["--listen", "127.0.0.1:0"]);
        command.env("RUST_LOG", "error").stderr(Stdio::from(log));
        let watched = Self { master: Daemon::start(command), system };
        let put = watched.ask("PUT", "/api/v1/products/a", &[], br#"{"name":"First","description":"d"}"#);
        assert_eq!(put.unwrap().status, 201);
        watched
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> std::io::Result<Response> {
        http::request(method, &format!("{}{path}", self.master.url), headers, body)
    }

    /// It lives, nothing in it has broken off, and nothing was changed.
    #[track_caller]
    fn is_well(&self, what: &str) {
        let product = self.ask("GET", "/api/v1/products/a", &[], b"").unwrap();
        assert_eq!(product.status, 200, "{what}");
        assert!(product.text().contains("\"name\":\"First\""), "{what}: {}", product.text());
        let log = fs::read_to_string(self.system.folder("log").join("stderr")).unwrap();
        assert!(!log.contains("panicked"), "{what}: {log}");
        assert_eq!(self.system.table("edits").len(), 1, "{what}");
    }
}

#[test]
fn bytes_that_are_no_request_are_refused_or_dropped() {
    let watched = Watched::start();
    let head = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    let many: String = (0..1_000).map(|number| format!("X-{number}: y\r\n")).collect();
    let requests: Vec<Vec<u8>> = vec![
        b"\r\n\r\n\r\n".to_vec(),
        b"\0\x01\xff\xfe\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n".to_vec(),
        b"GET  / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec(),
        b"G\xffT / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec(),
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec(),
        b"GET /api/v1/products/\xff HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec(),
        b"GET /api/v1/products/\xc3\xa4 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\nConnection: close\r\n\r\n".to_vec(),
        b"GET http://[::1/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec(),
        b"GET http://localhost/api/v1/products/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec(),
        b"GET localhost HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec(),
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec(),
        b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec(),
        format!("{head}X: {}\r\n\r\n", "x".repeat(1 << 20)).into_bytes(),
        format!("{head}{many}\r\n").into_bytes(),
        format!("{head}No colon\r\n\r\n").into_bytes(),
        format!("{head}Accept: {}\r\n\r\n", "text/csv;q=9,".repeat(5_000)).into_bytes(),
        format!("{head}Last-Event-ID: \0\r\n\r\n").into_bytes(),
        format!("GET /{} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "x".repeat(100_000)).into_bytes(),
        format!("GET /?{} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "x&".repeat(30_000)).into_bytes(),
        format!("GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "/".repeat(60_000)).into_bytes(),
        form("Content-Length: -1", b"sku=a&name=x"),
        form("Content-Length: 5\r\nContent-Length: 12", b"sku=a&name=x"),
        form("Content-Length: 99999999999999999999", b"sku=a&name=x"),
        form("Content-Length: 12\r\nTransfer-Encoding: chunked", b"sku=a&name=x"),
        form("Transfer-Encoding: chunked", b"zz\r\nsku=a&name=x\r\n0\r\n\r\n"),
        form("Transfer-Encoding: chunked", b"fffffffffffffffff\r\nsku=a&name=x\r\n0\r\n\r\n"),
        form("Transfer-Encoding: gzip, chunked", b"0\r\n\r\n"),
        form("Expect: 999-nothing\r\nContent-Length: 0", b""),
    ];
    for request in requests {
        let what = String::from_utf8_lossy(&request[..request.len().min(120)]).into_owned();
        // No answer at all is one too.
        if let Some(response) = brief(&watched.master.url, &request) {
            assert!(response.status < 500, "{what}: {response:?}");
        }
        watched.is_well(&what);
    }
}

/// A form with headers of its own.
fn form(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("POST /update HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// The answer to bytes behind which nothing comes; none if the connection is just closed.
fn brief(url: &str, bytes: &[u8]) -> Option<Response> {
    exchange(url, bytes).ok()
}

#[test]
fn connections_that_break_off_in_their_middle_do_no_harm() {
    let watched = Watched::start();
    let body = br#"{"name":"Half","description":"d"}"#;
    for piece in [
        &b"G"[..],
        b"GET / HTTP/1.1\r\nHo",
        b"PUT /api/v1/products/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 33\r\n\r\n",
        b"PUT /api/v1/products/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 34\r\n\r\n{\"name\":\"Half\",\"description\":\"d\"}",
        b"POST /update HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nsku=a&name=Half",
        b"POST /update HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nf\r\nsku=a&name=Half\r\n",
        b"POST /update HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nsku=a&name=Half",
        b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /api/v1/products HTTP/1.1\r\nHost: localhost\r\nAccept: text/csv\r\n\r\n",
    ] {
        for _ in 0..20 {
            let mut stream = TcpStream::connect(watched.master.url.trim_start_matches("http://")).unwrap();
            stream.write_all(piece).unwrap();
        }
        watched.is_well(&String::from_utf8_lossy(piece));
    }
    let put = watched.ask("PUT", "/api/v1/products/b", &[], body).unwrap();
    assert_eq!(put.status, 201);
}

#[test]
fn queries_and_paths_of_any_bytes_are_answered() {
    let watched = Watched::start();
    let values =
        ["%", "%zz", "%F", "%FF", "%C3", "%00", "%ED%A0%80", "+", "%2B", "%26", "=", "a=b", "%F0%9F%98%80", "[]", "'"];
    let lists = [
        "/?sku",
        "/products?q",
        "/products?after",
        "/names?q",
        "/rejects?source",
        "/api/v1/products?q",
        "/api/v1/products?name",
        "/api/v1/products?after",
        "/api/v1/products?limit",
        "/api/v1/aggr?q",
        "/api/v1/aggr?order",
        "/api/v1/rejects?file",
        "/api/v1/products?format",
        "/metrics?x",
        "/api/v1/sources?x",
    ];
    for list in lists {
        for value in values {
            let path = format!("{list}={value}");
            let response = watched.ask("GET", &path, &[], b"").unwrap();
            assert!([200, 400, 404, 422].contains(&response.status), "{path}: {}", response.text());
            let csv = watched.ask("GET", &path, &[("Accept", "text/csv")], b"").unwrap();
            assert!([200, 400, 404, 422].contains(&csv.status), "{path}: {}", csv.text());
        }
    }
    for query in ["?", "?&&&", "?=", "?==", "?q", "?q&q", "?%", "?\u{e4}", "?q=1&q=2", "?limit=1&limit=1"] {
        for path in ["/", "/products", "/api/v1/products", "/api/v1/aggr", "/api/v1/rejects"] {
            let response = watched.ask("GET", &format!("{path}{query}"), &[], b"").unwrap();
            assert!([200, 400, 404, 422].contains(&response.status), "{path}{query}: {}", response.text());
        }
    }
    for value in values {
        for end in ["", "/edit"] {
            let path = format!("/api/v1/products/x{value}{end}");
            let response = watched.ask("GET", &path, &[], b"").unwrap();
            assert!([400, 404, 405, 422].contains(&response.status), "{path}: {}", response.text());
        }
    }
    for id in ["-1", "99999999999999999999", "-9223372036854775808", "9223372036854775807", "\u{e4}", "", "1, 2"] {
        let url = format!("{}/api/v1/events", watched.master.url);
        let mut lines = http::lines(&url, &[("Last-Event-ID", id)]).unwrap();
        assert_eq!(lines.next().unwrap(), "retry: 1000", "{id}");
    }
    watched.is_well("queries");
}

/// No stored text has a NUL byte, and PostgreSQL takes none in a condition.
#[test]
fn nul_bytes_in_queries_and_paths_are_refused() {
    let watched = Watched::start();
    for path in [
        "/names?after",
        "/files?source",
        "/products?name",
        "/products?source",
        "/api/v1/documents/a.csv?message",
        "/api/v1/history?source",
        "/api/v1/files?source",
        "/api/v1/products?before",
        "/api/v1/rejects?reason",
        "/api/v1/uploads?filename",
    ] {
        let response = watched.ask("GET", &format!("{path}=a%00b"), &[], b"").unwrap();
        assert!([400, 404, 422].contains(&response.status), "{path}: {}", response.text());
    }
    for path in ["documents/a%00b.csv", "uploads/a%00b", "sources/a%00b", "reports/a%00b", "products/a%00b/changes"] {
        for method in ["GET", "DELETE"] {
            let response = watched.ask(method, &format!("/api/v1/{path}"), &[], b"").unwrap();
            assert!([404, 405, 422].contains(&response.status), "{method} {path}: {}", response.text());
        }
    }
    let message = watched.ask("PUT", "/api/v1/documents/a.csv?message=a%00b", &[], b"sku,name\na,A\n").unwrap();
    assert_eq!(message.status, 422, "{}", message.text());
    watched.is_well("NUL bytes");
}

#[test]
fn forms_of_any_bytes_are_answered() {
    let watched = Watched::start();
    let bodies: [&[u8]; 16] = [
        b"",
        b"&",
        b"=",
        b"&&&=&=",
        b"sku",
        b"sku=%",
        b"sku=%zz&name=x",
        b"sku=b&name=%F",
        b"sku=%00&name=x",
        b"sku=a%00&name=x",
        b"sku=a&name=%00",
        b"sku=a&name=x&name=y",
        b"sku=a&sku=b&name=x",
        b"sku[]=a&name[]=x",
        b"\xff\xfe",
        b"sku=\xff&name=x",
    ];
    for body in bodies {
        for path in ["/update", "/clear"] {
            if path == "/clear" && body.starts_with(b"sku=a&") {
                continue;
            }
            for headers in [&[][..], &[BROWSER][..]] {
                let what = format!("{path} {}", String::from_utf8_lossy(body));
                let length: &[_] = if body.is_empty() { &[("Content-Length", "0")] } else { &[] };
                let response = watched.ask("POST", path, &[headers, length].concat(), body).unwrap();
                assert!(matches!(response.status, 303 | 400 | 404 | 422), "{what}: {}", response.text());
                assert!(path == "/clear" || response.status != 303, "{what}");
                super::is_guarded(&response);
            }
        }
    }
    watched.is_well("forms");
}

#[test]
fn a_form_whose_letters_are_no_utf_8_sets_nothing() {
    let system = one_source(&[("feed.csv", "sku,name\na,First\n\u{fffd},Marked\n")]);
    for body in ["sku=a&name=caf%E9", "sku=a&description=%FF", "sku=%FF&name=Wrong", "sku=a&name=%ED%A0%80"] {
        problem(&system.ask("POST", "/update", body), 400);
        page(&send(&system, "POST", "/update", &[BROWSER], body), 400);
    }
    assert_eq!(system.table("edits"), Vec::<serde_json::Value>::new());
}

#[test]
fn a_form_of_another_kind_is_refused() {
    let system = one_source(&[("feed.csv", "sku,name\na,First\n")]);
    let kinds = [
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/xml",
        "nonsense",
        "text/csv",
        "application/octet-stream",
        "x-application/x-www-form-urlencoded",
    ];
    for kind in kinds {
        problem(&send(&system, "POST", "/update", &[("Content-Type", kind)], "sku=a&name=x"), 415);
        page(&send(&system, "POST", "/update", &[("Content-Type", kind), BROWSER], "sku=a&name=x"), 415);
    }
    assert_eq!(system.table("edits"), Vec::<serde_json::Value>::new());
    for kind in ["application/x-www-form-urlencoded", "Application/X-WWW-Form-URLEncoded; charset=UTF-8"] {
        assert_eq!(send(&system, "POST", "/update", &[("Content-Type", kind)], "sku=a&name=x").status, 303, "{kind}");
    }
}
