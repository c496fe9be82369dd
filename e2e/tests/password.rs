//! A password that the broker refuses: everybody says so and tries again, so that a change at the broker is enough.

use std::process::Stdio;

use e2e::{Broker, Master, Relay, control, said, until};
use tributary_amqp::{Message, Queue};

const USER: &str = "shop";

/// A user of the broker, deleted when this is dropped.
struct User;

impl User {
    fn new(broker: &Broker, password: &str) -> Self {
        control(&["add_user", USER, password]);
        control(&["set_permissions", "-p", broker.name(), USER, ".*", ".*", ".*"]);
        Self
    }
}

impl Drop for User {
    fn drop(&mut self) {
        control(&["delete_user", USER]);
    }
}

#[tokio::test]
async fn a_wrong_password_is_named_and_tried_again() {
    let broker = Broker::new("password");
    let _user = User::new(&broker, "new");
    let url = broker.url.replace("guest:guest", "shop:old");
    let master = Master::start(&format!("[amqp]\nurl = \"{url}\"\n"), &[]);
    let mut relay = Relay::command(&broker, master.url());
    let mut relay = relay.env("TRIBUTARY_AMQP", &url).stderr(Stdio::piped()).spawn().unwrap();
    let fix = "check the user, the password and the virtual host in --amqp, TRIBUTARY_AMQP or `url` in [amqp]";
    let refused = |text: &str| {
        assert!(text.contains("not allowed to connect to amqp://127.0.0.1:") && text.contains(fix), "{text}");
        assert!(!text.contains("old"), "{text}");
    };
    refused(&said(&mut relay, "not allowed"));
    let _relay = Relay::running(relay);
    let ready =
        until("the master says so", async || Some(master.ready()).filter(|ready| ready.contains("not allowed"))).await;
    assert!(ready.starts_with("ready\nno messages: "), "{ready}");
    refused(&ready);

    control(&["change_password", USER, "old"]);
    let headers = [("path".to_owned(), "a.csv".to_owned())].into();
    let document = Message { headers, body: b"sku,name\na,n\n".to_vec(), ..Message::default() };
    let operation = Message { body: br#"{"op":"upsert","sku":"b","name":"n"}"#.to_vec(), ..Message::default() };
    broker.send("tributary.documents", Queue::Shared, &[document]).await;
    broker.send("tributary.operations", Queue::Ordered, &[operation]).await;
    until("both are applied", async || (master.products().len() == 2).then_some(())).await;
    until("the master says so", async || (master.ready() == "ready\n").then_some(())).await;
}
