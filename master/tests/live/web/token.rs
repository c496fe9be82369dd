//! Listening on more than the loopback: a token, or nothing.

use tributary_testkit::{
    http::Response,
    process::{self, Daemon},
};

use super::{BROWSER, page, problem};
use crate::system::System;

/// With a colon, as a password may have one.
const TOKEN: &str = "s3:cretq7Yh2mVt9Kp4Zx8Rb1Nc5";
/// `anyone:TOKEN` and `:TOKEN` as Basic credentials, and `TOKEN:x`, whose password is another.
const BASIC: [&str; 2] =
    ["Basic YW55b25lOnMzOmNyZXRxN1loMm1WdDlLcDRaeDhSYjFOYzU=", "Basic OnMzOmNyZXRxN1loMm1WdDlLcDRaeDhSYjFOYzU="];
const WRONG_BASIC: &str = "Basic czM6Y3JldHE3WWgybVZ0OUtwNFp4OFJiMU5jNTp4";

struct Guarded {
    master: Daemon,
    system: System,
}

impl Guarded {
    fn start() -> Self {
        let system = System::new();
        let file = system.folder("secrets").join("form.token");
        std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
        let mut command = system.command("master", &["--listen", "0.0.0.0:0", "--token-file", file.to_str().unwrap()]);
        command.env("RUST_LOG", "error");
        Self { master: Daemon::start(command), system }
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let url = self.master.url.replace("0.0.0.0", "127.0.0.1") + path;
        tributary_testkit::http::request(method, &url, headers, body.as_bytes()).unwrap()
    }
}

/// Both ways to bring the token are named.
#[track_caller]
fn challenges(response: &Response) {
    let all: Vec<&str> = response
        .headers
        .iter()
        .filter(|(name, _)| name == "www-authenticate")
        .map(|(_, value)| value.as_str())
        .collect();
    for scheme in ["Bearer", "Basic"] {
        let is_named = all.iter().any(|value| value.starts_with(scheme) || value.contains(&format!(", {scheme} ")));
        assert!(is_named, "{scheme} is not among {all:?}");
    }
}

#[test]
fn no_one_listens_to_others_without_a_token() {
    let system = System::new();
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let output = system.run("master", &["--listen", listen]);
        assert_eq!(output.status.code(), Some(2), "{listen}: {}", process::stderr(&output));
        assert!(process::stderr(&output).contains("--token-file"), "{}", process::stderr(&output));
        assert!(output.stdout.is_empty());
    }
    system.configure("listen = \"0.0.0.0:0\"\n");
    assert_eq!(system.run("master", &[]).status.code(), Some(2));
    assert!(!system.database_exists(), "it has touched nothing");
    for nothing in ["", " \n", "two words\n"] {
        let file = system.folder("secrets").join("form.token");
        std::fs::write(&file, nothing).unwrap();
        let output = system.run("master", &["--listen", "127.0.0.1:0", "--token-file", file.to_str().unwrap()]);
        assert!(matches!(output.status.code(), Some(1 | 2)), "{nothing:?} is no token: {output:?}");
    }
    let missing = system.run("master", &["--listen", "127.0.0.1:0", "--token-file", "none.token"]);
    assert!(matches!(missing.status.code(), Some(1 | 2)) && process::stderr(&missing).contains("none.token"));
}

#[test]
fn whoever_may_come_may_come() {
    let system = System::new();
    let master = Daemon::start(system.command("master", &["--listen", "0.0.0.0:0", "--allow-anonymous"]));
    let url = master.url.replace("0.0.0.0", "127.0.0.1") + "/api/v1/products";
    let ask = |headers: &[(&str, &str)]| tributary_testkit::http::request("GET", &url, headers, b"").unwrap().status;
    assert_eq!(ask(&[]), 200);
    assert_eq!(ask(&[("Host", "evil.example")]), 421, "the host still counts");
}

