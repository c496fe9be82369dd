//! `publish --amqp`: what a broker gets, also over a connection that breaks.

use std::{
    collections::HashSet,
    env, fs,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use e2e::{Broker, Proxy};
use tempfile::TempDir;
use tributary_amqp::{DEAD_LETTERS, Message, Queue};
use tributary_testkit::process;

/// Lines whose messages are many times what may be unconfirmed.
const OPERATIONS: usize = 10_000;

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, content)| fs::write(folder.path().join(name), content).unwrap());
    folder
}

fn command(folder: &TempDir, url: &str, words: &[&str]) -> Command {
    let mut command = process::command("publish", folder.path());
    command.args(words).env("TRIBUTARY_AMQP", url).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn publish(folder: &TempDir, broker: &Broker, words: &[&str]) -> Output {
    command(folder, &broker.url, words).output().unwrap()
}

/// Lines of JSON and their messages without ids; an empty line is none.
fn operations(count: usize) -> (String, Vec<Message>) {
    let (mut lines, mut messages) = (String::new(), Vec::new());
    for number in 1..=count {
        let line = match number % 100 {
            0 => String::new(),
            1 => format!("[{{\"operation\":\"set\",\"sku\":\"s{number}\"}}]"),
            _ => format!("{{\"operation\":\"set\",\"sku\":\"s{number}\",\"name\":\"Name {number}\"}}"),
        };
        if !line.is_empty() {
            messages.push(Message {
                content_type: Some("application/json".into()),
                body: line.clone().into_bytes(),
                ..Message::default()
            });
        }
        lines += &line;
        lines += "\n";
    }
    (lines, messages)
}

/// Leaves out messages whose id came before, as a receiver does, and then the ids.
fn first_of_each(messages: Vec<Message>) -> Vec<Message> {
    let mut ids = HashSet::new();
    let first = messages.into_iter().filter(|message| ids.insert(message.id.clone().expect("it has an id")));
    first.map(|message| Message { id: None, ..message }).collect()
}

/// Starts it behind a proxy that passes on a part of what it sends.
fn start_and_hold(folder: &TempDir, broker: &Broker) -> (Child, Proxy) {
    let server = env::var("TRIBUTARY_E2E_AMQP").unwrap();
    let address = server.rsplit_once('@').unwrap().1;
    let proxy = Proxy::start(address);
    proxy.hold_after(300_000);
    let url = broker.url.replace(address, proxy.url.trim_start_matches("http://"));
    let child = command(folder, &url, &["--operations", "a.jsonl"]).spawn().unwrap();
    proxy.is_held();
    (child, proxy)
}

#[tokio::test]
async fn a_document_is_a_message_and_its_repeat_is_the_same() {
    let broker = Broker::new("publish-documents");
    let files = [("a.csv", &b"sku,name\n1,Pen\n"[..]), ("b.csv.gz", b"\x1f\x8b packed"), ("c.csv", b"")];
    let folder = folder(&files);
    let mut ids = HashSet::new();
    for _ in 0..2 {
        let output = publish(&folder, &broker, &["a.csv", "b.csv.gz", "c.csv"]);
        let stdout = process::stdout(&output);
        assert!(output.status.success(), "{output:?}");
        assert!(stdout.starts_with("a.csv: published, 15 B\nb.csv.gz: published, 9 B\nc.csv: published, 0 B\n"));
        assert!(stdout.contains("\n3 documents published, 0 failed; 24 B, "), "{stdout}");
        let expect = files.map(|(name, content)| Message {
            content_type: Some("text/csv".into()),
            headers: [("path".to_owned(), name.to_owned())].into(),
            body: content.to_vec(),
            ..Message::default()
        });
        let messages = broker.drain("tributary.documents").await;
        ids.extend(messages.iter().map(|message| message.id.clone()));
        assert_eq!(first_of_each(messages), expect);
    }
    assert_eq!(ids.len(), 3, "a repeat has the same ids");
    assert_eq!(broker.ready(DEAD_LETTERS).await, Some(0), "it is declared");
}

#[tokio::test]
async fn operations_keep_their_order() {
    let broker = Broker::new("publish-operations");
    let (lines, expect) = operations(5_000);
    let output =
        publish(&folder(&[("a.jsonl", lines.as_bytes())]), &broker, &["--operations", "a.jsonl", "--queue", "q"]);
    assert!(output.status.success(), "{output:?}");
    assert!(process::stdout(&output).starts_with("4,950 operations published; "), "{output:?}");
    assert!(first_of_each(broker.drain("q").await) == expect, "the messages differ");
}

#[tokio::test]
async fn operations_keep_their_order_over_a_connection_that_breaks() {
    let broker = Broker::new("publish-broken");
    let (lines, expect) = operations(OPERATIONS);
    let folder = folder(&[("a.jsonl", lines.as_bytes())]);
    let (child, proxy) = start_and_hold(&folder, &broker);
    proxy.cut();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(process::stderr(&output).contains("next try in 1 s"), "{output:?}");
    let messages = broker.drain("tributary.operations").await;
    assert!(first_of_each(messages) == expect, "the messages differ");
}

#[tokio::test]
async fn a_stop_says_how_much_is_confirmed() {
    let broker = Broker::new("publish-stopped");
    let (lines, expect) = operations(OPERATIONS);
    let folder = folder(&[("a.jsonl", lines.as_bytes())]);
    let (child, proxy) = start_and_hold(&folder, &broker);
    let stopped = Instant::now();
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert!(stopped.elapsed() < Duration::from_secs(2), "{:?}", stopped.elapsed());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    proxy.go_down();
    let messages = first_of_each(broker.drain("tributary.operations").await);
    assert_eq!(messages, expect[..messages.len()]);
    let stderr = process::stderr(&output);
    let confirmed = stderr.rsplit_once("error: stopped; ").unwrap().1.split_once(" of 9,900 operations").unwrap().0;
    let confirmed: usize = confirmed.replace(',', "").parse().unwrap();
    assert!(confirmed > 0 && confirmed <= messages.len(), "{confirmed} of {}", messages.len());
}

#[tokio::test]
async fn what_waiting_cannot_help_is_an_error_at_once() {
    let broker = Broker::new("publish-conflict");
    broker.send("shared", Queue::Shared, &[]).await;
    let folder = folder(&[("a.jsonl", b"{}\n")]);
    let conflict = publish(&folder, &broker, &["--operations", "a.jsonl", "--queue", "shared"]);
    assert_eq!(conflict.status.code(), Some(1), "{conflict:?}");
    let stderr = process::stderr(&conflict);
    assert!(
        stderr.contains("0 of 1 operation is confirmed: the queue `shared` exists with other arguments"),
        "{stderr}"
    );

    let url = broker.url.replace("guest:guest", "guest:wrong");
    let denied = command(&folder, &url, &["--operations", "a.jsonl"]).output().unwrap();
    assert_eq!(denied.status.code(), Some(1), "{denied:?}");
    let stderr = process::stderr(&denied);
    assert!(stderr.contains("not allowed to connect to amqp://127.0.0.1:") && !stderr.contains("wrong"), "{stderr}");
    assert!(stderr.contains("check the user, the password") && stderr.contains("TRIBUTARY_AMQP"), "{stderr}");
}
