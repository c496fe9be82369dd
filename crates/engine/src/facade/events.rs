//! Subscriptions to events.

use std::sync::Arc;

use anyhow::Result;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::watch;
use tributary_store::Store;

use super::Engine;
use crate::database::events::StoredEvent;

/// The start of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// The next event.
    Now,
    /// The event after the one with this id.
    After(i64),
    /// After an event that cannot be identified, so the subscriber counts as one that missed some.
    Unknown,
}

/// One item of a subscription.
#[derive(Debug, Clone, PartialEq)]
pub enum Followed {
    /// The subscription begins after the event `id`. Always the first item, and only the first.
    Start {
        /// The id to resume after if no event follows.
        id: i64,
        /// Whether events before it were missed, so that the subscriber must read again what it follows.
        missed: bool,
    },
    /// A committed event.
    Event(StoredEvent),
}

struct Subscriber {
    engine: Engine,
    /// Changes after every job of the writer. Marked as seen before events are asked for, so that none is missed in between.
    done: watch::Receiver<u64>,
    last: i64,
    /// Shared with other subscribers, so that slow ones take little memory.
    ready: std::vec::IntoIter<Arc<StoredEvent>>,
}

impl Engine {
    /// Subscribes to all events. Each is delivered once, in order, after its commit. The stream ends when the engine stops, and with
    /// an error if the database fails.
    ///
    /// # Errors
    /// The database fails.
    pub async fn follow(&self, resume: Resume) -> Result<impl Stream<Item = Result<Followed>> + use<>> {
        let done = self.0.writer.done();
        let (last, missed) = self.0.events.in_turn(move |store| begin(store, resume)).await?;
        let start = Followed::Start { id: last, missed };
        let subscriber = Subscriber { engine: self.clone(), done, last, ready: Vec::new().into_iter() };
        let events = stream::unfold(Some(subscriber), |subscriber| async { next(subscriber?).await });
        Ok(stream::once(async { Ok(start) }).chain(events))
    }
}

/// The id of the event to begin after, and whether events were missed.
fn begin(store: &mut Store, resume: Resume) -> Result<(i64, bool)> {
    let (oldest, newest) = store.event_range()?.unwrap_or_default();
    Ok(match resume {
        Resume::Now => (newest, false),
        Resume::After(seen) if (oldest - 1..=newest).contains(&seen) => (seen, false),
        Resume::After(_) | Resume::Unknown => (newest, true),
    })
}

async fn next(mut subscriber: Subscriber) -> Option<(Result<Followed>, Option<Subscriber>)> {
    loop {
        if let Some(event) = subscriber.ready.next() {
            subscriber.last = event.id;
            return Some((Ok(Followed::Event(Arc::unwrap_or_clone(event))), Some(subscriber)));
        }
        subscriber.done.borrow_and_update();
        match subscriber.engine.0.events.after(subscriber.last, &subscriber.done).await {
            Err(error) => return Some((Err(error), None)),
            Ok(events) if events.is_empty() => {}
            Ok(events) => {
                subscriber.ready = events.into_iter();
                continue;
            }
        }
        tokio::select! {
            () = subscriber.engine.0.shutdown.cancelled() => return None,
            changed = subscriber.done.changed() => changed.ok()?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscriber_that_resumes_gets_every_event_or_learns_that_it_missed_some() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("database.db").to_str().unwrap().parse().unwrap()).unwrap();
        let check = |store: &mut Store, resume, expect| assert_eq!(begin(store, resume).unwrap(), expect, "{resume:?}");
        check(&mut store, Resume::Now, (0, false));
        check(&mut store, Resume::After(0), (0, false));
        check(&mut store, Resume::After(7), (0, true));
        store.transaction(|store| (0..10_003).try_for_each(|_| store.put_event("t", "edit", "{}"))).unwrap();
        check(&mut store, Resume::Now, (10_003, false));
        check(&mut store, Resume::After(10_003), (10_003, false));
        check(&mut store, Resume::After(3), (3, false));
        check(&mut store, Resume::After(2), (10_003, true));
        check(&mut store, Resume::After(10_004), (10_003, true));
        check(&mut store, Resume::Unknown, (10_003, true));
        assert_eq!(store.events_after(3, i64::MAX).unwrap().len(), 10_000);
    }
}
