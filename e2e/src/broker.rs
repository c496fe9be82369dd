//! A virtual host of the broker that `cargo xtask services` has started: its queues are a test's own.

use std::{
    env,
    process::Command,
    sync::{RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use futures_util::future::join_all;
use tokio::time::timeout;
use tributary_amqp::{BrokerUrl, DEAD_LETTERS, Link, Message, Publisher, Queue};

/// Held by all tests that use the broker; alone by those that stop it.
static UNDISTURBED: RwLock<()> = RwLock::new(());
/// The longest wait for a message that is known to be there.
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// A virtual host, deleted when this is dropped.
pub struct Broker {
    name: String,
    /// Its address, as the programs take it.
    pub url: String,
    _guard: Guard,
}

#[expect(dead_code, reason = "a guard is held, not read")]
enum Guard {
    Shared(RwLockReadGuard<'static, ()>),
    Alone(RwLockWriteGuard<'static, ()>),
}

impl Broker {
    /// Makes a virtual host of this name.
    ///
    /// # Panics
    /// The services do not run, here and below.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let guard = UNDISTURBED.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        Self::with(name, Guard::Shared(guard))
    }

    /// As [`Broker::new`], for a test that stops or limits the broker.
    #[must_use]
    pub fn alone(name: &str) -> Self {
        let guard = UNDISTURBED.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        Self::with(name, Guard::Alone(guard))
    }

    fn with(name: &str, guard: Guard) -> Self {
        control(&["add_vhost", name]);
        control(&["set_permissions", "-p", name, "guest", ".*", ".*", ".*"]);
        let server = env::var("TRIBUTARY_E2E_AMQP").expect("`cargo xtask services` runs this");
        Self { name: name.to_owned(), url: format!("{server}/{name}"), _guard: guard }
    }

    /// The address, parsed.
    #[must_use]
    pub fn address(&self) -> BrokerUrl {
        self.url.parse().expect("it is an address")
    }

    /// Stops the broker, waits, and starts it again. Its disk keeps what is persistent.
    pub fn restart(&self, away: Duration) {
        control(&["stop_app"]);
        std::thread::sleep(away);
        control(&["start_app"]);
    }

    /// Sends messages to a queue, which is declared first, and waits until the broker has them all.
    pub async fn send(&self, queue: &str, kind: Queue, messages: &[Message]) {
        let link = Link::open(&self.address(), "a test").await.expect("the broker answers");
        let publisher = Publisher::over(link).await.expect("the broker confirms");
        publisher.link().declare(queue, kind).await.expect("the queue can be declared");
        for some in messages.chunks(500) {
            let mut confirmed = Vec::new();
            for message in some {
                confirmed.push(publisher.send("", queue, message).await.expect("a message can be sent"));
            }
            join_all(confirmed).await.into_iter().for_each(|confirmed| confirmed.expect("a message is confirmed"));
        }
        publisher.close().await;
    }

    /// The number of messages that wait in a queue; `None` if there is no such queue or the broker is away.
    pub async fn ready(&self, queue: &str) -> Option<u32> {
        let link = Link::open(&self.address(), "a test").await.ok()?;
        let counts = link.look_at(queue).await.ok();
        link.close().await;
        counts.map(|counts| counts.ready)
    }

    /// Takes all messages out of a queue.
    pub async fn drain(&self, queue: &str) -> Vec<Message> {
        let Some(ready) = self.ready(queue).await else { return Vec::new() };
        let link = Link::open(&self.address(), "a test").await.expect("the broker answers");
        let mut consumer = link.consume(queue, 100).await.expect("the queue can be consumed");
        let mut messages = Vec::new();
        for _ in 0..ready {
            let next = timeout(RECEIVE_TIMEOUT, consumer.next()).await.expect("a message that waits arrives");
            let received = next.expect("the broker delivers");
            messages.push(received.message.clone());
            received.acknowledge().await.expect("the broker takes acknowledgements");
        }
        link.close().await;
        messages
    }

    /// Takes the dead letters out of their queue, each as its id and its reason, in order of id.
    pub async fn dead_letters(&self) -> Vec<(String, String)> {
        let letters = self.drain(DEAD_LETTERS).await.into_iter();
        let letter = |letter: Message| {
            (letter.id.unwrap_or_default(), letter.headers.get("x-tributary-reason").cloned().unwrap_or_default())
        };
        let mut letters: Vec<_> = letters.map(letter).collect();
        letters.sort();
        letters
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        control(&["delete_vhost", &self.name]);
    }
}

/// Runs `rabbitmqctl`.
pub fn control(arguments: &[&str]) {
    let program = env::var("TRIBUTARY_E2E_RABBITMQCTL").expect("`cargo xtask services` runs this");
    let output = Command::new(program).args(arguments).output().expect("rabbitmqctl runs");
    let said = String::from_utf8_lossy(&output.stderr);
    // A virtual host of an earlier run that was killed.
    assert!(output.status.success() || said.contains("already_exists"), "rabbitmqctl {arguments:?}: {said}");
}
