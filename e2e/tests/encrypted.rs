//! `amqps://`: every program speaks TLS with a broker whose authority it is told, and no other way.

use std::{
    fs,
    process::{Command, Output, Stdio},
};

use e2e::{Broker, Master, Relay, control, said, until};
use tempfile::TempDir;
use tributary_amqp::Link;
use tributary_testkit::process;

fn publish(folder: &TempDir, words: &[&str]) -> Command {
    let mut publish = process::command("publish", folder.path());
    publish.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    publish
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.csv"), "sku,name\na,Pen\n").unwrap();
    fs::write(folder.path().join("b.jsonl"), "{\"op\":\"upsert\",\"sku\":\"b\",\"name\":\"Ink\"}\n").unwrap();
    folder
}

/// The connections of a test as the broker lists them: first whether each is encrypted.
fn connections(broker: &Broker) -> Vec<String> {
    let listed = control(&["list_connections", "--quiet", "ssl", "vhost", "client_properties"]);
    let of_test = listed.lines().filter(|line| line.contains(broker.name()));
    of_test.map(str::to_owned).collect()
}

#[tokio::test]
async fn a_relay_a_master_and_publish_speak_tls() {
    let (broker, ca) = (Broker::new("encrypted"), Broker::ca_file());
    let configuration =
        format!("[amqp]\nurl = \"{}\"\nca_file = \"{ca}\"\nresults_exchange = \"r\"\n", broker.encrypted_url);
    let master = Master::start(&configuration, &[]);
    let _relay = Relay::start(&broker, master.url(), &["--amqp", &broker.encrypted_url, "--amqp-ca", &ca]);
    let folder = folder();
    for words in [&["a.csv"][..], &["--operations", "b.jsonl"]] {
        let mut publish = publish(&folder, words);
        let output = publish.envs([("TRIBUTARY_AMQP", &broker.encrypted_url), ("TRIBUTARY_AMQP_CA", &ca)]).output();
        assert!(output.as_ref().unwrap().status.success(), "{output:?}");
    }
    let expect = [("a", "Pen"), ("b", "Ink")].map(|(sku, name)| (sku.to_owned(), (name.to_owned(), String::new())));
    until("both products are shown", async || (master.products() == expect.clone().into()).then_some(())).await;
    let connections = connections(&broker);
    assert!(connections.len() >= 5, "two of the relay and three of the master: {connections:?}");
    assert!(connections.iter().all(|connection| connection.starts_with("true")), "{connections:?}");
    let trusting = broker.encrypted_url.parse::<tributary_amqp::BrokerUrl>().unwrap().trusting(ca.as_ref()).unwrap();
    Link::open(&trusting, "a test").await.unwrap().close().await;
}

#[test]
fn what_cannot_be_trusted_is_refused_at_once_with_the_fix() {
    let (broker, folder) = (Broker::new("untrusted"), folder());
    let refused = |url: &str, more: &[&str], parts: &[&str]| {
        let output: Output = publish(&folder, &[&["a.csv", "--amqp", url], more].concat()).output().unwrap();
        let said = process::stderr(&output);
        assert!(!output.status.success() && parts.iter().all(|part| said.contains(part)), "{parts:?}: {said}");
        assert!(!said.contains("guest:"), "{said}");
    };
    let unknown =
        ["the certificate of the broker amqps://127.0.0.1:", "no authority that this machine knows", "--amqp-ca"];
    refused(&broker.encrypted_url, &[], &unknown);
    let other_name = broker.encrypted_url.replace("127.0.0.1", "localhost");
    refused(&other_name, &["--amqp-ca", &Broker::ca_file()], &["it is not for this name, `localhost`"]);
    refused(&broker.url, &["--amqp-ca", &Broker::ca_file()], &["write amqps:// in place of amqp://"]);
    refused(&broker.encrypted_url, &["--amqp-ca", "a.csv"], &["a.csv has no certificate"]);
}

/// Guards against a connection that goes on unencrypted, password included.
#[test]
fn the_wrong_scheme_is_named() {
    let (broker, folder) = (Broker::new("scheme"), folder());
    let warned = |url: String, part: &str| {
        let mut publish = publish(&folder, &["a.csv", "--amqp", &url]).spawn().unwrap();
        // It retries: a broker that starts may answer so too.
        let line = said(&mut publish, "cannot be reached");
        publish.kill().unwrap();
        publish.wait().unwrap();
        assert!(line.contains(part), "{line}");
    };
    warned(broker.url.replace("amqp://", "amqps://"), "the port speaks no TLS; write amqp://");
    warned(broker.encrypted_url.replace("amqps://", "amqp://"), "if this port speaks TLS, write amqps://");
}
