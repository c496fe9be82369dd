//! Events as a program in Python subscribes to them.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    sync::mpsc,
    thread,
};

use e2e::{Broker, Master, PythonProgram, block, until};
use serde_json::Value;
use tributary_amqp::{Message, Queue};

const OPERATIONS: &str = "tributary.operations";
const EXCHANGE: &str = "tributary.results";

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
    let script = block("queues.md", "python", "queue_bind");
    let (default, exchange) = ("amqp://guest:guest@127.0.0.1:5672", format!("\"{EXCHANGE}\""));
    assert!(script.contains(default) && script.contains(&exchange), "{script}");
    let mut subscriber = PythonProgram::start(&script.replace(default, &broker.url), &[]);
    let stdout = BufReader::new(subscriber.0.stdout.take().unwrap());
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    until("it listens", async || broker.consumers("shop").await.filter(|consumers| *consumers == 1)).await;
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
    broker.until_empty(OPERATIONS).await;
    let (mut seen, mut edited) = (Vec::new(), BTreeSet::new());
    until("the last event arrives", async || {
        for line in lines.try_iter() {
            let [id, kind, body]: [&str; 3] = line.splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
            let body: Value = serde_json::from_str(body).unwrap();
            seen.push(id.parse::<i64>().unwrap());
            edited.extend((kind == "edit").then(|| body["sku"].to_string()));
        }
        (*seen.last()? == master.last_event()?).then_some(())
    })
    .await;
    let expect: Vec<_> = (seen[0]..).take(seen.len()).collect();
    assert!(seen[0] <= 2 && seen == expect, "each once, in order: {seen:?}");
    assert_eq!(edited.len(), 50);
}
