//! Operations from RabbitMQ become edits: each once, in order, whoever is killed or away. Events go out, and none is skipped.
//!
//! `OPERATIONS=50000` asks for more than the tests send by themselves.

use std::{collections::BTreeMap, env, time::Duration};

use e2e::{Broker, Master, Products, control, until};
use tributary_amqp::{Link, Message, Queue};
use tributary_testkit::http;

pub(crate) const QUEUE: &str = "tributary.operations";
const EVENTS: &str = "tributary.results";

pub(crate) fn operations() -> usize {
    env::var("OPERATIONS").map_or(3_000, |text| text.parse().unwrap())
}

fn message(id: String, body: String) -> Message {
    Message {
        id: Some(id),
        content_type: Some("application/json".into()),
        body: body.into_bytes(),
        ..Message::default()
    }
}

/// Messages with operations on a few hundred skus, and the products that they leave.
pub(crate) fn messages(count: usize) -> (Vec<Message>, Products) {
    let (mut messages, mut products) = (Vec::new(), BTreeMap::new());
    let mut random = 7_u64;
    let mut below = |bound: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % bound
    };
    for number in 0..count {
        let mut operation = |part: u64| {
            let sku = format!("s{}", below(300));
            match below(10) {
                0..2 => {
                    products.remove(&sku);
                    format!(r#"{{"op":"delete","sku":"{sku}"}}"#)
                }
                2..6 => {
                    let name = format!("n{number}.{part}");
                    products.entry(sku.clone()).or_insert_with(<(String, String)>::default).0 = name.clone();
                    format!(r#"{{"op":"upsert","sku":"{sku}","name":"{name}"}}"#)
                }
                _ => {
                    let text = format!("d{number}.{part}");
                    products.entry(sku.clone()).or_insert_with(<(String, String)>::default).1 = text.clone();
                    format!(r#"{{"sku":"{sku}","description":"{text}","op":"upsert"}}"#)
                }
            }
        };
        let body = match number % 10 {
            0 => format!("[{},{}]", operation(0), operation(1)),
            _ => operation(0),
        };
        messages.push(message(format!("m{number}"), body));
    }
    (messages, products)
}

fn start(broker: &Broker) -> Master {
    Master::start(&format!("[amqp]\nurl = \"{}\"\n", broker.url), &[])
}

/// Waits until the products are these and no message is left.
async fn done(broker: &Broker, master: &Master, expect: &Products) {
    broker.until_empty(QUEUE).await;
    until("the products are as the operations say", async || (master.products() == *expect).then_some(())).await;
}

#[tokio::test]
async fn operations_that_are_delivered_twice_take_effect_once() {
    let (broker, (messages, expect)) = (Broker::new("operations-twice"), messages(operations()));
    let master = start(&broker);
    broker.send(QUEUE, Queue::Ordered, &messages).await;
    broker.send(QUEUE, Queue::Ordered, &messages).await;
    done(&broker, &master, &expect).await;
    assert_eq!(broker.dead_letters().await, []);
}

#[tokio::test]
async fn a_master_that_is_killed_takes_each_operation_once_and_in_order() {
    let (broker, (messages, expect)) = (Broker::new("operations-killed"), messages(operations()));
    let mut master = start(&broker);
    broker.send(QUEUE, Queue::Ordered, &messages).await;
    for pause in [5, 40, 90, 150, 300] {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        master.kill();
        master.revive();
    }
    done(&broker, &master, &expect).await;
    assert_eq!(broker.dead_letters().await, []);
}

#[tokio::test]
async fn a_broker_that_restarts_or_starts_late_costs_only_time() {
    let (broker, (messages, expect)) = (Broker::alone("operations-restart"), messages(operations()));
    let (first, second) = messages.split_at(messages.len() / 2);
    control(&["stop_app"]);
    let master = start(&broker);
    let answer = until("the master says that the broker is away", async || {
        let (status, body) = http::get(&format!("{}/readyz", master.url())).ok()?;
        let body = String::from_utf8(body).unwrap();
        (status == 200 && body.contains("no messages: the broker ")).then_some(body)
    });
    assert!(answer.await.starts_with("ready\n"));
    control(&["start_app"]);
    broker.send(QUEUE, Queue::Ordered, first).await;
    broker.restart(Duration::from_secs(1));
    broker.send(QUEUE, Queue::Ordered, second).await;
    done(&broker, &master, &expect).await;
    assert_eq!(broker.dead_letters().await, []);
}

#[tokio::test]
async fn what_can_never_be_used_is_set_aside_and_the_others_take_effect() {
    let broker = Broker::new("operations-poison");
    let master = start(&broker);
    let bodies = [
        r#"{"op":"upsert","sku":"a","name":"n"}"#,
        "sku,name\n",
        r#"{"op":"insert","sku":"b"}"#,
        r#"{"op":"upsert","sku":"b","name":7}"#,
        r#"{"op":"upsert","sku":"b","colour":"red"}"#,
        r#"[{"op":"upsert","sku":"b","name":"n"},{"op":"upsert","sku":""}]"#,
        r#"{"op":"upsert","sku":"c","name":"n"}"#,
    ];
    let messages: Vec<_> =
        bodies.iter().enumerate().map(|(n, body)| message(format!("p{n}"), (*body).into())).collect();
    broker.send(QUEUE, Queue::Ordered, &messages).await;
    let expect = ["a", "c"].map(|sku| (sku.to_owned(), ("n".to_owned(), String::new()))).into();
    done(&broker, &master, &expect).await;
    let letters = until("five dead letters", async || {
        let waiting = broker.ready(tributary_amqp::DEAD_LETTERS).await;
        if waiting == Some(5) { Some(broker.dead_letters().await) } else { None }
    });
    let reasons = ["it is not JSON", "`op` is `insert`", "`name` is a number", "`colour`", "sku"];
    for (number, ((id, why), reason)) in letters.await.iter().zip(reasons).enumerate() {
        assert_eq!(*id, format!("p{}", number + 1));
        assert!(why.contains(reason), "{id}: {why}");
    }
    let queues = until("the queues are shown", async || {
        let queues = master.api("/api/v1/queues")?;
        (queues["items"][0]["dead_lettered"] == 5 && queues["items"][0]["ready"] == 0).then_some(queues)
    });
    let queues = queues.await;
    let shown = |place: usize, member: &str| queues["items"][place][member].as_str().unwrap().to_owned();
    assert_eq!([shown(0, "name"), shown(0, "role"), shown(0, "state")], [QUEUE, "operations", "up"]);
    assert_eq!([shown(1, "role"), shown(2, "role")], ["documents", "dead letters"]);
    let stored = master.readdb(&["queues"]);
    assert_eq!((stored.len(), stored[0]["name"].as_str()), (3, Some(QUEUE)));
}

#[tokio::test]
async fn every_event_is_published_over_a_kill_and_a_restart_of_the_broker() {
    let (broker, (messages, expect)) = (Broker::alone("events"), messages(operations()));
    let configuration = format!("[amqp]\nurl = \"{}\"\nresults_exchange = \"{EVENTS}\"\n", broker.url);
    // The queue of the subscriber must be there before the first event.
    let link = Link::open(&broker.address(), "a test").await.unwrap();
    link.declare_topics(EVENTS).await.unwrap();
    link.declare("subscriber", Queue::Shared).await.unwrap();
    link.bind("subscriber", EVENTS, "#").await.unwrap();
    link.close().await;
    let mut master = Master::start(&configuration, &[]);
    let third = messages.len() / 3;
    broker.send(QUEUE, Queue::Ordered, &messages[..third]).await;
    master.kill();
    master.revive();
    broker.send(QUEUE, Queue::Ordered, &messages[third..2 * third]).await;
    broker.restart(Duration::from_secs(1));
    broker.send(QUEUE, Queue::Ordered, &messages[2 * third..]).await;
    done(&broker, &master, &expect).await;
    let last = until("events are stored", async || master.last_event()).await;
    let mut seen = BTreeMap::new();
    until("the last event arrives", async || {
        for event in broker.drain("subscriber").await {
            let id: i64 = event.id.as_deref().unwrap().parse().unwrap();
            let kind = event.headers["kind"].clone();
            assert_eq!(seen.entry(id).or_insert_with(|| (kind.clone(), event.body.clone())), &(kind, event.body));
        }
        seen.contains_key(&last).then_some(())
    })
    .await;
    let first = *seen.keys().next().unwrap();
    let missing: Vec<_> = (first..=last).filter(|id| !seen.contains_key(id)).collect();
    assert!(first <= 2 && missing.is_empty(), "from {first} on, without {missing:?}");
    assert!(seen.values().all(|(kind, _)| ["edit", "source", "configuration"].contains(&kind.as_str())));
}
