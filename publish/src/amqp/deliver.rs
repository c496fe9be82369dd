//! Sends messages in order until the broker has confirmed each, over as many connections as that takes.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::{
    sync::mpsc::Receiver,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tributary_amqp::{Error, Link, Publisher, Queue};

use super::{
    item::Item,
    pace::Pace,
    progress::Progress,
    tries::{MAX_SILENCE, Tries},
    window::Window,
};
use crate::{Content, PublishJob};

/// The name in the broker's list of connections.
const NAME: &str = concat!("tributary-publish/", env!("CARGO_PKG_VERSION"));
/// Time that a stop leaves for confirmations that are under way.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);
/// Limit for the end of a connection. Nothing is lost with it.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// Messages on their way to a queue.
pub(super) struct Delivery<'a> {
    job: &'a PublishJob,
    items: Receiver<Item>,
    /// The item that is next, while the window has no room for it.
    held: Option<Item>,
    window: Window,
    tally: Tally,
    pace: Pace,
    progress: &'a Progress,
    stop: &'a CancellationToken,
}

/// The messages that are confirmed, and the files that could not be read.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Confirmed messages, one number per file.
    pub(super) confirmed: Vec<u64>,
    /// Their bytes.
    pub(super) bytes: u64,
    /// Files that could not be read, by their place, with the reason.
    pub(super) unread: Vec<(usize, String)>,
}

/// The end of a delivery.
#[derive(Debug)]
pub(super) enum End {
    /// Everything that was read is confirmed.
    Complete,
    /// A signal came before that.
    Stopped,
    /// No further connection is to be tried.
    Failed(Error),
}

impl<'a> Delivery<'a> {
    /// A delivery of the messages of `files` files.
    pub(super) fn new(
        job: &'a PublishJob,
        files: usize,
        items: Receiver<Item>,
        progress: &'a Progress,
        stop: &'a CancellationToken,
    ) -> Self {
        let tally = Tally { confirmed: vec![0; files], ..Tally::default() };
        Self { job, items, held: None, window: Window::new(), tally, pace: Pace::new(job.rate), progress, stop }
    }

    /// Sends everything, until a stop or until the broker is silent for too long.
    pub(super) async fn run(mut self) -> (End, Tally) {
        let stop = self.stop;
        let end = tokio::select! {
            end = self.connect_until_done() => end,
            () = confirmations_end(stop) => End::Stopped,
        };
        (end, self.tally)
    }

    async fn connect_until_done(&mut self) -> End {
        let mut tries = Tries::new();
        loop {
            let error = match self.over_one_connection().await {
                Ok(()) if self.is_done() => return End::Complete,
                Ok(()) => return End::Stopped,
                Err(error) => error,
            };
            let delay = tries.next_delay(self.window.confirmed(), self.window.confirmed_at());
            let Some(delay) = delay.filter(|_| may_recover(&error)) else { return End::Failed(error) };
            tracing::warn!(%error, "{error}; next try in {} s", delay.as_secs());
            self.progress.show_retry(&error, delay);
            tokio::select! {
                () = sleep(delay) => {}
                () = self.stop.cancelled() => return End::Stopped,
            }
        }
    }

    /// Whether nothing is left to send, and not only because of a stop.
    fn is_done(&self) -> bool {
        self.held.is_none() && self.window.unsent().is_none() && self.items.is_closed() && self.items.is_empty()
    }

    async fn over_one_connection(&mut self) -> Result<(), Error> {
        self.progress.show_connecting();
        let publisher = Publisher::over(Link::open(&self.job.broker, NAME).await?).await?;
        let result = self.declare_and_send(&publisher).await;
        // A broker that is short of memory does not answer to the end of a connection.
        let _ = timeout(CLOSE_TIMEOUT, publisher.close()).await;
        result
    }

    /// Declares the queue as its consumer does, so that either may come first, and sends.
    async fn declare_and_send(&mut self, publisher: &Publisher) -> Result<(), Error> {
        let kind = match self.job.content {
            Content::Documents => Queue::Shared,
            Content::Operations => Queue::Ordered,
        };
        publisher.link().declare(&self.job.queue, kind).await?;
        publisher.link().declare_dead_letters().await?;
        let (queue, broker) = (&self.job.queue, &self.job.broker);
        tracing::info!(%broker, %queue, "publishing to the queue `{queue}` of {broker}");
        self.progress.show_confirmed(self.window.confirmed(), self.tally.bytes);
        let (lost, progress) = (publisher.link().lost(), self.progress);
        tokio::select! {
            result = self.send(publisher) => result,
            error = lost => Err(error),
            error = shortage(publisher.link(), progress) => Err(error),
        }
    }

    /// Sends what is unconfirmed, from its first message on, and everything behind it. Returns when all is confirmed that was sent.
    async fn send(&mut self, publisher: &Publisher) -> Result<(), Error> {
        let mut pending = FuturesUnordered::new();
        self.window.restart();
        loop {
            while let Some(Some((number, confirmed))) = pending.next().now_or_never() {
                self.note(number, confirmed)?;
            }
            if self.has_unsent().await {
                tokio::select! {
                    () = self.pace.wait() => {}
                    () = self.stop.cancelled() => continue,
                }
                let Some((number, message)) = self.window.unsent() else { continue };
                let confirmed = publisher.send("", &self.job.queue, message).await?;
                pending.push(async move { (number, confirmed.await) });
                self.window.mark_sent();
            } else if let Some((number, confirmed)) = pending.next().await {
                self.note(number, confirmed)?;
            } else {
                return Ok(());
            }
        }
    }

    /// Whether there is a message to send. Reads the next one if the window has room for it; after a stop there is none.
    async fn has_unsent(&mut self) -> bool {
        while !self.stop.is_cancelled() {
            if self.window.unsent().is_some() {
                return true;
            }
            let item = match self.held.take() {
                Some(item) => Some(item),
                None => self.items.recv().await,
            };
            match item {
                Some(Item { file, message: Ok(message) }) if self.window.has_room(message.body.len()) => {
                    self.window.push(file, message);
                }
                Some(Item { file, message: Err(why) }) => self.tally.unread.push((file, why)),
                other => {
                    self.held = other;
                    return false;
                }
            }
        }
        false
    }

    fn note(&mut self, number: u64, confirmed: Result<(), Error>) -> Result<(), Error> {
        confirmed?;
        if let Some(first) = self.window.confirm(number) {
            self.tally.confirmed[first.file] += 1;
            self.tally.bytes += first.bytes;
            self.progress.show_confirmed(self.window.confirmed(), self.tally.bytes);
        }
        Ok(())
    }
}

/// Whether another connection may succeed without the help of a person.
pub(super) fn may_recover(error: &Error) -> bool {
    !error.is_conflict() && !error.is_denied()
}

/// Says when the broker is short of memory or disk, and resolves once that lasts too long.
async fn shortage(link: &Link, progress: &Progress) -> Error {
    loop {
        link.turns(true).await;
        tracing::warn!("the broker is short of memory or disk; waiting until it takes messages again");
        progress.show_shortage();
        if timeout(MAX_SILENCE, link.turns(false)).await.is_err() {
            return Error::Blocked { limit: MAX_SILENCE };
        }
        tracing::info!("the broker takes messages again");
    }
}

/// Resolves some time after a stop, in which confirmations may still arrive.
async fn confirmations_end(stop: &CancellationToken) {
    stop.cancelled().await;
    sleep(STOP_TIMEOUT).await;
}
