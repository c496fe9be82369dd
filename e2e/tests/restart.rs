//! A broker that is stopped and started while documents flow through three relays, and operations into the master.
//!
//! `DOCUMENTS=10000` and `OPERATIONS=50000` ask for more than the test sends by itself.

use std::time::{Duration, Instant};

use e2e::{Broker, Master, Relay, until};
use tributary_amqp::Queue;

use crate::{operations, relay};

#[tokio::test]
async fn a_broker_that_restarts_costs_only_time() {
    let broker = Broker::alone("restarts");
    let master = Master::start(&format!("[amqp]\nurl = \"{}\"\n", broker.url), &[]);
    let _relays = [(); 3].map(|()| Relay::start(&broker, master.url(), &[]));
    let count = relay::documents();
    let documents: Vec<_> = (0..count).map(relay::document).collect();
    let (operations, mut expect) = operations::messages(operations::operations());
    expect.extend(relay::products(count));
    let began = Instant::now();
    let halves = [documents.split_at(count / 2), operations.split_at(operations.len() / 2)];
    let [(first_documents, last_documents), (first_operations, last_operations)] = halves;
    for (documents, operations, away) in
        [(first_documents, first_operations, Duration::from_secs(2)), (last_documents, last_operations, Duration::ZERO)]
    {
        tokio::join!(
            broker.send(relay::QUEUE, Queue::Shared, documents),
            broker.send(operations::QUEUE, Queue::Ordered, operations)
        );
        broker.restart(away);
    }
    let queues = [relay::QUEUE, operations::QUEUE];
    for queue in queues {
        broker.until_empty(queue).await;
    }
    until("the products are as the messages say", async || (master.products() == expect).then_some(())).await;
    println!("{count} documents and {} operations took {:?}", operations.len(), began.elapsed());
    assert_eq!(broker.dead_letters().await, []);
    for queue in queues {
        assert_eq!(broker.ready(queue).await, Some(0), "{queue}");
    }
}
