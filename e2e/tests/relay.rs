//! Documents from RabbitMQ: nothing is lost and nothing counts twice, whoever is killed or away.
//!
//! `DOCUMENTS=10000` asks for more than the tests send by themselves.

use std::{env, fs, time::Duration};

use e2e::{Broker, Master, Products, Proxy, Relay, block, python, until};
use tributary_amqp::{Message, Queue};
use tributary_testkit::{
    process,
    proxy::{Fault, Way},
};

pub(crate) const QUEUE: &str = "tributary.documents";

pub(crate) fn documents() -> usize {
    env::var("DOCUMENTS").map_or(400, |text| text.parse().unwrap())
}

/// A document with two rows of its own, and one that it shares with all others of its hundred.
pub(crate) fn document(number: usize) -> Message {
    let (group, path) = (number / 100, format!("group {}/{number}.csv", number / 100));
    let rows = format!("a{number},n,d\nb{number},n,d\nshared{group},n{number},d\n");
    message(&format!("m{number}"), &path, &format!("sku,name,description\n{rows}"))
}

/// The products of the first `count` documents: of the shared rows the last path in order of bytes counts.
pub(crate) fn products(count: usize) -> Products {
    let mut products = Products::new();
    let mut paths: Vec<_> = (0..count).map(|number| (format!("group {}/{number}.csv", number / 100), number)).collect();
    paths.sort();
    for (_, number) in paths {
        for sku in [format!("a{number}"), format!("b{number}")] {
            products.insert(sku, ("n".into(), "d".into()));
        }
        products.insert(format!("shared{}", number / 100), (format!("n{number}"), "d".into()));
    }
    products
}

fn message(id: &str, path: &str, text: &str) -> Message {
    Message {
        id: Some(id.to_owned()),
        content_type: Some("text/csv".into()),
        headers: [("path".to_owned(), path.to_owned())].into(),
        body: text.as_bytes().to_vec(),
        ..Message::default()
    }
}

/// Waits until the products are these and no message is left.
async fn done(broker: &Broker, master: &Master, expect: &Products) {
    broker.until_empty(QUEUE).await;
    let shown = async || (master.products() == *expect).then_some(());
    until(&format!("{} products are shown", expect.len()), shown).await;
}

#[tokio::test]
async fn documents_that_are_delivered_twice_are_applied_once() {
    let (broker, master, count) = (Broker::new("twice"), Master::start("", &[]), documents());
    let _relays = [(); 3].map(|()| Relay::start(&broker, master.url(), &[]));
    let messages: Vec<_> = (0..count).flat_map(|number| [document(number), document(number)]).collect();
    broker.send(QUEUE, Queue::Shared, &messages).await;
    done(&broker, &master, &products(count)).await;
    assert_eq!(broker.dead_letters().await, []);
}

/// A login page says 200 as a master does. A message that such a page was given would be gone.
#[tokio::test]
async fn a_network_that_fails_before_the_master_costs_only_time() {
    let (broker, master) = (Broker::new("between"), Master::start("", &[]));
    let proxy = Proxy::start(master.url());
    let _relay = Relay::start(&broker, &proxy.url, &[]);
    let faults = [
        (Way::Answer, "PUT ", Fault::Page("200 OK")),
        (Way::Answer, "PUT ", Fault::Page("400 Bad Request")),
        (Way::Answer, "PUT ", Fault::Cut(0)),
        (Way::Answer, "PUT ", Fault::Reset(30)),
        (Way::Request, "PUT ", Fault::Cut(200)),
    ];
    for (number, (way, line, fault)) in faults.into_iter().enumerate() {
        proxy.spoil_once(way, line, fault);
        broker.send(QUEUE, Queue::Shared, &[document(number)]).await;
        done(&broker, &master, &products(number + 1)).await;
    }
    assert_eq!(proxy.hits(), faults.len());
    assert_eq!(broker.dead_letters().await, []);
}

#[tokio::test]
async fn what_can_never_be_used_is_set_aside_once_with_its_reason() {
    let (broker, master) = (Broker::new("poison"), Master::start("", &[]));
    let _relay = Relay::start(&broker, master.url(), &[]);
    let good = "sku,name,description\na,n,d\n";
    let without_path = Message { headers: [].into(), ..message("p1", "", good) };
    let packed = |id, encoding: &str| Message { content_encoding: Some(encoding.into()), ..message(id, "x.csv", good) };
    let json = Message { content_type: Some("application/json".into()), ..message("p5", "x.csv", "{}") };
    let messages = [
        message("g1", "good.csv", good),
        without_path,
        message("p2", "../outside.csv", good),
        packed("p3", "gzip"),
        packed("p4", "br"),
        json,
        message("p6", "image.csv", "\u{89}PNG\r\n\u{1a}\n\0\0\0\rIHDR"),
        message("p7", "other.csv", "colour,size\nred,1\n"),
        message("g2", "also good.csv", "sku,name\nb,m\n"),
    ];
    broker.send(QUEUE, Queue::Shared, &messages).await;
    let expect = [("a", ("n", "d")), ("b", ("m", ""))];
    let expect = expect.map(|(sku, (name, text))| (sku.to_owned(), (name.to_owned(), text.to_owned()))).into();
    done(&broker, &master, &expect).await;
    let mut letters = Vec::new();
    until("seven dead letters", async || {
        letters.extend(broker.dead_letters().await);
        (letters.len() >= 7).then_some(())
    })
    .await;
    let reasons = [
        "no header `path`",
        "path",
        "cannot be unpacked",
        "content-encoding is `br`",
        "content-type is `application/json`",
        "",
        "no column",
    ];
    for (number, ((id, why), reason)) in letters.iter().zip(reasons).enumerate() {
        assert_eq!(*id, format!("p{}", number + 1));
        assert!(why.contains(reason) && !why.is_empty(), "{id}: {why}");
    }
    assert_eq!(letters.len(), 7, "each is set aside once: {letters:?}");
}

