//! Admission: by the host that a request names, and the site from which it comes.

use std::{
    collections::BTreeSet,
    path::Path,
    time::{Duration, Instant},
};

use tributary_testkit::http::{Response, exchange};

use super::{BROWSER, get, no_source, one_source, page, problem, send};
use crate::{gateway::Master, system::System};

/// The master's port.
fn port(system: &System) -> String {
    system.master_url("").rsplit(':').next().unwrap().to_owned()
}

#[test]
fn only_a_host_of_this_machine_is_answered() {
    let system = one_source(&[("feed.csv", "sku,name\na,A\n")]);
    let port = port(&system);
    for name in ["127.0.0.1", "localhost", "[::1]", "LOCALHOST", "127.0.0.2"] {
        for host in [format!("{name}:{port}"), name.to_owned()] {
            for path in ["/", "/api/v1/products/a", "/healthz", "/style.css"] {
                assert_eq!(get(&system, path, &[("Host", &host)]).status, 200, "{host} {path}");
            }
        }
    }
    let others = [
        "evil.example",
        "10.0.0.1",
        "192.168.0.1",
        "0.0.0.0",
        "[::]",
        "[::2]",
        "localhost.evil.example",
        "evillocalhost",
        "127.0.0.1.evil.example",
        "127.0.0.1@evil.example",
        "evil.example#127.0.0.1",
        "127.0.0.1, evil.example",
        "",
        "*",
        "a\u{fc}",
        "localhost:evil",
        "256.0.0.1",
        "127.1",
        "0x7f.0.0.1",
    ];
    for name in others {
        for host in [format!("{name}:{port}"), name.to_owned()] {
            let ask = |method, path, headers: &[(&str, &str)]| {
                send(&system, method, path, &[&[("Host", host.as_str())], headers].concat(), "")
            };
            for path in ["/api/v1/products/a", "/", "/metrics", "/openapi.json", "/style.css", "/nowhere"] {
                misdirected(&ask("GET", path, &[]), &host);
            }
            misdirected(&ask("DELETE", "/api/v1/products/a", &[]), &host);
        }
    }
    let evil = [("Host", "<script>alert(1)</script>.example"), BROWSER];
    let refused = page(&get(&system, "/", &evil), 421);
    assert!(!refused.contains("<script>alert"), "{refused}");
    problem(&get(&system, "/api/v1/products/a", &evil), 421);
    assert_eq!(system.ask("GET", "/api/v1/products/a", "").status, 200, "nothing was hidden");
}

/// Refused as 421, or as 400 where it is no host at all (RFC 9112, section 3.2).
#[track_caller]
fn misdirected(response: &Response, host: &str) {
    let is_name = !host.contains(['@', '#', ',', ' ', '*', 'ü']) && !host.is_empty() && !host.starts_with(':');
    assert!(response.status == 421 || (response.status == 400 && !is_name), "{host}: {}", response.text());
    if response.status == 421 {
        problem(response, 421);
    }
}

