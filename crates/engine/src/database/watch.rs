//! The watch over a database that others write, in a master that only reads: their commits wake who follows events, and everybody learns
//! who may write it, and whether it can be read at all.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tokio::sync::watch;
use tributary_store::{ActiveMaster, DatabaseUrl, Error, QueueRow, Store};

use super::{Readers, Writer, unwritable::store_errors};
use crate::supervise::Task;

/// Interval in which it is asked whether somebody has committed, and in which a database is looked for that cannot be read.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
const RETRY_INTERVAL: Duration = Duration::from_millis(500);
/// Interval in which it is asked who may write.
const ACTIVE_INTERVAL: Duration = Duration::from_millis(500);

/// The database as it was last seen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    /// Words for why it cannot be read, which name no file; `None` if it can.
    pub(crate) unreadable: Option<&'static str>,
    /// The process that may write it.
    pub(crate) active: Option<ActiveMaster>,
    /// The names of the sources, in order.
    pub(crate) sources: Arc<[String]>,
    /// The queues of a broker, as the active master has seen them.
    pub(crate) queues: Arc<[QueueRow]>,
}

/// Watches the database.
pub(crate) struct Watch {
    url: DatabaseUrl,
    readers: Readers,
    /// Told of the commits of others.
    writer: Writer,
    seen: watch::Sender<Seen>,
    connection: Option<Connection>,
}

/// A connection of its own: only one that stays open can tell what has changed.
struct Connection {
    store: Store,
    version: Option<i64>,
    asked: Option<Instant>,
}

/// News since the last look.
struct News {
    /// Sources and queues, if somebody has committed.
    tables: Option<(Vec<String>, Vec<QueueRow>)>,
    /// The process that may write, if it was asked for.
    active: Option<Option<ActiveMaster>>,
    /// Whether another file stands in the place of the one that was open.
    is_other_file: bool,
}

impl Watch {
    /// Looks at nothing yet. `writer` is that of a master that only reads.
    pub(crate) fn new(url: DatabaseUrl, readers: Readers, writer: Writer) -> (Self, watch::Receiver<Seen>) {
        let first =
            Seen { unreadable: Some("it was not looked at yet"), active: None, sources: [].into(), queues: [].into() };
        let (seen, receiver) = watch::channel(first);
        (Self { url, readers, writer, seen, connection: None }, receiver)
    }

    fn note(&self, looked: Result<News>) -> Duration {
        match looked {
            Ok(news) => {
                let has_changed = news.tables.is_some();
                if news.is_other_file {
                    tracing::warn!("another file stands in the place of the database; it is read from now on");
                    self.readers.close_all();
                }
                self.seen.send_if_modified(|seen| {
                    if seen.unreadable.is_some() {
                        tracing::info!("the database can be read");
                    }
                    seen.note(news)
                });
                if has_changed {
                    self.writer.note_commit();
                }
                LOOK_INTERVAL
            }
            Err(error) => {
                let reason = reason(&error);
                // What was opened may be another file by now.
                self.readers.close_all();
                self.seen.send_if_modified(|seen| {
                    if seen.unreadable == Some(reason) {
                        return false;
                    }
                    tracing::warn!("waiting for the database, {reason}: {error:#}");
                    seen.unreadable = Some(reason);
                    true
                });
                RETRY_INTERVAL
            }
        }
    }
}

impl Task for Watch {
    async fn run(&mut self) {
        loop {
            let (url, connection) = (self.url.clone(), self.connection.take());
            let looked = tokio::task::spawn_blocking(move || look(&url, connection)).await;
            let looked = looked.context("a look at the database panicked; this is a bug").and_then(|looked| looked);
            let looked = looked.map(|(connection, news)| {
                self.connection = Some(connection);
                news
            });
            tokio::time::sleep(self.note(looked)).await;
        }
    }
}

impl Seen {
    /// Returns whether something differs.
    fn note(&mut self, News { tables, active, .. }: News) -> bool {
        let before = self.clone();
        self.unreadable = None;
        if let Some(active) = active {
            self.active = active;
        }
        if let Some((sources, queues)) = tables {
            (self.sources, self.queues) = (sources.into(), queues.into());
        }
        *self != before
    }
}

