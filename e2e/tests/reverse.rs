//! Behind nginx and Caddy as docs/guide/proxy.md sets them up, everything works as without.

use std::{env, fs, path::PathBuf, process::Command};

use e2e::{Browser, Kind, ReverseProxy, System, Talk, browse, proxy_settings, python, until};
use tempfile::TempDir;
use tributary_testkit::process;

const FEED: &str = "sku,name,description\np1,Pen,blue\n";
const DASHBOARD: &str = include_str!("socketio/dashboard.py");
/// Sends a request for another name and prints the status.
const OTHER_HOST: &str =
    "import sys, requests\nprint(requests.get(sys.argv[1], headers={'Host': 'other.example'}).status_code)\n";
/// More than one part, and more than nginx takes by default.
const MEGABYTES: usize = 40;

/// A system, and the port that its proxy is to have.
fn system() -> (System, u16) {
    let (port, settings) = proxy_settings();
    (System::configured(FEED, &format!("{settings}\n[compat]\n")), port)
}

/// Creates a file of some megabytes with few rows.
fn big_file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.csv");
    let row = |number: usize| format!("u{number},Name,{}\n", "x".repeat(1 << 20));
    fs::write(&path, "sku,name,description\n".to_owned() + &(0..MEGABYTES).map(row).collect::<String>()).unwrap();
    (folder, path)
}

#[test]
fn everything_works_through_nginx() {
    let (system, port) = system();
    let proxy = ReverseProxy::nginx(&system.page(""), port);
    check(&system, &proxy);
    let refused = python(&proxy.python(OTHER_HOST), &[&format!("{}/", proxy.url)], &env::temp_dir());
    assert_eq!(refused.trim(), "421");
    // Which has no way to take another name for this machine.
    let (folder, _) = big_file();
    fs::rename(folder.path().join("big.csv"), folder.path().join("other.csv")).unwrap();
    let mut publish: Command = process::command("publish", folder.path());
    publish.args(["other.csv", "--to", &format!("https://localhost:{}", proxy.port)]);
    let output = publish.env("SSL_CERT_FILE", proxy.certificate()).output().unwrap();
    assert!(output.status.success(), "{}", process::stderr(&output));
}

#[test]
fn everything_works_through_caddy() {
    let (system, port) = system();
    let proxy = ReverseProxy::caddy(&system.page(""), port);
    check(&system, &proxy);
}

/// The page, a save, the live connection, an upload that shows its progress, and clients of Socket.IO.
fn check(system: &System, proxy: &ReverseProxy) {
    for kind in [Kind::Desktop, Kind::WithoutScripts] {
        let name = format!("Name of {kind:?}");
        browse(kind, async |browser| {
            browser.goto(&format!("{}/", proxy.url)).await;
            browser.write("#sku", "p1").await;
            browser.write("#name", &name).await;
            browser.click("#submit").await;
            browser.lands_on(&format!("{}/?sku=p1", proxy.url)).await;
            browser.shows("#product .name", &name).await;
        });
        assert_eq!(system.product("p1").unwrap().0, name);
    }
    for transports in ["polling", "websocket"] {
        let dashboard = Talk::python(&proxy.python(DASHBOARD), &[&proxy.url, transports, "{}"]);
        let (mut is_connected, mut is_sent) = (false, false);
        dashboard.hear(&format!("a dashboard connects by {transports} and gets rows"), |said| {
            is_connected |= said[0] == "connect" && said[1] == transports;
            is_sent |= said[0] == "csv_update" && said[1].as_array().is_some_and(|rows| !rows.is_empty());
            (is_connected && is_sent).then_some(())
        });
    }
    // The large rows that are uploaded here would go to the dashboards, too.
    browse(Kind::Desktop, async |browser| {
        follows(system, proxy, &browser).await;
        uploads(proxy, &browser).await;
        assert_eq!(browser.console().await, [""; 0]);
    });
}

async fn follows(system: &System, proxy: &ReverseProxy, browser: &Browser) {
    browser.goto(&format!("{}/?sku=n1", proxy.url)).await;
    browser.shows("#live", "live").await;
    // A look of the page by itself would hide that no event comes.
    browser.run("const now = Date.now(); Date.now = () => now; window.isThatPage = true").await;
    system.write("sku,name,description\np1,Pen,blue\nn1,Nib,gold\n");
    browser.shows("#product .name", "Nib").await;
    assert_eq!(browser.run("return window.isThatPage").await, true);
}

async fn uploads(proxy: &ReverseProxy, browser: &Browser) {
    let (_folder, path) = big_file();
    browser.goto(&format!("{}/upload", proxy.url)).await;
    browser
        .run(
            "window.seen = new Set(); new MutationObserver(() => { \
             const bar = document.querySelector('#uploads progress'); if (bar) window.seen.add(bar.value); \
             }).observe(document.querySelector('#uploads'), { childList: true, subtree: true, attributes: true })",
        )
        .await;
    crate::upload::send(browser, &path).await;
    browser.shows("#uploads li:first-child .state", "complete").await;
    let seen = "return window.seen.size";
    until("progress was shown", async || browser.run(seen).await.as_u64().filter(|seen| *seen > 1)).await;
}
