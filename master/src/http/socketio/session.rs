//! One client's session: the namespaces that it is in, and what waits to be sent. It outlives each poll, and a change to a WebSocket.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use actix_web::web::Bytes;
use tokio::{
    sync::{
        Notify,
        broadcast::{self, error::TryRecvError},
        watch,
    },
    time::{Duration, Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    PING_INTERVAL, PING_TIMEOUT,
    feed::{EVENTS, Feed, ROWS},
    packet::{self, Incoming, NOOP, PING},
};

/// Packets in one answer to a poll. A Python client drops an answer that has more.
const MAX_PACKETS: usize = 16;
/// Answers that wait for a client. One that asks without reading is dropped.
const MAX_REPLIES: usize = 1_000;
/// Time between two answers to a client that polls while it tries a WebSocket. It must not wait for the next packet then.
const PROBE_INTERVAL: Duration = Duration::from_millis(100);

/// A packet for a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Packet {
    /// Text of its own.
    Own(String),
    /// Text that all clients share.
    Shared(Bytes),
}

/// The way by which a client gets packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carrier {
    /// It polls.
    Polling,
    /// It polls, and tries a WebSocket.
    Probing,
    /// A WebSocket.
    WebSocket,
}

/// A session.
pub(super) struct Session {
    sid: String,
    carrier: watch::Sender<Carrier>,
    state: Mutex<State>,
    /// Something may wait to be sent.
    wake: Notify,
    ended: CancellationToken,
    revoked: CancellationToken,
}

/// Guarded by [`Session::state`].
struct State {
    is_polled: bool,
    replies: VecDeque<String>,
    /// The version of the rows that was sent last, 0 for none; `None` outside of the namespace `/`.
    rows: Option<u64>,
    /// `None` outside of the namespace `/tributary`.
    events: Option<broadcast::Receiver<Arc<str>>>,
    /// When the next ping is sent, or when the answer to the last one is overdue.
    deadline: Instant,
    awaits_pong: bool,
}

/// A poll under way. Another may come once this is dropped.
pub(super) struct Poll<'a>(&'a Session);

impl Drop for Poll<'_> {
    fn drop(&mut self) {
        self.0.lock().is_polled = false;
    }
}

impl Session {
    /// A session that ends with `stop` at the latest. `revoked`: the token that opened it is no longer in force.
    pub(super) fn new(carrier: Carrier, revoked: CancellationToken, stop: &CancellationToken) -> Self {
        let state = State {
            is_polled: false,
            replies: VecDeque::new(),
            rows: None,
            events: None,
            deadline: Instant::now() + PING_INTERVAL,
            awaits_pong: false,
        };
        Self {
            sid: new_id(),
            carrier: watch::Sender::new(carrier),
            state: Mutex::new(state),
            wake: Notify::new(),
            ended: stop.child_token(),
            revoked,
        }
    }

    pub(super) fn sid(&self) -> &str {
        &self.sid
    }

    pub(super) fn end(&self) {
        self.ended.cancel();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.is_cancelled()
    }

    pub(super) fn is_revoked(&self) -> bool {
        self.revoked.is_cancelled()
    }

    pub(super) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Whether it gets rows.
    pub(super) fn takes_rows(&self) -> bool {
        self.lock().rows.is_some()
    }

    /// Whether it gets events.
    pub(super) fn takes_events(&self) -> bool {
        self.lock().events.is_some()
    }

    /// Lets whoever sends look again at what waits.
    pub(super) fn wake(&self) {
        self.wake.notify_waiters();
    }

    /// Takes in a packet of the client.
    ///
    /// # Errors
    /// The reason why the session must end.
    pub(super) fn receive(&self, packet: &str, feed: &Feed) -> Result<(), String> {
        let packet = packet::parse(packet)?;
        let mut state = self.lock();
        match packet {
            Incoming::Close => self.end(),
            Incoming::Pong => {
                state.awaits_pong = false;
                state.deadline = Instant::now() + PING_INTERVAL;
            }
            Incoming::Join { namespace } => state.join(namespace, feed)?,
            Incoming::Leave { namespace: ROWS } => state.rows = None,
            Incoming::Leave { namespace: EVENTS } => state.events = None,
            Incoming::Event { namespace, id, name } => state.event(namespace, id, &name)?,
            Incoming::Leave { .. } | Incoming::Other => {}
        }
        drop(state);
        self.wake();
        Ok(())
    }

    /// Sends a ping when it is due. Returns false if the last one was not answered in time.
    pub(super) fn pulse(&self, now: Instant) -> bool {
        let mut state = self.lock();
        if now < state.deadline {
            return true;
        }
        if state.awaits_pong || self.has_ended() {
            return false;
        }
        state.awaits_pong = true;
        state.deadline = now + PING_TIMEOUT;
        let is_queued = state.reply(PING.to_owned()).is_ok();
        drop(state);
        self.wake();
        is_queued
    }