/// Looks at the database on this connection, or on a new one.
fn look(url: &DatabaseUrl, connection: Option<Connection>) -> Result<(Connection, News)> {
    let is_other_file = connection.as_ref().is_some_and(|open| open.store.check_place().is_err());
    let mut connection = match connection.filter(|_| !is_other_file) {
        Some(open) => open,
        None => Connection { store: Store::open_existing(url)?, version: None, asked: None },
    };
    let Connection { store, version, asked } = &mut connection;
    // Before the tables, so that no commit is missed in between.
    let now = store.data_version()?;
    let mut tables = None;
    if *version != Some(now) {
        store.check_schema()?;
        let read = |store: &mut Store| {
            let sources = store.sources()?.into_iter().map(|source| source.name).collect();
            anyhow::Ok((sources, store.queues()?))
        };
        tables = Some(store.snapshot(read)?);
        *version = Some(now);
    }
    let is_due = asked.is_none_or(|asked| asked.elapsed() >= ACTIVE_INTERVAL);
    // Nobody is active once the last one has stopped.
    let named = |active: &ActiveMaster| active.holder.is_some();
    let active = if is_due { Some(store.active_master()?.filter(named)) } else { None };
    if is_due {
        *asked = Some(Instant::now());
    }
    Ok((connection, News { tables, active, is_other_file }))
}

/// Words for why the database cannot be read.
fn reason(error: &anyhow::Error) -> &'static str {
    match store_errors(error).next() {
        Some(Error::Missing { .. }) => "which is not there yet",
        Some(Error::NotSetUp { .. } | Error::BrokenOff { .. }) => "which is not set up yet",
        Some(Error::OlderSchema { .. }) => "which has an older schema until the active master or `starter` updates it",
        Some(Error::NewerSchema { .. }) => "which a newer version of tributary has changed",
        _ => "which cannot be read",
    }
}

#[cfg(test)]
mod tests {
    use tributary_store::Lock;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_waits_for_a_database_and_tells_of_its_commits() {
        let folder = tempfile::tempdir().unwrap();
        let url: DatabaseUrl = folder.path().join("database.db").to_str().unwrap().parse().unwrap();
        let writer = Writer::absent();
        let mut done = writer.done();
        let readers = Readers::new(url.clone());
        let (mut watch, mut seen) = Watch::new(url.clone(), readers.clone(), writer);
        tokio::spawn(async move { watch.run().await });
        seen.wait_for(|seen| seen.unreadable == Some("which is not there yet")).await.unwrap();
        let mut store = Store::open(&url).unwrap();
        seen.wait_for(|seen| seen.unreadable.is_none()).await.unwrap();
        done.changed().await.unwrap();
        store.put_event("t", "edit", "{\"sku\":\"s\"}").unwrap();
        done.changed().await.unwrap();
        let lock = Lock::acquire_at(&url, "master", Some("http://other")).unwrap();
        let address = |seen: &Seen| seen.active.as_ref().and_then(|active| active.public_url.clone());
        seen.wait_for(|seen| address(seen).as_deref() == Some("http://other")).await.unwrap();
        drop(lock);
        seen.wait_for(|seen| seen.active.is_none()).await.unwrap();
        // Somebody puts another database in its place.
        drop(store);
        std::fs::remove_file(url.path()).unwrap();
        seen.wait_for(|seen| seen.unreadable == Some("which is not there yet")).await.unwrap();
        drop(Store::open(&url).unwrap());
        seen.wait_for(|seen| seen.unreadable.is_none()).await.unwrap();
        // And again at once, as a restored backup is. What was open then must not be read on.
        let events = || readers.run(|store| Ok(store.event_range()?));
        assert_eq!(events().await.unwrap(), None);
        let backup = folder.path().join("backup.db");
        let mut store = Store::open(&backup.to_str().unwrap().parse().unwrap()).unwrap();
        store.put_event("t", "edit", "{\"sku\":\"s\"}").unwrap();
        drop(store);
        done.mark_unchanged();
        ["wal", "shm"]
            .into_iter()
            .for_each(|end| drop(std::fs::remove_file(folder.path().join(format!("database.db-{end}")))));
        std::fs::rename(backup, url.path()).unwrap();
        done.changed().await.unwrap();
        assert_eq!(events().await.unwrap(), Some((1, 1)));
    }
}