#[tokio::test]
async fn a_relay_that_is_killed_loses_nothing() {
    let (broker, master, count) = (Broker::new("killed-relay"), Master::start("", &[]), documents());
    let messages: Vec<_> = (0..count).map(document).collect();
    broker.send(QUEUE, Queue::Shared, &messages).await;
    for _ in 0..5 {
        let mut relay = Relay::start(&broker, master.url(), &[]);
        tokio::time::sleep(Duration::from_millis(700)).await;
        relay.kill();
    }
    let _relay = Relay::start(&broker, master.url(), &[]);
    done(&broker, &master, &products(count)).await;
    assert_eq!(broker.dead_letters().await, []);
}

#[tokio::test]
async fn a_master_that_is_killed_or_away_costs_only_time() {
    let (broker, mut master, count) = (Broker::new("killed-master"), Master::start("", &[]), documents());
    let _relays = [(); 2].map(|()| Relay::start(&broker, master.url(), &[]));
    let messages: Vec<_> = (0..count).map(document).collect();
    let (first, second) = messages.split_at(count / 2);
    broker.send(QUEUE, Queue::Shared, first).await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        master.kill();
        tokio::time::sleep(Duration::from_millis(400)).await;
        master.revive();
    }
    master.kill();
    broker.send(QUEUE, Queue::Shared, second).await;
    // Long enough for a broker to count many deliveries if messages went to and fro.
    tokio::time::sleep(Duration::from_secs(6)).await;
    master.revive();
    done(&broker, &master, &products(count)).await;
    assert_eq!(broker.dead_letters().await, []);
}

#[tokio::test]
async fn the_last_document_of_a_path_stands() {
    let (broker, master) = (Broker::new("order"), Master::start("", &[]));
    let _relay = Relay::start(&broker, master.url(), &[]);
    let text = |version: usize| format!("sku,name\na,{version}\n");
    let mut messages: Vec<_> =
        (0..60).map(|version| message(&format!("o{version}"), "one.csv", &text(version))).collect();
    // These arrive in the wrong order, and their numbers put them right.
    for version in [7, 3, 9, 1, 8] {
        let mut numbered = message(&format!("s{version}"), "two.csv", &format!("sku,name\nb,{version}\n"));
        numbered.headers.insert("x-sequence".into(), version.to_string());
        messages.push(numbered);
    }
    broker.send(QUEUE, Queue::Shared, &messages).await;
    let expect = [("a", "59"), ("b", "9")];
    let expect = expect.map(|(sku, name)| (sku.to_owned(), (name.to_owned(), String::new()))).into();
    done(&broker, &master, &expect).await;
    assert_eq!(broker.dead_letters().await, []);
}

#[tokio::test]
async fn a_queue_with_other_arguments_is_named() {
    let (broker, master) = (Broker::new("conflict"), Master::start("", &[]));
    broker.send(QUEUE, Queue::Transient, &[]).await;
    let output = Relay::command(&broker, master.url()).output().unwrap();
    let said = process::stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in ["the queue `tributary.documents` exists with other arguments", "durable", "name another one"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[tokio::test]
async fn the_producer_of_the_guide_publishes_a_document() {
    let (broker, master) = (Broker::new("guide"), Master::start("", &[]));
    let _relay = Relay::start(&broker, master.url(), &[]);
    // The queue is declared by the relay; without one the producer's message would be refused.
    until("the queue is there", async || broker.ready(QUEUE).await).await;
    let default = "amqp://guest:guest@127.0.0.1:5672";
    let script = block("queues.md", "python", "basic_publish");
    assert!(script.contains(default), "{script}");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("spring.csv"), "sku,name\nq1,Pen from Python\n").unwrap();
    let _ = python(&script.replace(default, &broker.url), &["spring.csv"], folder.path());
    done(&broker, &master, &[("q1".to_owned(), ("Pen from Python".to_owned(), String::new()))].into()).await;
    assert!(master.api("/api/v1/documents/spring.csv").is_some());
    assert_eq!(broker.dead_letters().await, []);
}
