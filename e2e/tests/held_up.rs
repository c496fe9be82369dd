//! A message that is in hand for too long: the broker closes its channel and delivers it again, and it counts once.

use std::time::Duration;

use e2e::{Broker, Master, Products, Relay, control, until};
use tributary_amqp::{Message, Queue};

const DOCUMENTS: &str = "tributary.documents";
const OPERATIONS: &str = "tributary.operations";
const COUNT: usize = 50;

fn document(number: usize) -> Message {
    Message {
        id: Some(format!("d{number}")),
        headers: [("path".to_owned(), format!("{number}.csv"))].into(),
        body: format!("sku,name\nd{number},n\n").into_bytes(),
        ..Message::default()
    }
}

fn operation(number: usize) -> Message {
    let body = format!("{{\"op\":\"upsert\",\"sku\":\"o\",\"name\":\"{number}\"}}");
    Message { id: Some(format!("o{number}")), body: body.into_bytes(), ..Message::default() }
}

/// The messages that a queue has, also those in hand.
fn messages(broker: &Broker, queue: &str) -> [u64; 2] {
    let listed =
        control(&["list_queues", "--quiet", "-p", broker.name(), "name", "messages_ready", "messages_unacknowledged"]);
    let row =
        listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).find(|row| row.first() == Some(&queue));
    row.map_or([0, 0], |row| [1, 2].map(|column| row[column].parse().unwrap()))
}

#[tokio::test]
async fn a_master_that_hangs_for_longer_than_the_broker_waits_costs_only_time() {
    let broker = Broker::alone("held-up");
    let _limit = broker.impatient();
    let master = Master::start(&format!("[amqp]\nurl = \"{}\"\n", broker.url), &[]);
    let _relay = Relay::start(&broker, master.url(), &["--prefetch", "20"]);
    until("both consume", async || {
        let consumers = [broker.consumers(DOCUMENTS).await, broker.consumers(OPERATIONS).await];
        (consumers == [Some(1); 2]).then_some(())
    })
    .await;
    master.signal("STOP");
    broker.send(DOCUMENTS, Queue::Shared, &(0..COUNT).map(document).collect::<Vec<_>>()).await;
    broker.send(OPERATIONS, Queue::Ordered, &(0..COUNT).map(operation).collect::<Vec<_>>()).await;
    let count = COUNT as u64;
    until("the broker takes the documents back", async || (messages(&broker, DOCUMENTS) == [count, 0]).then_some(()))
        .await;
    // The operations were sent a moment later. They stay in hand until the master hears that its channel is closed.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(messages(&broker, OPERATIONS), [0, count]);
    master.signal("CONT");
    let mut expect: Products = (0..COUNT).map(|number| (format!("d{number}"), ("n".into(), String::new()))).collect();
    expect.insert("o".into(), ((COUNT - 1).to_string(), String::new()));
    until("everything is applied", async || (master.products() == expect).then_some(())).await;
    until("the queues are empty", async || {
        let left = [DOCUMENTS, OPERATIONS].map(|queue| messages(&broker, queue));
        (left == [[0, 0]; 2]).then_some(())
    })
    .await;
    assert_eq!(broker.dead_letters().await, []);
    let edits = master.readdb(&["edits"]);
    assert_eq!(edits.len(), 1);
}