    /// Begins a poll; `None` if there is one already, or the client has gone over to a WebSocket.
    pub(super) fn poll(&self) -> Option<Poll<'_>> {
        let mut state = self.lock();
        let is_free = !state.is_polled && *self.carrier.borrow() != Carrier::WebSocket;
        is_free.then(|| {
            state.is_polled = true;
            Poll(self)
        })
    }

    /// Waits for packets to answer a poll with.
    pub(super) async fn polled(&self, feed: &Feed) -> Vec<Packet> {
        let empty = || vec![Packet::Own(NOOP.to_owned())];
        let released = async {
            let mut carrier = self.carrier.subscribe();
            let changed = carrier.wait_for(|carrier| *carrier != Carrier::Polling).await;
            let is_probing = changed.is_ok_and(|carrier| *carrier == Carrier::Probing);
            if is_probing {
                sleep(PROBE_INTERVAL).await;
            }
        };
        tokio::select! {
            biased;
            () = self.ended() => empty(),
            packets = self.next(feed, Carrier::Polling) => packets,
            () = released => empty(),
        }
    }

    /// Waits for packets to send.
    pub(super) async fn next(&self, feed: &Feed, carrier: Carrier) -> Vec<Packet> {
        loop {
            // Before the look, so that nothing is missed that comes behind it.
            let woken = self.wake.notified();
            let is_taken_over = carrier == Carrier::Polling && *self.carrier.borrow() == Carrier::WebSocket;
            let packets = if is_taken_over { Vec::new() } else { self.take(feed) };
            if !packets.is_empty() {
                return packets;
            }
            woken.await;
        }
    }

    /// Begins to try a WebSocket. Returns false if there is one already.
    pub(super) fn probe(&self) -> bool {
        self.carrier.send_if_modified(|carrier| {
            let is_polling = *carrier == Carrier::Polling;
            *carrier = if is_polling { Carrier::Probing } else { *carrier };
            is_polling
        })
    }

    /// Ends the attempt: the client goes over to the WebSocket, or goes on polling.
    pub(super) fn probed(&self, carrier: Carrier) {
        self.carrier.send_replace(carrier);
    }

    /// Takes the packets that wait: answers first, then rows, then events.
    pub(super) fn take(&self, feed: &Feed) -> Vec<Packet> {
        let mut state = self.lock();
        let replies = state.replies.len().min(MAX_PACKETS);
        let mut packets: Vec<_> = state.replies.drain(..replies).map(Packet::Own).collect();
        if packets.len() < MAX_PACKETS {
            packets.extend(state.newer_rows(feed));
        }
        while packets.len() < MAX_PACKETS {
            let Some(event) = state.next_event() else { break };
            packets.push(event);
        }
        packets
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn join(&mut self, namespace: &str, feed: &Feed) -> Result<(), String> {
        match namespace {
            // One that joins again gets the rows again.
            ROWS => self.rows = Some(0),
            EVENTS => self.events = Some(feed.subscribe()),
            unknown => return self.reply(packet::refused(unknown)),
        }
        self.reply(packet::joined(namespace, &new_id()))
    }

    fn event(&mut self, namespace: &str, id: Option<&str>, name: &str) -> Result<(), String> {
        let is_in = match namespace {
            ROWS => self.rows.is_some(),
            EVENTS => self.events.is_some(),
            _ => false,
        };
        if !is_in {
            return Ok(());
        }
        if (namespace, name) == (ROWS, "request_update") {
            self.rows = Some(0);
        }
        id.map_or(Ok(()), |id| self.reply(packet::acknowledgement(namespace, id)))
    }

    fn reply(&mut self, packet: String) -> Result<(), String> {
        if self.replies.len() >= MAX_REPLIES {
            return Err(format!("{MAX_REPLIES} answers wait for this client: read them first"));
        }
        self.replies.push_back(packet);
        Ok(())
    }

    /// The rows, if they are others than those that were sent last. What changed meanwhile is sent once.
    fn newer_rows(&mut self, feed: &Feed) -> Option<Packet> {
        let sent = self.rows?;
        let rows = feed.rows().filter(|rows| rows.version != sent)?;
        self.rows = Some(rows.version);
        Some(Packet::Shared(rows.packet))
    }

    fn next_event(&mut self) -> Option<Packet> {
        let events = self.events.as_mut()?;
        match events.try_recv() {
            Ok(event) => Some(Packet::Own((*event).to_owned())),
            Err(TryRecvError::Lagged(_)) => {
                *events = events.resubscribe();
                Some(Packet::Own(packet::event_text(EVENTS, "reset", "{}")))
            }
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }
}

/// An id that nobody can guess.
fn new_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
