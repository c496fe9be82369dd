//! Events as a program in Python subscribes to them.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    sync::mpsc,
    thread,
};

use e2e::{Broker, Master, PythonProgram, until};
use serde_json::Value;
use tributary_amqp::{Message, Queue};

const OPERATIONS: &str = "tributary.operations";
const EXCHANGE: &str = "tributary.results";

/// Binds a durable queue of its own, says so, and prints each event: its id, its routing key and its body.
const SUBSCRIBER: &str = r##"
import json, sys
import pika
connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
channel = connection.channel()
channel.exchange_declare(exchange=sys.argv[2], exchange_type="topic", durable=True)
channel.queue_declare(queue="shop", durable=True)
channel.queue_bind(queue="shop", exchange=sys.argv[2], routing_key="#")
print("bound", flush=True)
for method, properties, body in channel.consume("shop"):
    assert properties.delivery_mode == 2 and properties.headers["kind"] == method.routing_key, properties
    print(json.dumps([int(properties.message_id), method.routing_key, json.loads(body)]), flush=True)
    channel.basic_ack(method.delivery_tag)
"##;

fn operations(from: usize, count: usize) -> Vec<Message> {
    let message = |number: usize| Message {
        id: Some(format!("m{number}")),
        body: format!("{{\"op\":\"upsert\",\"sku\":\"s{}\",\"name\":\"n{number}\"}}", number % 50).into_bytes(),
        ..Message::default()
    };
    (from..from + count).map(message).collect()
}

#[tokio::test]
async fn a_subscriber_in_python_gets_every_event_over_a_kill_of_the_master() {
    let broker = Broker::new("subscriber");
    let mut subscriber = PythonProgram::start(SUBSCRIBER, &[&broker.url, EXCHANGE]);
    let stdout = BufReader::new(subscriber.0.stdout.take().unwrap());
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    assert_eq!(lines.recv().unwrap(), "bound");
    let mut master = Master::start(&format!("[amqp]\nurl = \"{}\"\n", broker.url), &["--amqp-results", EXCHANGE]);
    for round in 0..4 {
        broker.send(OPERATIONS, Queue::Ordered, &operations(round * 500, 500)).await;
        master.kill();
        master.revive();
    }
    until("all operations are applied", async || {
        let products = master.products();
        (products.len() == 50 && products["s49"].0 == "n1999").then_some(())
    })
    .await;
    until("the queue is empty", async || broker.ready(OPERATIONS).await.filter(|ready| *ready == 0)).await;
    let mut seen: BTreeMap<i64, (String, Value)> = BTreeMap::new();
    until("the last event arrives", async || {
        for line in lines.try_iter() {
            let (id, kind, body): (i64, String, Value) = serde_json::from_str(&line).unwrap();
            // After a crash some come twice, under the same id.
            assert_eq!(seen.entry(id).or_insert_with(|| (kind.clone(), body.clone())), &(kind, body));
        }
        let last = *seen.keys().next_back()?;
        (Some(last) == master.last_event()).then_some(())
    })
    .await;
    let (first, last) = (*seen.keys().next().unwrap(), *seen.keys().next_back().unwrap());
    let missing: Vec<_> = (first..=last).filter(|id| !seen.contains_key(id)).collect();
    assert!(first <= 2 && missing.is_empty(), "from {first} on, without {missing:?}");
    let edited: std::collections::BTreeSet<_> =
        seen.values().filter(|(kind, _)| kind == "edit").map(|(_, body)| body["sku"].to_string()).collect();
    assert_eq!(edited.len(), 50);
}
