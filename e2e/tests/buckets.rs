//! A bucket of a server that is not ours, filled by a client that is not ours, as a source.

use std::{env, fs};

use e2e::python;
use serde_json::Value;
use tributary_testkit::{
    http,
    process::{self, Daemon},
    wait,
};

const SCRIPT: &str = include_str!("bucket.py");

#[test]
fn what_boto3_puts_changes_and_deletes_is_followed() {
    let endpoint = env::var("TRIBUTARY_E2E_S3").expect("`cargo xtask services` sets TRIBUTARY_E2E_S3");
    let home = tempfile::tempdir().unwrap();
    drop(python(SCRIPT, &[&endpoint, "fill"], home.path()));
    let source =
        "[[source]]\nname = \"shop\"\nurl = \"s3://shop/feeds/\"\npoll_interval = \"200ms\"\nmax_removal = false\n";
    fs::write(home.path().join("tributary.toml"), source).unwrap();
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    let mut command = process::command("master", home.path());
    command.args(["--listen", "127.0.0.1:0"]).envs(variables);
    let master = Daemon::start(command);
    let api = |path: &str| {
        let (_, body) = http::get(&format!("{}{path}", master.url)).unwrap();
        serde_json::from_slice::<Value>(&body).unwrap()
    };
    let products = |expect: i64| {
        wait::until(&format!("{expect} products"), || {
            (api("/api/v1/sources")["items"][0]["offers"] == expect).then_some(())
        });
    };
    products(1_500 + 1 + 400_000);
    assert_eq!(api("/api/v1/products/zipped")["name"], "Z");
    assert_eq!(api("/api/v1/sources")["items"][0]["state"], "up");
    drop(python(SCRIPT, &[&endpoint, "change"], home.path()));
    // Two objects offer one sku now.
    products(751 + 1 + 250_001);
    let name = |sku: &str| api(&format!("/api/v1/products/{sku}"))["name"].clone();
    assert_eq!(
        (name("s0001"), name("l"), name("s0000"), name("no")),
        ("N1".into(), "One".into(), Value::Null, Value::Null)
    );
}
