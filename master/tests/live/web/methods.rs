//! `HEAD` on what `GET` answers, methods that a path does not know, and paths that are none.

use super::{BROWSER, CSV, get, is_guarded, one_source, page, problem, send};

/// Every path that answers `GET` with 200 and an end.
const READ: [&str; 25] = [
    "/",
    "/?sku=a",
    "/products",
    "/names",
    "/sources",
    "/sources/north",
    "/rejects",
    "/upload",
    "/reports",
    "/style.css",
    "/live.js",
    "/tus.js",
    "/upload.js",
    "/icon.svg",
    "/api/v1/products",
    "/api/v1/products/a",
    "/api/v1/products?format=csv",
    "/api/v1/aggr",
    "/api/v1/sources",
    "/api/v1/rejects",
    "/api/v1/reports",
    "/api/v1/uploads",
    "/healthz",
    "/readyz",
    "/openapi.json",
];

#[test]
fn head_gives_the_head_alone() {
    let system = one_source(&[("feed.csv", "sku,name\na,A\n")]);
    let check = |path: &str, headers: &[(&str, &str)], status: u16| {
        let (whole, head) = (get(&system, path, headers), send(&system, "HEAD", path, headers, ""));
        assert_eq!((whole.status, head.status), (status, status), "{path}");
        assert!(!whole.body.is_empty() && head.body.is_empty(), "{path}: {}", head.text());
        assert_eq!(whole.header("content-type"), head.header("content-type"), "{path}");
        is_guarded(&head);
        if let Some(length) = head.header("content-length").filter(|_| path.starts_with("/api/v1/products")) {
            assert_eq!(length, whole.body.len().to_string(), "{path}");
        }
    };
    READ.iter().for_each(|path| check(path, &[], 200));
    check("/metrics", &[], 200);
    check("/api/v1/products", &[CSV], 200);
    check("/api/v1/aggr", &[CSV], 200);
    check("/api/v1/products/nowhere", &[], 404);
    check("/api/v1/products?limit=x", &[], 400);
    check("/nowhere", &[BROWSER], 404);
}

#[test]
fn a_connection_goes_on_behind_a_head() {
    let system = one_source(&[("feed.csv", "sku,name\na,A\n")]);
    // What would come behind the head if a body did, is the next answer instead.
    for accept in ["application/json", "text/csv"] {
        let mut connection = std::net::TcpStream::connect(system.master_url("").trim_start_matches("http://")).unwrap();
        let text = format!("HEAD /api/v1/products HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n");
        let head = read_head(&mut connection, &text);
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let next = read_head(&mut connection, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert!(next.starts_with("HTTP/1.1 200") && next.contains("content-length: 3\r\n"), "{next}");
    }
}

/// Sends a request and reads its answer's head, byte by byte so that nothing behind it is read.
fn read_head(connection: &mut std::net::TcpStream, request: &str) -> String {
    use std::io::{Read, Write};
    connection.set_read_timeout(Some(tributary_testkit::wait::MAX_WAIT)).unwrap();
    connection.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap().to_ascii_lowercase().replacen("http/1.1", "HTTP/1.1", 1)
}

#[test]
fn another_method_is_refused_with_those_that_are_known() {
    let system = one_source(&[("feed.csv", "sku,name\na,A\n")]);
    let check = |method: &str, path: &str, known: &[&str]| {
        let refused = send(&system, method, path, &[], "");
        problem(&refused, 405);
        let allow = refused.header("allow").unwrap_or_else(|| panic!("{method} {path}: no Allow"));
        let mut allowed: Vec<&str> = allow.split(',').map(str::trim).collect();
        allowed.retain(|method| !["OPTIONS", "HEAD"].contains(method));
        allowed.sort_unstable();
        assert_eq!(allowed, known, "{method} {path}");
    };
    let takes_more =
        |path: &str| path.starts_with("/api/v1/products/") || ["/upload", "/api/v1/uploads"].contains(&path);
    for path in READ.iter().filter(|path| !takes_more(path)) {
        for method in ["POST", "PUT", "PATCH", "DELETE", "BREW"] {
            check(method, path, &["GET"]);
        }
    }
    check("POST", "/api/v1/events", &["GET"]);
    check("DELETE", "/metrics", &["GET"]);
    check("POST", "/api/v1/products/a", &["DELETE", "GET", "PATCH", "PUT"]);
    check("POST", "/api/v1/products/a%2Fedit", &["DELETE", "GET", "PATCH", "PUT"]);
    for method in ["GET", "POST", "PUT", "PATCH"] {
        check(method, "/api/v1/products/a/edit", &["DELETE"]);
    }
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        check(method, "/update", &["POST"]);
    }
    for method in ["PUT", "PATCH", "DELETE"] {
        check(method, "/upload", &["GET", "POST"]);
    }
    check("DELETE", "/api/v1/uploads", &["GET", "POST", "PUT"]);
    check("POST", "/api/v1/uploads/0", &["DELETE", "GET"]);
    check("POST", "/api/v1/uploads/0/events", &["GET"]);
    assert_eq!(send(&system, "HEAD", "/update", &[], "").status, 405);
    assert_eq!(page(&get(&system, "/update", &[BROWSER]), 405).matches("405").count(), 1);
}

