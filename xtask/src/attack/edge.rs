//! The edge of both servers: other websites, other hosts, requests that are no requests, redirects of sources, and texts that pretend.

use std::{fs, io::Write, net::TcpStream, sync::Arc};

use anyhow::{Context, Result, ensure};
use tributary_testkit::http::{self, Response};

use super::{
    Attack, How,
    hostile::{Hostile, reply, sensed},
    stage::{Plan, Stage},
};

pub(super) const ATTACKS: &[Attack] = &[
    Attack("1", "another website's page asks every route of both servers", How::On(plain, cross_site)),
    Attack("1", "every route of both servers is asked under a foreign or malformed host", How::On(plain, foreign_host)),
    Attack(
        "1",
        "heads with a length and chunks, two lengths, bare line ends, a megabyte",
        How::On(plain, broken_heads),
    ),
    Attack("2", "a source redirects to an address inside", How::On(redirecting, redirect)),
    Attack("7", "names that turn the text around, cells that run as formulas", How::On(plain, disguised)),
];

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
/// Of the source; those of the master stand in its description of the API.
const SOURCE_ROUTES: [&str; 7] = ["/", "/sense", "/sense/files", "/read", "/read/feed.csv", "/aggregate", "/metrics"];
/// Pages, which are no operations of the API.
const PAGES: [&str; 17] = [
    "/",
    "/products",
    "/products/sku000001",
    "/names",
    "/sources",
    "/sources/north",
    "/files",
    "/rejects",
    "/reports",
    "/upload",
    "/docs",
    "/update",
    "/clear",
    "/hide",
    "/data",
    "/health",
    "/socket.io/?EIO=4&transport=polling",
];

fn plain() -> Result<Plan> {
    Ok(Plan::new().section("[compat]"))
}

/// All routes of both servers, with their parameters filled in.
fn routes(stage: &Stage) -> Result<Vec<String>> {
    let described = stage.json("/openapi.json")?;
    let paths = described["paths"].as_object().context("the description of the API has no paths")?;
    let filled = paths
        .keys()
        .map(|path| path.split('{').next().unwrap_or(path).to_owned() + if path.contains('{') { "x" } else { "" });
    let mut routes: Vec<_> = filled.map(|path| stage.master(&path)).collect();
    ensure!(routes.len() > 20, "only {} routes are described", routes.len());
    routes.extend(PAGES.map(|path| stage.master(path)));
    routes.extend(SOURCE_ROUTES.map(|path| stage.source(path)));
    Ok(routes)
}

/// Asks each route with each method and these headers; every answer must have one of these statuses.
fn all_refuse(stage: &Stage, headers: &[(&str, &str)], statuses: &[u16]) -> Result<usize> {
    let mut asked = 0;
    for url in routes(stage)? {
        for method in METHODS {
            let answer = http::request(method, &url, headers, b"")?;
            ensure!(
                statuses.contains(&answer.status),
                "{method} {url} with {headers:?} was answered with {}",
                answer.status
            );
            asked += 1;
        }
    }
    Ok(asked)
}

fn cross_site(stage: &Stage) -> Result<String> {
    let mut asked = 0;
    for site in ["cross-site", "same-site"] {
        asked += all_refuse(stage, &[("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", "no-cors")], &[403])?;
    }
    for origin in ["http://evil.example", "null", "https://127.0.0.1"] {
        asked += all_refuse(stage, &[("Origin", origin)], &[403])?;
    }
    let product = stage.json("/api/v1/products/sku000001")?;
    ensure!(product["edited"] == false, "a product was corrected");
    Ok(format!("{asked} requests refused"))
}

fn foreign_host(stage: &Stage) -> Result<String> {
    let mut asked = 0;
    for host in ["evil.example", "127.0.0.1.evil.example", "[::2]", "127.1"] {
        asked += all_refuse(stage, &[("Host", host)], &[421])?;
    }
    for host in ["[::1", "localhost:80:80", "", "a@localhost", "localhost, evil.example"] {
        asked += all_refuse(stage, &[("Host", host)], &[400, 421])?;
    }
    Ok(format!("{asked} requests refused"))
}