#[test]
fn a_request_without_a_host_is_not_answered() {
    let system = no_source();
    let url = system.master_url("");
    for method in ["GET", "DELETE"] {
        let response = exchange(&url, format!("{method} /api/v1/products/a HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
        problem(&response, 421);
        // HTTP/1.1 itself asks for one (RFC 9112, section 3.2: 400).
        let text = format!("{method} /api/v1/products/a HTTP/1.1\r\nConnection: close\r\n\r\n");
        let response = exchange(&url, text.as_bytes()).unwrap();
        assert!([400, 421].contains(&response.status), "{response:?}");
        let twice =
            "GET /api/v1/products HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
        let response = exchange(&url, twice.as_bytes()).unwrap();
        assert!([400, 421].contains(&response.status), "{response:?}");
    }
    for repeated in ["Origin: null", "Sec-Fetch-Site: none", "Authorization: Bearer x", "Host: localhost"] {
        let head = format!("GET /api/v1/products HTTP/1.1\r\nHost: localhost\r\n{repeated}\r\n{repeated}\r\n");
        let response = exchange(&url, format!("{head}Connection: close\r\n\r\n").as_bytes()).unwrap();
        assert_eq!(response.status, 400, "{repeated}: {response:?}");
    }
}

/// A script of another website.
const FOREIGN_PAGE: &str = "Host: localhost\r\nOrigin: http://evil.example\r\nSec-Fetch-Site: cross-site";

/// Every route of the router, and every server: one that is new is asked here, too.
#[test]
fn no_route_answers_to_a_foreign_host_or_page() {
    let mut system = one_source(&[("feed.csv", "sku,name\na,A\n")]);
    system.kill_master();
    let configured = std::fs::read_to_string(system.home().join("tributary.toml")).unwrap();
    system.configure(&format!("{configured}\n[compat]\n"));
    system.start_master(&[]);
    let (master, source) = (system.master_url(""), system.url("north").to_owned());
    let beside = System::new();
    let gateway = Master::start(&beside, &["--sales-gateway-origin", "http://localhost:5173"]);
    let ours = include_str!("../../../src/http/server/router.rs");
    let theirs = include_str!("../../../../data-source/src/http/router.rs");
    let of_gateway = include_str!("../../../src/http/gateway/serve.rs");
    for (url, router, least) in [(master, ours, 45), (source, theirs, 9), (gateway.url, of_gateway, 4)] {
        let routes = routes(router);
        assert!(routes.len() >= least, "only {routes:?} were found");
        for route in routes.into_iter().chain(["/nowhere".to_owned()]) {
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT"] {
                for (headers, status) in [("Host: evil.example", 421), (FOREIGN_PAGE, 403)] {
                    let head = format!("{method} {route} HTTP/1.1\r\n{headers}\r\nTus-Resumable: 1.0.0\r\n");
                    let response = exchange(&url, format!("{head}Connection: close\r\n\r\n").as_bytes()).unwrap();
                    // Only CONNECT to something that is no host is no request at all.
                    let is_refused = response.status == status || (method == "CONNECT" && response.status == 400);
                    assert!(is_refused, "{method} {route}, {headers}: {} {}", response.status, response.text());
                }
            }
        }
    }
    // Nothing else listens.
    let servers = servers(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    let begun_for = ["data-source/src/server.rs", "master/src/http/gateway/serve.rs", "master/src/http/server/run.rs"];
    assert_eq!(servers, ["crates/http-common/src/serve.rs", begun_for[0], begun_for[1], begun_for[2]]);
}

/// The paths in the source of a router, parameters filled in.
fn routes(router: &str) -> BTreeSet<String> {
    let source = router.split("#[cfg(test)]\nmod tests").next().unwrap();
    let literals =
        source.split('"').skip(1).step_by(2).filter(|text| text.starts_with(['/', '{']) && !text.contains(' '));
    let filled =
        literals.map(|path| path.replacen("{sku}", if path.starts_with('{') { "/api/v1/products/a" } else { "a" }, 1));
    let filled = filled.map(|path| path.replace(['{', '}'], "").replace(":.*", "").replace(":.+", ""));
    let named = ["/healthz", "/readyz", "/socket.io/", "/api/v1/tus/", "/api/v1/tus/a", "/read/a.csv"];
    filled.chain(named.map(str::to_owned)).collect()
}

/// The files of the programs that start an HTTP server, or have it started by the crate that both share, tests aside.
fn servers(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name());
            if entry.file_type().unwrap().is_dir()
                && !["target", "tests", ".git", "testkit"].iter().any(|skip| name == *skip)
            {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
                let marks =
                    ["HttpServer::new(", "Server::build()", "actix_server::Server", "tributary_http_common::serve("];
                if marks.iter().any(|mark| text.contains(mark)) {
                    found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_host_of_the_configuration_is_answered_and_a_flag_beats_it() {
    let mut system = System::new();
    system.configure("allowed_hosts = [\"shop.example\", \"lab:8080\"]\n");
    system.start_master(&[]);
    let check = |system: &System, host: &str, status: u16| {
        assert_eq!(get(system, "/api/v1/products", &[("Host", host)]).status, status, "{host}");
    };
    for host in ["shop.example", "SHOP.example", "shop.example:443", "lab:8080", "localhost", "127.0.0.1"] {
        check(&system, host, 200);
    }
    for host in ["www.shop.example", "shop.example.evil.example", "shopxexample", "lab", "lab:80", "evil.example"] {
        check(&system, host, 421);
    }
    // A form that was loaded from there may be sent there, and from nowhere else.
    let post = |origin: &str| {
        let headers = [("Host", "shop.example"), ("Origin", origin), ("Sec-Fetch-Site", "same-origin")];
        send(&system, "POST", "/update", &headers, "sku=a&name=b").status
    };
    assert_eq!(post("http://shop.example"), 404);
    assert_eq!(post("http://lab:8080"), 403);
    system.kill_master();
    system.start_master(&["--allowed-host", "other.example", "--allowed-host", "third.example"]);
    for (host, status) in [("other.example", 200), ("third.example", 200), ("shop.example", 421), ("localhost", 200)] {
        check(&system, host, status);
    }
}

/// Every request that changes something.
const CHANGES: [(&str, &str, &str); 6] = [
    ("POST", "/update", "sku=a&name=changed"),
    ("POST", "/clear", "sku=a"),
    ("PUT", "/api/v1/products/a", r#"{"name":"changed","description":""}"#),
    ("PATCH", "/api/v1/products/a", r#"{"name":"changed"}"#),
    ("DELETE", "/api/v1/products/a/edit", ""),
    ("DELETE", "/api/v1/products/a", ""),
];

#[test]
fn what_another_site_sends_changes_nothing() {
    let system = one_source(&[("feed.csv", "sku,name,description\na,First,d\n")]);
    assert_eq!(system.ask("PATCH", "/api/v1/products/a", r#"{"name":"Mine"}"#).status, 200);
    let before = system.json("/api/v1/products/a");
    let port = port(&system);
    let (own, neighbour) = (format!("http://127.0.0.1:{port}"), format!("http://localhost:{port}"));
    let foreign: [&[(&str, &str)]; 12] = [
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Sec-Fetch-Site", "")],
        &[("Sec-Fetch-Site", "Same-Origin")],
        &[("Sec-Fetch-Site", "cross-site"), ("Origin", &own)],
        &[("Sec-Fetch-Site", "same-origin"), ("Origin", "http://evil.example")],
        &[("Origin", "http://evil.example")],
        &[("Origin", "null")],
        &[("Origin", "")],
        &[("Origin", "http://127.0.0.1:1")],
        &[("Origin", "http://127.0.0.1")],
        &[("Origin", &neighbour)],
    ];
    for headers in foreign {
        for (method, path, body) in CHANGES {
            problem(&send(&system, method, path, headers, body), 403);
            page_unless_api(&send(&system, method, path, &[headers, &[BROWSER]].concat(), body), path);
        }
        for path in ["/", "/products", "/api/v1/products/a", "/healthz"] {
            // A script, an image or a frame of its page: it could learn from how that loads what is here.
            let read = get(&system, path, headers);
            assert_eq!(read.status, 403, "{headers:?} {path}");
            assert!(!read.headers.iter().any(|(name, _)| name.starts_with("access-control-")), "{read:?}");
            assert_eq!(send(&system, "HEAD", path, headers, "").status, 403, "{headers:?} {path}");
            // A link of its page, which a person follows.
            let link = [headers, &[("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")]].concat();
            let followed = get(&system, path, &link);
            assert_eq!(followed.status, 200, "{headers:?} {path}");
            assert_eq!(followed.header("cross-origin-resource-policy"), Some("same-origin"));
            assert_eq!(followed.header("x-content-type-options"), Some("nosniff"));
        }
    }
    // Nor does it send what such a script must ask for first.
    let asked = [("Origin", "http://evil.example"), ("Access-Control-Request-Method", "PUT")];
    let preflight = send(&system, "OPTIONS", "/api/v1/products/a", &asked, "");
    assert!(preflight.status >= 400, "{preflight:?}");
    assert!(!preflight.headers.iter().any(|(name, _)| name.starts_with("access-control-")), "{preflight:?}");
    assert_eq!(system.json("/api/v1/products/a"), before);
}

#[track_caller]
fn page_unless_api(response: &Response, path: &str) {
    if path.starts_with("/api/") {
        problem(response, 403);
    } else {
        page(response, 403);
    }
}

#[test]
fn what_this_site_and_programs_send_is_done() {
    let system = one_source(&[("feed.csv", "sku,name,description\na,First,d\n")]);
    let own = system.master_url("");
    let ours: [&[(&str, &str)]; 5] = [
        &[],
        &[("Sec-Fetch-Site", "same-origin")],
        &[("Sec-Fetch-Site", "none")],
        &[("Origin", &own)],
        &[("Sec-Fetch-Site", "same-origin"), ("Origin", &own)],
    ];
    for headers in ours {
        for (method, path, body) in CHANGES {
            let response = send(&system, method, path, headers, body);
            assert!(matches!(response.status, 200..=204 | 303), "{method} {path}: {}", response.text());
        }
        assert_eq!(system.ask("GET", "/api/v1/products/a", "").status, 404, "it is hidden now");
        assert_eq!(system.ask("DELETE", "/api/v1/products/a/edit", "").status, 204);
    }
}

#[test]
fn a_refusal_does_not_wait_for_the_body() {
    let system = one_source(&[("feed.csv", "sku,name,description\na,First,d\n")]);
    let check = |headers: &str, body: &str, status: u16| {
        for (method, path, _) in CHANGES {
            let started = Instant::now();
            let text = format!("{method} {path} HTTP/1.1\r\n{headers}\r\n\r\n{body}");
            let response = exchange(&system.master_url(""), text.as_bytes()).unwrap();
            problem(&response, status);
            // A server that waited would have waited until its own patience ended, five seconds.
            assert!(started.elapsed() < Duration::from_secs(4), "{method} {path}: {:?}", started.elapsed());
        }
    };
    for body in ["", "{\"name\""] {
        check("Host: localhost\r\nSec-Fetch-Site: cross-site\r\nContent-Length: 1000", body, 403);
        check("Host: localhost\r\nOrigin: null\r\nContent-Length: 1000", body, 403);
        check("Host: evil.example\r\nContent-Length: 1000", body, 421);
    }
    // Too long a body, a broken one and one of the wrong kind are not complained about first.
    check("Host: localhost\r\nOrigin: null\r\nContent-Length: 99999999999", "", 403);
    check("Host: localhost\r\nOrigin: null\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked", "5\r\nab", 403);
    assert_eq!(system.json("/api/v1/products/a")["name"], "First");
}
