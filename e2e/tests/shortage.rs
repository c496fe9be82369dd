//! A broker that is short of memory takes no message from anybody. What waits for that goes on after it: once, and without a loss.
//!
//! `SHORTAGE=60` makes it last that many seconds.

use std::{env, fs, process::Stdio, time::Duration};

use e2e::{Broker, Master, Relay, said, until};
use serde_json::{Value, json};
use tributary_amqp::{Link, Message, Queue};
use tributary_testkit::process;

const DOCUMENTS: &str = "tributary.documents";
const OPERATIONS: &str = "tributary.operations";

fn lasts() -> Duration {
    Duration::from_secs(env::var("SHORTAGE").map_or(2, |text| text.parse().unwrap()))
}

fn message(id: &str, body: &str, path: Option<&str>) -> Message {
    Message {
        id: Some(id.to_owned()),
        headers: path.map(|path| ("path".to_owned(), path.to_owned())).into_iter().collect(),
        body: body.as_bytes().to_vec(),
        ..Message::default()
    }
}

/// Fills the queues: documents, tasks of an older system, and operations, some of which can never be used.
async fn fill(broker: &Broker) {
    let documents = [message("d1", "sku,name\na,n\n", Some("a.csv")), message("d2", "sku,name\nb,n\n", None)];
    broker.send(DOCUMENTS, Queue::Shared, &documents).await;
    let task =
        |number: usize| json!({"task_id": format!("t{number}"), "csv_data": format!("name,value\nt{number},1\n")});
    let tasks: Vec<_> = (0..20).map(|number| message(&format!("t{number}"), &task(number).to_string(), None)).collect();
    broker.send("csv_tasks", Queue::Transient, &tasks).await;
    let operations = [
        message("o1", r#"{"op":"upsert","sku":"c","name":"n"}"#, None),
        message("o2", "no JSON", None),
        message("o3", r#"{"op":"upsert","sku":"d","name":"n"}"#, None),
    ];
    broker.send(OPERATIONS, Queue::Ordered, &operations).await;
    // The queue of a subscriber to the events.
    let link = Link::open(&broker.address(), "a test").await.unwrap();
    link.declare_topics("results").await.unwrap();
    link.declare("subscriber", Queue::Shared).await.unwrap();
    link.bind("subscriber", "results", "#").await.unwrap();
    link.close().await;
}

fn has(master: &Master, skus: &[&str]) -> Option<()> {
    let products = master.products();
    skus.iter().all(|sku| products.contains_key(*sku)).then_some(())
}

fn is_down(master: &Master, role: &str) -> bool {
    let queues = master.api("/api/v1/queues").unwrap_or_default();
    let of_role = queues["items"].as_array().and_then(|items| items.iter().find(|queue| queue["role"] == role));
    of_role.is_some_and(|queue| {
        queue["state"] == "down" && queue["error"].as_str().is_some_and(|why| why.contains("short of memory"))
    })
}

#[tokio::test]
async fn a_broker_that_is_short_of_memory_costs_only_time() {
    let broker = Broker::alone("shortage");
    fill(&broker).await;
    let shortage = broker.short_of_memory();
    let catalog = "[uploads]\ncolumns = { sku = [\"sku\", \"name\"] }\n";
    let amqp = format!("[amqp]\nurl = \"{}\"\nresults_exchange = \"results\"\n{catalog}", broker.url);
    let master = Master::start(&amqp, &[]);
    let _relays = [&[][..], &["--compat", "csv_tasks"]].map(|words| Relay::start(&broker, master.url(), words));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("late.csv"), "sku,name\nlate,n\n").unwrap();
    let mut publish = process::command("publish", folder.path());
    publish.arg("late.csv").env("TRIBUTARY_AMQP", &broker.url).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut publish = publish.spawn().unwrap();

    let _ = said(&mut publish, "the broker is short of memory or disk; waiting");
    until("what needs no broker is applied", async || has(&master, &["a", "c", "t0", "t19"])).await;
    until("both are shown as down", async || {
        (is_down(&master, "dead letters") && is_down(&master, "events")).then_some(())
    })
    .await;
    assert!(master.ready().contains("no dead letters: the broker is short of memory or disk\n"), "{}", master.ready());
    tokio::time::sleep(lasts()).await;
    assert!(publish.try_wait().unwrap().is_none(), "it waits");
    drop(shortage);

    assert!(publish.wait().unwrap().success());
    until("the rest is applied", async || has(&master, &["d", "late"])).await;
    until("nothing is down any more", async || (master.ready() == "ready\n").then_some(())).await;
    until("the queues are empty", async || {
        let ready = [broker.ready(DOCUMENTS).await, broker.ready(OPERATIONS).await, broker.ready("csv_tasks").await];
        (ready == [Some(0); 3]).then_some(())
    })
    .await;
    let letters: Vec<_> = broker.dead_letters().await.into_iter().map(|(id, _)| id).collect();
    assert_eq!(letters, ["d2", "o2"], "each once");
    let mut results: Vec<_> =
        broker.drain("processed_results").await.into_iter().filter_map(|result| result.id).collect();
    results.sort();
    let mut tasks: Vec<_> = (0..20).map(|number| format!("t{number}")).collect();
    tasks.sort();
    assert_eq!(results, tasks, "each once");
    every_event(&broker, &master).await;
}

/// Checks that the subscriber has every event from its first one on, once.
async fn every_event(broker: &Broker, master: &Master) {
    let mut ids: Vec<i64> = Vec::new();
    until("the last event arrives", async || {
        let new = broker.drain("subscriber").await.into_iter();
        ids.extend(new.map(|event| event.id.unwrap().parse::<i64>().unwrap()));
        (ids.last().copied() == master.last_event()).then_some(())
    })
    .await;
    let expect: Vec<_> = (ids[0]..).take(ids.len()).collect();
    assert_eq!(ids, expect, "each once, in order");
    let of_events = |queue: &&Value| queue["role"] == "events";
    let queues = master.api("/api/v1/queues").unwrap();
    let events = queues["items"].as_array().unwrap().iter().find(of_events).unwrap();
    assert_eq!([events["name"].as_str(), events["state"].as_str()], [Some("results"), Some("up")]);
}
