//! A virtual host of the broker that `cargo xtask services` has started: its queues are a test's own.

use std::{
    env,
    process::Command,
    sync::{RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use tokio::time::{sleep, timeout};
use tributary_amqp::{BrokerUrl, DEAD_LETTERS, Link, Message, Publisher, Queue, QueueCounts};
use tributary_testkit::wait::MAX_WAIT;

/// Held by all tests that use the broker; alone by those that stop it.
static UNDISTURBED: RwLock<()> = RwLock::new(());
/// The longest wait for a message that is known to be there.
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// A virtual host, deleted when this is dropped.
pub struct Broker {
    name: String,
    /// Its address, as the programs take it.
    pub url: String,
    /// The same with TLS.
    pub encrypted_url: String,
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
        let url = |variable| format!("{}/{name}", service(variable));
        let (url, encrypted_url) = (url("TRIBUTARY_E2E_AMQP"), url("TRIBUTARY_E2E_AMQPS"));
        Self { name: name.to_owned(), url, encrypted_url, _guard: guard }
    }

    /// The PEM file of the authority that signed the broker's certificate.
    #[must_use]
    pub fn ca_file() -> String {
        service("TRIBUTARY_E2E_AMQPS_CA")
    }

    /// The name of the virtual host.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
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

    /// Makes the broker short of memory, so that it takes no messages.
    #[must_use]
    pub fn short_of_memory(&self) -> Limit<'_> {
        control(&["set_vm_memory_high_watermark", "0.0000001"]);
        Limit { undo: &["set_vm_memory_high_watermark", "0.4"], _broker: self }
    }

    /// Makes the broker close channels, opened from now on, that hold a message for more than 3 s.
    #[must_use]
    pub fn impatient(&self) -> Limit<'_> {
        control(&["eval", "application:set_env(rabbit, consumer_timeout, 3000)."]);
        Limit { undo: &["eval", "application:set_env(rabbit, consumer_timeout, 60000)."], _broker: self }
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
        self.counts(queue).await.map(|counts| counts.ready)
    }

    /// Waits until no message waits in a queue, for as long as they become fewer.
    ///
    /// # Panics
    /// They do not for [`MAX_WAIT`].
    pub async fn until_empty(&self, queue: &str) {
        let (mut least, mut deadline) = (u32::MAX, Instant::now() + MAX_WAIT);
        loop {
            let ready = self.ready(queue).await;
            match ready {
                Some(0) => return,
                Some(fewer) if fewer < least => {
                    least = fewer;
                    deadline = Instant::now() + MAX_WAIT;
                }
                _ => {
                    assert!(Instant::now() < deadline, "{ready:?} messages wait in `{queue}`, and do not become fewer");
                }
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// The number of consumers of a queue; `None` as for [`Broker::ready`].
    pub async fn consumers(&self, queue: &str) -> Option<u32> {
        self.counts(queue).await.map(|counts| counts.consumers)
    }

    async fn counts(&self, queue: &str) -> Option<QueueCounts> {
        let link = Link::open(&self.address(), "a test").await.ok()?;
        let counts = link.look_at(queue).await.ok();
        link.close().await;
        counts
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

/// A limit of the broker for all its clients, undone when this is dropped.
pub struct Limit<'a> {
    undo: &'static [&'static str],
    _broker: &'a Broker,
}

impl Drop for Limit<'_> {
    fn drop(&mut self) {
        control(self.undo);
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        control(&["delete_vhost", &self.name]);
    }
}

/// Runs `rabbitmqctl`, and returns what it prints.
pub fn control(arguments: &[&str]) -> String {
    let output = Command::new(service("TRIBUTARY_E2E_RABBITMQCTL")).args(arguments).output().expect("rabbitmqctl runs");
    let said = String::from_utf8_lossy(&output.stderr);
    // A virtual host of an earlier run that was killed.
    assert!(output.status.success() || said.contains("already_exists"), "rabbitmqctl {arguments:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The value of a variable that `cargo xtask services` sets.
fn service(variable: &str) -> String {
    env::var(variable).expect("`cargo xtask services` runs this")
}
