//! A standby and its successor at the same port, over a file whose lock the test holds.

use tributary_testkit::{http, wait};

use super::*;

/// The text of `/readyz`; none while nobody answers.
fn readiness(url: &str) -> Option<String> {
    http::get(&format!("{url}/readyz")).ok().map(|(_, body)| String::from_utf8(body).unwrap())
}

fn edit(url: &str) -> http::Response {
    let json = [("Content-Type", "application/json")];
    http::request("PUT", &format!("{url}/api/v1/products/a"), &json, br#"{"name":"Mine","description":""}"#).unwrap()
}

/// Only a standby for a file can be tested here. Programs do not wait for one: see [`run`].
#[test]
fn a_standby_takes_over_where_it_listens() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("database.db");
    let config = Config { database: database.to_str().unwrap().parse().unwrap(), ..Config::default() };
    drop(tributary_store::Store::open(&config.database).unwrap());
    let held = tributary_engine::acquire(&config, "the test").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    let master = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let lock = DatabaseLock::new(&config, true);
        runtime.block_on(run_with(&lock, config, None, listener, Start::default(), token))
    });
    let says = |words: &str| wait::until(words, || readiness(&url).filter(|text| text.contains(words)));
    says("active: the test, process");
    assert!(says("standby\n").starts_with("standby\n"));
    assert_eq!(edit(&url).status, 503);
    drop(held);
    assert_eq!(says("ready\n"), "ready\n");
    assert!(edit(&url).status < 300);
    shutdown.cancel();
    master.join().unwrap().unwrap();
}