fn broken_heads(stage: &Stage) -> Result<String> {
    let large = format!("X-Large: {}\r\n", "x".repeat(1 << 20));
    let heads = [
        "POST /api/v1/uploads?filename=x.csv HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "POST /aggregate HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n",
        "POST /update HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "GET / HTTP/1.1\r\nOrigin: null\r\nOrigin: null\r\n",
        "GET / HTTP/1.1\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n",
        "GET http://evil.example/ HTTP/1.1\r\n",
        "GET / HTTP/9.9\r\n",
        "GET /\r\n",
        &format!("GET / HTTP/1.1\r\n{large}"),
        &format!("GET /?{} HTTP/1.1\r\n", "q".repeat(1 << 20)),
        &format!("GET / HTTP/1.1\r\n{}", "A: b\r\n".repeat(10_000)),
    ];
    for url in [stage.master(""), stage.source("")] {
        for head in heads {
            let shown = &head[..head.len().min(60)];
            let bytes =
                format!("{head}Host: localhost\r\nConnection: close\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n");
            match http::exchange(&url, bytes.as_bytes()) {
                // A head that is no head may be answered by the end of the connection.
                Ok(Response { status, .. }) => {
                    ensure!((400..500).contains(&status), "{shown:?} was answered with {status}");
                }
                Err(_) => ensure!(http::get(&format!("{url}/healthz"))?.0 == 200, "{shown:?} ended the server"),
            }
        }
    }
    Ok(format!("{} heads for each server", heads.len()))
}

fn redirecting() -> Result<Plan> {
    let inside = Hostile::start(Arc::new(|_, out| reply(out, "text/csv", b"sku,name\ninside,Secret\n")))?;
    let target = inside.url.clone();
    let bad = move |path: &str, out: &mut TcpStream| match path {
        "/sense" => reply(out, "application/json", br#"{"status":1}"#),
        "/read" => write!(out, "HTTP/1.1 302 Found\r\nLocation: {target}/read\r\nContent-Length: 0\r\n\r\n"),
        _ => sensed(path, out),
    };
    Ok(Plan::new().hostile("bad", "", bad)?.beside("inside", inside))
}

fn redirect(stage: &Stage) -> Result<String> {
    let error = stage.says("bad", "redirect")?;
    ensure!(stage.hostile("inside").asked() == 0, "the address inside was asked");
    Ok(error)
}

fn disguised(stage: &Stage) -> Result<String> {
    for name in ["in\u{202e}voice.csv", "a\u{200b}b.csv", "\u{2066}x.csv"] {
        let name: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let answer = stage.ask("POST", &format!("/api/v1/uploads?filename={name}"), &[], b"sku,name\nu,U\n")?;
        ensure!([400, 422].contains(&answer.status), "an upload named {name} was answered with {}", answer.status);
    }
    let evil = "sku,name\nf1,=1+1\nf2,\"a;=1+1\"\nf3,\u{202e}turned\nf4,<script>alert(1)</script>\nf5,\u{ff1d}1+1\n";
    fs::write(stage.folder().join("evil.csv"), evil)?;
    stage.until("the rows are applied", || stage.shows("f5")?.then_some(()))?;
    let sheet = stage.ask("GET", "/api/v1/products?format=csv&q=f", &[], b"")?.text();
    let runs = |cell: &str| sheet.lines().any(|line| line.split([',', ';', '"']).any(|part| part.starts_with(cell)));
    ensure!(!runs("=1") && !runs("\u{ff1d}1"), "a cell runs as a formula: {sheet}");
    let page = stage.ask("GET", "/products/f4", &[("Accept", "text/html")], b"")?.text();
    ensure!(!page.contains("<script>alert"), "a name is markup");
    let turned = stage.ask("GET", "/products/f3", &[("Accept", "text/html")], b"")?.text();
    // At the begin of a block, an isolated element or an attribute it turns nothing but itself.
    let mut before = turned.split('\u{202e}').map(|text| text.chars().next_back());
    let turns = turned.matches('\u{202e}').count();
    ensure!(
        before.by_ref().take(turns).all(|sign| matches!(sign, Some('>' | '"'))),
        "a name turns what stands beside it"
    );
    fs::remove_file(stage.folder().join("evil.csv"))?;
    stage.until("they are gone", || (!stage.shows("f5")?).then_some(()))?;
    Ok(String::new())
}