/// A mistyped `digest` must not accept whatever is held, nor a mistyped `limit` give the whole for a part.
#[test]
fn no_path_takes_a_parameter_that_it_does_not_know() {
    let system = one_source(&[("feed.csv", "sku,name\na,A\n")]);
    let api = system.json("/openapi.json")["paths"].as_object().unwrap().clone();
    let of_api = api.iter().flat_map(|(path, methods)| {
        let path = path.replace("{sku}", "a").replace("{name}", "north").replace("{id}", &"0".repeat(32));
        methods.as_object().unwrap().keys().map(move |method| (method.to_ascii_uppercase(), path.clone()))
    });
    let of_pages = READ.iter().filter(|path| !path.contains('?')).map(|path| ("GET".to_owned(), (*path).to_owned()));
    let others = [("GET", "/files"), ("GET", "/favicon.ico"), ("GET", "/metrics")];
    let forms = ["/update", "/clear", "/accept", "/upload", "/upload/remove"].map(|path| ("POST", path));
    let by_hand = others.into_iter().chain(forms).map(|(method, path)| (method.to_owned(), path.to_owned()));
    let mut asked = 0;
    for (method, path) in of_api.chain(of_pages).chain(by_hand) {
        if path == "/api/v1/reports/north" {
            continue; // There is no report.
        }
        // Paths of tus take no request without its version.
        let answer = send(&system, &method, &format!("{path}?digset=1"), &[("Tus-Resumable", "1.0.0")], "");
        asked += 1;
        if method == "HEAD" {
            assert_eq!(answer.status, 400, "{path}");
            continue;
        }
        let detail = problem(&answer, 400)["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("`digset`"), "{method} {path}: {detail}");
    }
    assert!(asked > 40, "{asked}");
    assert_eq!(system.products()["a"].0, "A", "nothing was done");
}

#[test]
fn a_path_that_is_none_is_not_found() {
    let system = one_source(&[("feed.csv", "sku,name\na/b,A\n")]);
    for path in [
        "/nowhere",
        "/index.html",
        "//",
        "/update/",
        "/products/",
        "/api",
        "/api/",
        "/api/v1",
        "/api/v2/products",
        "/api/v1/nowhere",
        "/api/v1/products/",
        "/api/v1/products/a/b",
        "/api/v1/products/a/edit/",
        "/API/v1/products",
        "/../Cargo.toml",
        "/%2e%2e/tributary.toml",
        "/..%2ftributary.toml",
        "/tributary.toml",
        "/database.db",
        "/style.css/",
        "/templates/home.html",
        "/.git/config",
    ] {
        for method in ["GET", "PUT", "POST", "DELETE"] {
            problem(&send(&system, method, path, &[], ""), 404);
        }
        let browsed = get(&system, path, &[BROWSER]);
        if path.starts_with("/api/") {
            problem(&browsed, 404);
        } else {
            page(&browsed, 404);
        }
    }
}
