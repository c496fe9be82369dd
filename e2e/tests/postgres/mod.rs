//! Masters of a PostgreSQL database: they write what SQLite gets, and one follows when another is killed or paused, with nothing lost.

mod drops;
mod failover;
mod full_disk;
mod load;
mod lost_sessions;
mod paused;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tributary_testkit::{
    http,
    postgres::{self, Schema},
    process::{self, Daemon, stdout},
    proxy::Proxy,
    wait,
};

/// A schema of its own on the server of the services.
fn schema() -> Schema {
    Schema::create(&postgres::server().expect("`cargo xtask services` sets it"))
}

const CONFIGURATION: &str = r#"
database_url = "DATABASE"
[catalog]
columns = ["price"]
index = ["price"]
[[source]]
name = "shop"
url = "SOURCE"
[[report]]
name = "sales"
files = "sales*.csv"
group_by = ["Shop"]
metrics = { rows = "count()", total = "sum(Amount)", mean = "mean(Amount)", third = "sum(Amount / 3)", most = "max(Amount)" }
"#;

fn configure(home: &Path, database: &str, source: &str) {
    let text = CONFIGURATION.replace("DATABASE", database).replace("SOURCE", source);
    fs::write(home.join("tributary.toml"), text).unwrap();
}

fn files() -> TempDir {
    let files = tempfile::tempdir().unwrap();
    let rows: String = (0..3_000)
        .map(|no| {
            format!("s{no},\"Name, \"\"{}\"\"\",\"ä\\{no} \u{1f4e6}\n line\",{}.{}\n", no % 700, no % 100, no % 7)
        })
        .collect();
    fs::write(files.path().join("feed.csv"), format!("sku,name,description,price\n{rows}")).unwrap();
    let sales = "Shop,Amount\nSouth,1.50\n\"x, y\",99999999999999999999\nSouth,2.25\nÄ,0.1\nÄ,0.2\nnorth,\nnorth,x\n";
    fs::write(files.path().join("sales.csv"), sales).unwrap();
    files
}

fn run(program: &str, arguments: &[&str], home: &Path) -> Output {
    process::command(program, home).args(arguments).output().unwrap()
}

#[test]
fn the_tables_are_those_of_sqlite() {
    let (schema, files) = (schema(), files());
    let source = Daemon::source(files.path());
    let printed = ["database.db", &schema.url].map(|database| {
        let home = tempfile::tempdir().unwrap();
        configure(home.path(), database, &source.url);
        let once = run("master", &["--once"], home.path());
        assert!(once.status.success(), "{}", process::stderr(&once));
        fs::write(files.path().join("feed.csv"), fs::read(files.path().join("feed.csv")).unwrap()).unwrap();
        let tables = [vec!["products"], vec!["aggr"], vec!["files"], vec!["rejects"], vec!["report", "sales"]];
        tables.map(|table| {
            let read = run("readdb", &[&table[..], &["--format", "csv"]].concat(), home.path());
            assert!(read.status.success(), "{table:?}: {}", process::stderr(&read));
            stdout(&read)
        })
    });
    let [file, server] = &printed;
    for (of_file, of_server) in file.iter().zip(server) {
        assert_eq!(of_server, of_file);
    }
    assert_eq!(file[0].lines().count(), 6_001, "a header, and two lines per product");
    assert_eq!(schema.psql("SELECT total FROM report_sales WHERE \"Shop\" = 'x, y'").trim(), "99999999999999999999");
    assert_eq!(schema.psql("SELECT count(*) FROM catalog WHERE price = '7.0' AND first_seen IS NOT NULL").trim(), "5");
}

/// A master in a folder of its own, with the address of the other as far as it knows it.
fn master(schema: &Schema, source: &str) -> (Daemon, TempDir) {
    master_at(&schema.url, source, &[])
}

/// The same at this URL, with further arguments.
fn master_at(url: &str, source: &str, arguments: &[&str]) -> (Daemon, TempDir) {
    let home = tempfile::tempdir().unwrap();
    configure(home.path(), url, source);
    let mut command = process::command("master", home.path());
    command.args(["--listen", "127.0.0.1:0"]).args(arguments).env("RUST_LOG", "error");
    (Daemon::start(command), home)
}

/// The role of a master; empty while it changes, when connections end without an answer.
fn role(master: &Daemon) -> String {
    let Ok((_, text)) = http::get(&format!("{}/readyz", master.url)) else { return String::new() };
    String::from_utf8(text).unwrap().split_whitespace().next().unwrap_or_default().to_owned()
}

fn has_rows(master: &Daemon) -> bool {
    http::get(&format!("{}/api/v1/products/s1", master.url)).is_ok_and(|(status, _)| status == 200)
}

/// Changes the name of a product, and returns the status.
fn edit(master: &Daemon, sku: usize, name: &str) -> Option<u16> {
    let url = format!("{}/api/v1/products/s{sku}", master.url);
    let body = json!({ "name": name }).to_string();
    let answer = http::request("PATCH", &url, &[("Content-Type", "application/json")], body.as_bytes());
    Some(answer.ok()?.status)
}

