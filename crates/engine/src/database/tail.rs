//! The latest events, read once for all who follow them.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use anyhow::Result;
use tokio::sync::{Mutex, watch};
use tributary_store::Store;

use super::{
    events::{self, StoredEvent},
    readers::{Busy, Readers},
};

/// Events in one read, and those that are remembered.
const MAX_EVENTS: usize = 500;
/// Time after which a read is tried again while too many others wait.
const BUSY_INTERVAL: Duration = Duration::from_millis(100);

/// Reads events of one database, one reader at a time.
pub(crate) struct EventTail {
    readers: Readers,
    /// Held while the database is read: who follows waits for its turn here, and takes no place of other readers.
    latest: Mutex<Option<Latest>>,
}

/// All events after one and up to another.
struct Latest {
    after: i64,
    to: i64,
    events: VecDeque<Arc<StoredEvent>>,
    /// Jobs of the writer that had been done before the last read; `None` before the first.
    done: Option<u64>,
}

impl EventTail {
    pub(crate) fn new(readers: Readers) -> Self {
        Self { readers, latest: Mutex::default() }
    }

    /// Some events after `last`, in order; none if there are none yet. `done` counts the jobs of the writer.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) async fn after(&self, last: i64, done: &watch::Receiver<u64>) -> Result<Vec<Arc<StoredEvent>>> {
        let mut latest = self.latest.lock().await;
        let latest =
            latest.get_or_insert_with(|| Latest { after: last, to: last, events: VecDeque::new(), done: None });
        // Before the read, so that no event is missed in between.
        let now = *done.borrow();
        while latest.done != Some(now) {
            let new = self.read_after(latest.to).await?;
            // Behind a full read there may be more.
            latest.done = (new.len() < MAX_EVENTS).then_some(now);
            latest.append(new);
        }
        if last >= latest.after {
            return Ok(latest.behind(last));
        }
        self.read_after(last).await
    }

    /// Runs `read` in the turn of those who follow events, and again while too many others read.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) async fn in_turn<T: Send + 'static>(
        &self,
        read: impl Fn(&mut Store) -> Result<T> + Clone + Send + 'static,
    ) -> Result<T> {
        let _turn = self.latest.lock().await;
        self.patiently(read).await
    }

    async fn read_after(&self, last: i64) -> Result<Vec<Arc<StoredEvent>>> {
        let read = move |store: &mut Store| {
            let rows = store.events_after(last, MAX_EVENTS as i64)?;
            rows.iter().map(|row| events::read(row).map(Arc::new)).collect::<Result<Vec<_>>>()
        };
        self.patiently(read).await
    }

    async fn patiently<T: Send + 'static>(
        &self,
        read: impl Fn(&mut Store) -> Result<T> + Clone + Send + 'static,
    ) -> Result<T> {
        loop {
            match self.readers.run(read.clone()).await {
                Err(error) if error.is::<Busy>() => tokio::time::sleep(BUSY_INTERVAL).await,
                read => return read,
            }
        }
    }
}

impl Latest {
    fn append(&mut self, new: Vec<Arc<StoredEvent>>) {
        self.to = new.last().map_or(self.to, |event| event.id);
        self.events.extend(new);
        let surplus = self.events.len().saturating_sub(MAX_EVENTS);
        self.after = self.events.drain(..surplus).next_back().map_or(self.after, |event| event.id);
    }

    fn behind(&self, last: i64) -> Vec<Arc<StoredEvent>> {
        let seen = self.events.partition_point(|event| event.id <= last);
        self.events.range(seen..).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow() -> (tempfile::TempDir, Store, EventTail) {
        let folder = tempfile::tempdir().unwrap();
        let url: tributary_store::DatabaseUrl = folder.path().join("database.db").to_str().unwrap().parse().unwrap();
        let store = Store::open(&url).unwrap();
        (folder, store, EventTail::new(Readers::new(url)))
    }

    fn put(store: &mut Store, count: usize) {
        let put = |store: &mut Store| (0..count).try_for_each(|_| store.put_event("t", "edit", "{\"sku\":\"s\"}"));
        store.transaction(put).unwrap();
    }

    #[tokio::test]
    async fn every_follower_gets_every_event_wherever_it_begins() {
        let (_folder, mut store, tail) = follow();
        let (writes, done) = watch::channel(0);
        assert!(tail.after(0, &done).await.unwrap().is_empty());
        let mut ats = [0, 0];
        for count in [1, 2, MAX_EVENTS - 1, MAX_EVENTS, 2 * MAX_EVENTS + 3] {
            put(&mut store, count);
            writes.send_modify(|done| *done += 1);
            let newest = store.event_range().unwrap().unwrap().1;
            // One that has all before, and one that begins at the first.
            ats[1] = 0;
            for last in &mut ats {
                while *last < newest {
                    let events = tail.after(*last, &done).await.unwrap();
                    assert!(events.len() <= MAX_EVENTS && !events.is_empty());
                    for event in events {
                        assert_eq!(event.id, *last + 1);
                        *last = event.id;
                    }
                }
                assert!(tail.after(*last, &done).await.unwrap().is_empty());
            }
        }
    }

    #[tokio::test]
    async fn followers_of_the_end_do_not_read_the_database() {
        let (_folder, mut store, tail) = follow();
        let (writes, done) = watch::channel(0);
        put(&mut store, 3);
        assert_eq!(tail.after(0, &done).await.unwrap().len(), 3);
        writes.send_modify(|done| *done += 1);
        assert!(tail.after(3, &done).await.unwrap().is_empty());
        // Written without a word of the writer: whoever reads the database would see it.
        put(&mut store, 1);
        for _ in 0..500 {
            assert!(tail.after(3, &done).await.unwrap().is_empty());
        }
        writes.send_modify(|done| *done += 1);
        assert_eq!(tail.after(3, &done).await.unwrap().len(), 1);
    }
}