#[test]
fn without_the_token_nothing_is_answered() {
    let guarded = Guarded::start();
    // Only a few requests bring a wrong token: the answers to more would be delayed.
    let wrong: [(&str, &str); 12] = [
        ("Authorization", ""),
        ("Authorization", TOKEN),
        ("Authorization", "Bearer"),
        ("Authorization", "Bearer "),
        ("Authorization", "Bearer s3:cretq7Yh2mVt9Kp4Zx8Rb1Nc"),
        ("Authorization", "Bearer s3:cretq7Yh2mVt9Kp4Zx8Rb1Nc55"),
        ("Authorization", "Bearer S3:CRETQ7YH2MVT9KP4ZX8RB1NC5"),
        ("Authorization", WRONG_BASIC),
        ("Authorization", "Basic !!!"),
        ("Authorization", "Basic czM="),
        ("Authorization", "Digest s3:cretq7Yh2mVt9Kp4Zx8Rb1Nc5"),
        ("Cookie", "token=s3:cretq7Yh2mVt9Kp4Zx8Rb1Nc5"),
    ];
    for header in wrong {
        let refused = guarded.ask("GET", "/api/v1/products", &[header], "");
        problem(&refused, 401);
        challenges(&refused);
    }
    for headers in [&[][..], &[("Authorization", "Bearer ")]] {
        for path in [
            "/api/v1/products",
            "/api/v1/events",
            "/api/v1/products/a",
            "/nowhere",
            "/metrics",
            "/openapi.json",
            "/",
            "/style.css",
        ] {
            let refused = guarded.ask("GET", path, headers, "");
            problem(&refused, 401);
            challenges(&refused);
        }
        for (method, path, body) in [
            ("PUT", "/api/v1/products/a", r#"{"name":"n","description":"d"}"#),
            ("DELETE", "/api/v1/products/a", ""),
            ("POST", "/update", "sku=a&name=b"),
        ] {
            problem(&guarded.ask(method, path, headers, body), 401);
        }
        for path in ["/healthz", "/readyz"] {
            assert_eq!(guarded.ask("GET", path, headers, "").status, 200, "{path} needs none");
        }
    }
    for query in ["?token=s3:cretq7Yh2mVt9Kp4Zx8Rb1Nc5", "?access_token=s3%3Acret"] {
        problem(&guarded.ask("GET", &format!("/api/v1/products{query}"), &[], ""), 401);
    }
    assert_eq!(guarded.system.table("edits").len(), 0);
}

#[test]
fn a_browser_is_asked_for_the_password() {
    let guarded = Guarded::start();
    let refused = guarded.ask("GET", "/", &[BROWSER], "");
    page(&refused, 401);
    challenges(&refused);
}

#[test]
fn the_token_opens_everything() {
    let guarded = Guarded::start();
    let bearer = [
        "Bearer s3:cretq7Yh2mVt9Kp4Zx8Rb1Nc5",
        "bearer s3:cretq7Yh2mVt9Kp4Zx8Rb1Nc5",
        "BEARER s3:cretq7Yh2mVt9Kp4Zx8Rb1Nc5",
    ];
    for authorization in bearer.into_iter().chain(BASIC).chain(["basic OnMzOmNyZXRxN1loMm1WdDlLcDRaeDhSYjFOYzU="]) {
        let headers = [("Authorization", authorization)];
        for path in ["/api/v1/products", "/", "/metrics", "/openapi.json", "/healthz", "/style.css"] {
            assert_eq!(guarded.ask("GET", path, &headers, "").status, 200, "{authorization} {path}");
        }
        let put = guarded.ask("PUT", "/api/v1/products/a", &headers, r#"{"name":"n","description":"d"}"#);
        assert!([200, 201].contains(&put.status), "{authorization}: {}", put.text());
    }
    let headers = [("Authorization", "Bearer s3:cretq7Yh2mVt9Kp4Zx8Rb1Nc5"), ("Host", "evil.example")];
    problem(&guarded.ask("GET", "/api/v1/products", &headers, ""), 421);
    let headers = [("Authorization", "Bearer s3:cretq7Yh2mVt9Kp4Zx8Rb1Nc5"), ("Sec-Fetch-Site", "cross-site")];
    problem(&guarded.ask("DELETE", "/api/v1/products/a", &headers, ""), 403);
}