#[test]
fn another_master_follows_one_that_is_killed_and_no_edit_is_lost() {
    let (schema, files) = (schema(), files());
    let source = Daemon::source(files.path());
    let (mut active, mut home) = master(&schema, &source.url);
    wait::until("the first load", || has_rows(&active).then_some(()));
    let mut edited = Vec::new();
    for round in 0..5 {
        let (standby, its_home) = master(&schema, &source.url);
        wait::until("it stands by", || (role(&standby) == "standby").then_some(()));
        assert_eq!(edit(&standby, 0, "x"), Some(503), "nobody has told it the address of the active one");
        for sku in round * 20..(round + 1) * 20 {
            let name = format!("edit {sku} of round {round}");
            if edit(&active, sku, &name) == Some(200) {
                edited.push((sku, name));
            }
        }
        active.kill();
        wait::until("it takes over", || (role(&standby) == "ready").then_some(()));
        (active, home) = (standby, its_home);
    }
    assert_eq!(edited.len(), 100);
    for (sku, name) in &edited {
        let (status, product) = http::get(&format!("{}/api/v1/products/s{sku}", active.url)).unwrap();
        let product: Value = serde_json::from_slice(&product).unwrap();
        assert_eq!((status, product["name"].as_str()), (200, Some(name.as_str())));
    }
    let counts = "SELECT (SELECT count(*) FROM products) || ' ' || (SELECT sum(no_of_products) FROM aggr) || ' ' || \
         (SELECT count(*) FROM edits) || ' ' || (SELECT epoch FROM active_master)";
    assert_eq!(schema.psql(counts).trim(), "3000 3000 100 6");
    let check = run("starter", &["check"], home.path());
    assert!(check.status.success(), "{}{}", stdout(&check), process::stderr(&check));
}

fn signal(master: &Daemon, signal: &str) {
    let sent = Command::new("kill").args([signal, &master.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn a_paused_master_loses_its_right_to_write() {
    let (schema, files) = (schema(), files());
    let source = Daemon::source(files.path());
    let (paused, _home) = master(&schema, &source.url);
    wait::until("the first load", || has_rows(&paused).then_some(()));
    let (standby, home) = master(&schema, &source.url);
    wait::until("it stands by", || (role(&standby) == "standby").then_some(()));
    signal(&paused, "-STOP");
    let took_over = || (role(&standby) == "ready").then_some(());
    wait::within(Duration::from_secs(60), Duration::from_millis(100), took_over).unwrap();
    assert_eq!(edit(&standby, 1, "by the new one"), Some(200));
    signal(&paused, "-CONT");
    assert_ne!(edit(&paused, 1, "by the old one"), Some(200));
    wait::until("the old one stands by", || (role(&paused) == "standby").then_some(()));
    assert_eq!(schema.psql("SELECT name FROM products WHERE sku = 's1'").trim(), "by the new one");
    let once = run("master", &["--once"], home.path());
    assert_eq!(once.status.code(), Some(1), "{}", process::stderr(&once));
}

#[test]
fn a_master_goes_on_after_its_server_has_ended_all_sessions() {
    let (schema, files) = (schema(), files());
    let source = Daemon::source(files.path());
    let (master, _home) = master(&schema, &source.url);
    wait::until("the first load", || has_rows(&master).then_some(()));
    for round in 0..3 {
        // As a restart of the server does.
        schema.psql(
            "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'tributary %' \
             AND application_name LIKE '% ' || current_schema()::regnamespace::oid OFFSET 0) AS these",
        );
        let name = format!("round {round}");
        wait::until("it writes again", || (edit(&master, 1, &name) == Some(200)).then_some(()));
        let (_, product) = http::get(&format!("{}/api/v1/products/s1", master.url)).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&product).unwrap()["name"], name);
        fs::write(files.path().join("more.csv"), format!("sku,name\nnew{round},x\n")).unwrap();
        let url = format!("{}/api/v1/products/new{round}", master.url);
        wait::until("it applies again", || http::get(&url).is_ok_and(|(status, _)| status == 200).then_some(()));
    }
    assert_eq!(schema.psql("SELECT epoch FROM active_master").trim(), "1");
}

/// Reads used to be answered with 500, as if the master had a defect, and `/readyz` said `ready` until something was written.
#[test]
fn a_server_that_is_away_is_said_and_waited_for() {
    let (schema, files) = (schema(), files());
    let source = Daemon::source(files.path());
    let server = schema.url.split_once("://").unwrap().1;
    let place = server.split('/').next().unwrap().rsplit('@').next().unwrap();
    let proxy = Proxy::start(place);
    let (master, _home) =
        master_at(&schema.url.replacen(place, proxy.url.trim_start_matches("http://"), 1), &source.url, &[]);
    wait::until("the first load", || has_rows(&master).then_some(()));
    proxy.go_down();
    let status = |path: &str| http::get(&format!("{}{path}", master.url)).unwrap().0;
    let paths = ["/api/v1/products", "/api/v1/products/s1", "/", "/metrics"];
    let found = paths.map(|path| {
        let mut last = 0;
        wait::until("it misses the server", || {
            last = status(path);
            (last != 200).then_some(())
        });
        last
    });
    assert_eq!(found, [503; 4]);
    wait::until("it is not ready", || (status("/readyz") == 503).then_some(()));
    proxy.come_up();
    wait::until("it is ready again", || (role(&master) == "ready").then_some(()));
    assert_eq!(paths.map(status), [200; 4]);
    assert_eq!(edit(&master, 1, "again"), Some(200));
}
