//! Every route with every role, against the table of docs/reference/http-api.md#roles.

use std::collections::BTreeSet;

use actix_web::{
    http::{Method, StatusCode},
    test::{self, TestRequest},
    web,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tributary_admission::{Admission, Role, Tokens};
use tributary_config::{CompatConfig, Config};
use tributary_engine::{Engine, Running};
use tributary_store::Store;

use crate::http::server::{App, router};

/// Method, path with its parameters filled in, path as declared, and the role; `None`: everybody.
type Rule = (&'static str, &'static str, &'static str, Option<Role>);

const fn same(method: &'static str, path: &'static str, role: Role) -> Rule {
    (method, path, path, Some(role))
}

const SKU: &str = "/api/v1/products/{sku}";
const TUS: &str = "/api/v1/tus";
const ID: &str = "0123456789abcdef0123456789abcdef";

#[rustfmt::skip]
const RULES: [Rule; 66] = [
    ("GET", "/healthz", "/healthz", None),
    ("GET", "/readyz", "/readyz", None),
    same("GET", "/health", Role::Read),
    same("GET", "/data", Role::Read),
    same("GET", "/", Role::Read),
    same("GET", "/product", Role::Read),
    ("GET", "/products/a", "/products/{sku}", Some(Role::Read)),
    same("GET", "/products", Role::Read),
    same("GET", "/names", Role::Read),
    same("GET", "/sources", Role::Read),
    ("GET", "/sources/a", "/sources/{name}", Some(Role::Read)),
    same("GET", "/files", Role::Read),
    same("GET", "/rejects", Role::Read),
    same("GET", "/upload", Role::Read),
    same("GET", "/docs", Role::Read),
    same("GET", "/upload.js", Role::Read),
    same("GET", "/tus.js", Role::Read),
    same("GET", "/reports", Role::Read),
    ("GET", "/reports/a", "/reports/{name}", Some(Role::Read)),
    same("GET", "/demo", Role::Read),
    same("GET", "/style.css", Role::Read),
    same("GET", "/live.js", Role::Read),
    same("GET", "/icon.svg", Role::Read),
    same("GET", "/favicon.ico", Role::Read),
    same("GET", "/api/v1/products", Role::Read),
    ("GET", "/api/v1/products/a", SKU, Some(Role::Read)),
    ("GET", "/api/v1/products/a/history", "{sku}/history", Some(Role::Read)),
    same("GET", "/api/v1/aggr", Role::Read),
    same("GET", "/api/v1/queues", Role::Read),
    same("GET", "/api/v1/exports", Role::Read),
    same("GET", "/api/v1/sources", Role::Read),
    same("GET", "/api/v1/history", Role::Read),
    same("GET", "/api/v1/files", Role::Read),
    same("GET", "/api/v1/rejects", Role::Read),
    same("GET", "/api/v1/uploads", Role::Read),
    ("GET", "/api/v1/uploads/0123", "/api/v1/uploads/{id}", Some(Role::Read)),
    ("GET", "/api/v1/uploads/0123/events", "/api/v1/uploads/{id}/events", Some(Role::Read)),
    ("GET", "/api/v1/documents/a.csv", "/api/v1/documents/{path:.+}", Some(Role::Read)),
    same("GET", "/api/v1/reports", Role::Read),
    ("GET", "/api/v1/reports/a", "/api/v1/reports/{name}", Some(Role::Read)),
    same("GET", "/api/v1/events", Role::Read),
    same("GET", "/socket.io/", Role::Read),
    same("POST", "/socket.io/", Role::Read),
    same("GET", "/metrics", Role::Read),
    same("GET", "/openapi.json", Role::Read),
    ("OPTIONS", "/api/v1/tus/", "/", Some(Role::Read)),
    same("POST", "/update", Role::Edit),
    same("POST", "/clear", Role::Edit),
    same("POST", "/hide", Role::Edit),
    same("POST", "/undo", Role::Edit),
    ("POST", "/products/a", "/products/{sku}", Some(Role::Edit)),
    ("PUT", "/api/v1/products/a", SKU, Some(Role::Edit)),
    ("PATCH", "/api/v1/products/a", SKU, Some(Role::Edit)),
    ("DELETE", "/api/v1/products/a", SKU, Some(Role::Edit)),
    ("DELETE", "/api/v1/products/a/edit", "{sku}/edit", Some(Role::Edit)),
    ("POST", "/api/v1/products/a/history/1/undo", "{sku}/history/{{id}}/undo", Some(Role::Edit)),
    same("POST", "/upload", Role::Upload),
    same("POST", "/upload/remove", Role::Upload),
    same("POST", "/api/v1/uploads", Role::Upload),
    same("PUT", "/api/v1/uploads", Role::Upload),
    ("DELETE", "/api/v1/uploads/0123", "/api/v1/uploads/{id}", Some(Role::Upload)),
    ("POST", "/api/v1/tus/", TUS, Some(Role::Upload)),
    ("PUT", "/api/v1/documents/a.csv", "/api/v1/documents/{path:.+}", Some(Role::Upload)),
    ("DELETE", "/api/v1/documents/a.csv", "/api/v1/documents/{path:.+}", Some(Role::Upload)),
    same("POST", "/accept", Role::Admin),
    ("POST", "/api/v1/sources/a/accept", "/api/v1/sources/{name}/accept", Some(Role::Admin)),
];

/// The parts of a resumable upload, whose paths the router composes.
const PARTS: [&str; 3] = ["HEAD", "PATCH", "DELETE"];

struct Server {
    app: web::Data<App>,
    running: Running,
    _folder: TempDir,
}

fn token(role: Role) -> String {
    format!("{role}-q7Yh2mVt9Kp4Zx8Rb1Nc5Ws6")
}

impl Server {
    /// With one token per role, and the paths of older systems.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens");
        let lines = Role::ALL.map(|role| format!("name-{role} {role} {}\n", token(role)));
        std::fs::write(&file, lines.concat()).unwrap();
        let database: tributary_store::DatabaseUrl =
            folder.path().join("database.db").to_str().unwrap().parse().unwrap();
        drop(Store::open(&database).unwrap());
        let config = Config { database, ..Config::default() };
        let (engine, running) = Engine::over(&config, CancellationToken::new()).unwrap();
        let admission = Admission::new(Some(Tokens::read(&file).unwrap()), Vec::new());
        let app = web::Data::new(App::new(engine, admission, Some(CompatConfig::default()), 1_000));
        Self { app, running, _folder: folder }
    }

    /// Status and body; that of a stream is not waited for.
    async fn ask(&self, request: TestRequest, role: Option<Role>) -> (StatusCode, String) {
        let service = test::init_service(router::app(self.app.clone())).await;
        let request = request.insert_header(("host", "localhost")).insert_header(("tus-resumable", "1.0.0"));
        let request = match role {
            Some(role) => request.insert_header(("authorization", format!("Bearer {}", token(role)))),
            None => request,
        };
        let response = test::call_service(&service, request.to_request()).await;
        let status = response.status();
        let body = if status.is_client_error() { test::read_body(response).await.to_vec() } else { Vec::new() };
        (status, String::from_utf8(body).unwrap())
    }

    async fn check(&self, method: &str, path: &str, needed: Option<Role>) {
        let request = || TestRequest::with_uri(path).method(method.parse::<Method>().unwrap());
        let (status, _) = self.ask(request(), None).await;
        assert_eq!(status == StatusCode::UNAUTHORIZED, needed.is_some(), "{method} {path} without a token: {status}");
        for role in Role::ALL {
            let (status, body) = self.ask(request(), Some(role)).await;
            let is_refused = status == StatusCode::FORBIDDEN;
            assert_eq!(is_refused, needed.is_some_and(|needed| role < needed), "{method} {path} as {role}: {status}");
            let names_it = needed.is_some_and(|needed| body.contains(&format!("`{needed}`")));
            assert!(!is_refused || method == "HEAD" || names_it, "{method} {path}: {body}");
        }
    }

    async fn stop(self) {
        drop(self.app);
        self.running.stop().await;
    }
}

#[actix_web::test]
async fn each_route_asks_for_its_role() {
    let server = Server::new();
    for (method, path, _, role) in RULES {
        server.check(method, path, role).await;
    }
    for method in PARTS {
        server.check(method, &format!("{TUS}/{ID}"), Some(Role::Upload)).await;
    }
    let rows = || TestRequest::post().uri("/update").insert_header(("content-type", "application/json"));
    assert_eq!(server.ask(rows(), Some(Role::Edit)).await.0, StatusCode::FORBIDDEN, "rows are a document");
    assert_ne!(server.ask(rows(), Some(Role::Upload)).await.0, StatusCode::FORBIDDEN);
    server.stop().await;
}

#[test]
fn no_route_is_missing_in_the_table() {
    let declared = include_str!("../router.rs").split("resource(").skip(1);
    let paths: BTreeSet<&str> = declared
        .filter_map(|text| text.trim_start().trim_start_matches("&format!(").strip_prefix('"')?.split('"').next())
        .filter(|path| !matches!(*path, "/panic" | "{path}"))
        .collect();
    assert!(paths.len() > 45, "{paths:?}");
    let known: BTreeSet<&str> = RULES.iter().map(|rule| rule.2).collect();
    let missing: Vec<_> = paths.difference(&known).collect();
    assert!(missing.is_empty(), "no rule for {missing:?}");
}

#[actix_web::test]
async fn a_browser_that_may_only_read_gets_a_page_that_says_so() {
    let server = Server::new();
    let save = TestRequest::post().uri("/update").insert_header(("accept", "text/html"));
    let (status, page) = server.ask(save.set_payload("sku=a&name=b"), Some(Role::Read)).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    for part in ["<h1>403", "role needed", "name-read", "`edit`"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    server.stop().await;
}
