//! Rows of a table and events for all clients. The rows are read once per change, however many clients there are.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::web::Bytes;
use anyhow::Result;
use futures_util::StreamExt;
use tokio::{
    sync::{Notify, broadcast},
    time::{Duration, Instant, sleep, sleep_until},
};
use tributary_config::{CompatConfig, CompatData};
use tributary_engine::{Engine, Followed, Resume};

use super::{packet::event_text, sessions::Sessions};
use crate::http::compat::rows::{self, RowList};

/// The namespace of the rows.
pub(super) const ROWS: &str = "/";
/// The namespace of the events.
pub(super) const EVENTS: &str = "/tributary";
/// Shortest time between two readings of the rows. What changes meanwhile is sent at once.
const MIN_READ_INTERVAL: Duration = Duration::from_millis(250);
/// Events that a client may be behind. One that is further behind gets `reset`.
const MAX_EVENTS_BEHIND: usize = 1_024;
/// Pause after a failure of the database.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// The newest rows, and the events.
pub(super) struct Feed {
    data: CompatConfig,
    rows: Mutex<LastRows>,
    events: broadcast::Sender<Arc<str>>,
}

/// The rows as they were read last.
#[derive(Default)]
struct LastRows {
    version: u64,
    /// `None` while nobody wants them.
    packet: Option<Bytes>,
    is_cut: bool,
}

/// Rows, as a packet.
pub(super) struct Rows {
    /// Differs from that of all other rows since the start; never 0.
    pub(super) version: u64,
    pub(super) packet: Bytes,
}

impl Feed {
    pub(super) fn new(data: CompatConfig) -> Self {
        Self { data, rows: Mutex::default(), events: broadcast::Sender::new(MAX_EVENTS_BEHIND) }
    }

    /// The rows, once they are read.
    pub(super) fn rows(&self) -> Option<Rows> {
        let rows = self.lock();
        let packet = rows.packet.clone()?;
        Some(Rows { version: rows.version, packet })
    }

    /// The events from now on.
    pub(super) fn subscribe(&self) -> broadcast::Receiver<Arc<str>> {
        self.events.subscribe()
    }

    /// Reads what changes, and wakes the sessions that are to be sent it. Never ends. `stirred`: a session has come, joined or gone.
    pub(super) async fn run(&self, engine: &Engine, sessions: &Sessions, stirred: &Notify) {
        let mut resume = Resume::Now;
        loop {
            while sessions.count() == 0 {
                resume = Resume::Now;
                stirred.notified().await;
            }
            if let Err(error) = self.follow(engine, sessions, stirred, &mut resume).await {
                tracing::error!("failed to read what Socket.IO sends, trying again: {error:#}");
                sleep(RETRY_PAUSE).await;
            }
        }
    }

    /// Follows the events for as long as there is a session.
    async fn follow(&self, engine: &Engine, sessions: &Sessions, stirred: &Notify, resume: &mut Resume) -> Result<()> {
        let mut followed = engine.follow(*resume).await?.boxed();
        // Nobody has looked at what happened before.
        let (mut is_stale, mut next_read) = (true, Instant::now());
        while sessions.count() > 0 {
            let is_wanted = sessions.all().iter().any(|session| session.takes_rows());
            if is_stale && !is_wanted {
                // Who joins next must not get old ones.
                self.lock().packet = None;
            }
            tokio::select! {
                item = followed.next() => match item.transpose()? {
                    Some(Followed::Event(event)) => {
                        *resume = Resume::After(event.id);
                        is_stale |= self.concerns(&event.kind);
                        self.send(sessions, &event.kind, &event.data);
                    }
                    Some(Followed::Start { id, missed }) => {
                        // Who has joined before this may have missed some, too.
                        if missed || *resume == Resume::Now {
                            self.send(sessions, "reset", "{}");
                        }
                        *resume = Resume::After(id);
                    }
                    None => return Ok(()),
                },
                () = sleep_until(next_read), if is_stale && is_wanted => {
                    let began = Instant::now();
                    let list = rows::read(engine, &self.data).await?;
                    self.publish(list, sessions);
                    // Long lists take at most a fifth of the time.
                    next_read = Instant::now() + MIN_READ_INTERVAL.max(4 * began.elapsed());
                    is_stale = false;
                }
                () = stirred.notified() => {}
            }
        }
        self.lock().packet = None;
        Ok(())
    }

    /// Whether an event of this kind may change the rows.
    fn concerns(&self, kind: &str) -> bool {
        match self.data.data {
            CompatData::Products => matches!(kind, "applied" | "edit" | "configuration"),
            CompatData::Report(_) => matches!(kind, "report" | "configuration"),
        }
    }

    /// Has rows sent if they are others than the last.
    pub(super) fn publish(&self, RowList { json, is_cut }: RowList, sessions: &Sessions) {
        let packet = Bytes::from([b"42[\"csv_update\",", &json[..], b"]"].concat());
        let mut last = self.lock();
        if is_cut && !last.is_cut {
            tracing::warn!("Socket.IO clients get only the first rows of {}: all are too long", self.data.data);
        }
        last.is_cut = is_cut;
        if last.packet.as_ref() == Some(&packet) {
            return;
        }
        last.packet = Some(packet);
        last.version += 1;
        drop(last);
        sessions.all().iter().filter(|session| session.takes_rows()).for_each(|session| session.wake());
    }

    /// Has an event sent.
    pub(super) fn send(&self, sessions: &Sessions, kind: &str, data: &str) {
        if self.events.receiver_count() == 0 {
            return;
        }
        // Fails only if all receivers have gone meanwhile.
        let _ = self.events.send(event_text(EVENTS, kind, data).into());
        sessions.all().iter().filter(|session| session.takes_events()).for_each(|session| session.wake());
    }

    fn lock(&self) -> MutexGuard<'_, LastRows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
