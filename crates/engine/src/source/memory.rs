//! Memory for answers of all sources together, so that many sources do not take many times what one may.

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tributary_budget::{Budget, Share};

/// Memory of long lines of `/aggregate`, of all sources.
const LINE_BYTES: u64 = 64 << 20;
/// Limit for the time that a list waits for its turn: those before it may be long.
const MAX_TURN_WAIT: Duration = Duration::from_secs(600);
/// Least bytes per second of a list that has its turn while others wait for theirs, and the time after which it is judged.
pub(super) const TURN_SPEED: u64 = 256 << 10;
const MIN_TURN: Duration = Duration::from_secs(5);
/// Interval in which those who wait judge it.
const JUDGE_INTERVAL: Duration = Duration::from_secs(1);
/// Limit for the time in which it waits for room, while others wait for their turn.
const MAX_ROOM_WAIT: Duration = Duration::from_secs(60);
/// The part of all room, as its inverse, from which on a list is large, and by which the room must have grown before it is asked for again.
const LARGE_PART: u64 = 8;
/// Interval in which it is looked whether there is room.
const ROOM_INTERVAL: Duration = Duration::from_millis(100);

/// The memory; clones share it.
#[derive(Clone)]
pub(crate) struct AnswerMemory {
    lists: Arc<Budget>,
    /// The turn of a large list to arrive.
    turn: Arc<Semaphore>,
    /// The list that arrives in its turn. Locked to change it, or to judge it.
    arriving: Arc<Mutex<Option<Arriving>>>,
    lines: Arc<Budget>,
}

struct Arriving {
    since: Instant,
    bytes: u64,
    /// Cancelled if it must give up its turn.
    lost: CancellationToken,
}

impl AnswerMemory {
    /// Memory of which the lists of files may take so many bytes.
    pub(crate) fn new(lists: u64) -> Self {
        let (lists, lines) = (Arc::new(Budget::new(lists)), Arc::new(Budget::new(LINE_BYTES)));
        Self { lists, turn: Arc::new(Semaphore::new(1)), arriving: Arc::default(), lines }
    }

    /// The bytes that all lists of files may take.
    pub(super) fn list_bytes(&self) -> u64 {
        self.lists.bytes()
    }

    /// The room for a list of files, of which nothing is taken yet.
    pub(super) fn list(&self) -> ListRoom<'_> {
        let share = Share::new(Arc::clone(&self.lists));
        ListRoom { memory: self, share, turn: None, lost: CancellationToken::new(), lacked_at: None, had_all: false }
    }

    /// Waits for the turn. The list that has it loses it if it is slow.
    async fn next_turn(&self) -> Option<SemaphorePermit<'_>> {
        let mut turn = pin!(self.turn.acquire());
        loop {
            match timeout(JUDGE_INTERVAL, &mut turn).await {
                Ok(turn) => return turn.ok(),
                Err(_) => self.arriving.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(Arriving::judge),
            }
        }
    }

    /// The share of a long line.
    pub(super) fn line(&self) -> Share {
        Share::new(Arc::clone(&self.lines))
    }
}

impl Arriving {
    fn judge(&self) {
        let time = self.since.elapsed();
        if time >= MIN_TURN && self.bytes < time.as_secs() * TURN_SPEED {
            self.lost.cancel();
        }
    }
}

/// The room that a list takes while it arrives. Large ones arrive one after the other, so that they do not keep each other from it.
pub(super) struct ListRoom<'a> {
    memory: &'a AnswerMemory,
    share: Share,
    turn: Option<SemaphorePermit<'a>>,
    lost: CancellationToken,
    /// The room that was too little, if it was not the turn that it lacked.
    lacked_at: Option<u64>,
    /// Whether all the room that there is was too little. Once may be an error: another list may just have gone.
    had_all: bool,
}

impl ListRoom<'_> {
    /// Takes more room. Returns false if it lacks the turn or the room: then it has to [`wait`](Self::wait).
    pub(super) fn grow(&mut self, bytes: u64) -> bool {
        let lists = &self.memory.lists;
        if self.turn.is_none() && self.share.bytes() + bytes > lists.bytes() / LARGE_PART {
            self.turn = self.memory.turn.try_acquire().ok();
            if self.turn.is_none() {
                return false;
            }
            self.arrives(true);
        }
        if let Some(arriving) = self.turn.as_ref().and(self.arriving().as_mut()) {
            arriving.bytes += bytes;
        }
        let has_grown = self.share.grow(bytes);
        if !has_grown {
            let others = lists.taken().saturating_sub(self.share.bytes());
            self.lacked_at = Some(lists.bytes().saturating_sub(others));
        }
        has_grown
    }

    fn arriving(&self) -> MutexGuard<'_, Option<Arriving>> {
        self.memory.arriving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes whether the list arrives in its turn.
    fn arrives(&self, does: bool) {
        let arriving = || Arriving { since: Instant::now(), bytes: 0, lost: self.lost.clone() };
        *self.arriving() = does.then(arriving);
    }

    /// Cancelled if the list was slow while it had its turn and others waited. It must end then.
    pub(super) fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }

    /// Gives all room back, and waits for the turn and for clearly more room than was too little. Returns false if there is none in time,
    /// or never.
    pub(super) async fn wait(&mut self) -> bool {
        self.share.clear();
        if self.turn.is_none() {
            self.turn = timeout(MAX_TURN_WAIT, self.memory.next_turn()).await.ok().flatten();
        }
        if self.turn.is_none() || self.had_all {
            return false;
        }
        // The peer is not slow while there is no room.
        self.arrives(false);
        let has_room = self.has_room().await;
        self.arrives(has_room);
        has_room
    }

    async fn has_room(&mut self) -> bool {
        let lists = &self.memory.lists;
        let Some(room) = self.lacked_at.take() else { return true };
        self.had_all = room == lists.bytes();
        let wanted = (room + lists.bytes() / LARGE_PART).min(lists.bytes());
        let deadline = Instant::now() + MAX_ROOM_WAIT;
        while lists.bytes().saturating_sub(lists.taken()) < wanted {
            if Instant::now() >= deadline {
                return false;
            }
            sleep(ROOM_INTERVAL).await;
        }
        true
    }

    /// Ends the turn. The list counts as long as the share is held.
    pub(super) fn arrived(mut self) -> Share {
        std::mem::replace(&mut self.share, Share::new(Arc::clone(&self.memory.lists)))
    }
}

impl Drop for ListRoom<'_> {
    fn drop(&mut self) {
        if self.turn.is_some() {
            self.arrives(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use tributary_config::SourceConfig;
    use tributary_http_client::Trust;
    use tributary_pace::MAX_PATIENCE;
    use tributary_testkit::faulty::{Answer, FaultySource};

    use super::*;
    use crate::source::{SourceClient, http_client};

    /// A source with very many files used to be down for as long as another one was read.
    #[tokio::test]
    async fn a_list_waits_until_there_is_room_and_not_if_there_never_is() {
        let entry = |number| format!(r#"{{"path":"{number:0300}","size":1,"modified":"","hash":""}}"#);
        let files: Vec<_> = (0..3_000).map(entry).collect();
        let body = format!(r#"{{"version":"v","files":[{}]}}"#, files.join(","));
        let server = FaultySource::start(&[("/sense/files", Answer::json(&body))]);
        let source = SourceConfig::new("a", &server.url).unwrap();
        let memory = AnswerMemory::new(body.len() as u64);
        let client = |memory| SourceClient::new(http_client(&Trust::default(), MAX_PATIENCE, memory).unwrap(), &source);
        let mut held = Share::new(Arc::clone(&memory.lists));
        assert!(held.grow(body.len() as u64 * 2 / 3));
        let read = async || {
            let (manifest, share) = client(memory.clone()).manifest(None).await?;
            assert!(share.bytes() > 0);
            anyhow::Ok(manifest.files.len())
        };
        let give_back = async {
            while memory.turn.available_permits() > 0 {
                sleep(ROOM_INTERVAL).await;
            }
            drop(held);
            anyhow::Ok(())
        };
        let (one, two, ()) = tokio::try_join!(read(), read(), give_back).unwrap();
        assert_eq!((one, two, memory.lists.taken()), (3_000, 3_000, 0));
        let small = AnswerMemory::new(body.len() as u64 / 2);
        let error = client(small.clone()).manifest(None).await.unwrap_err().to_string();
        assert!(error.contains("`lists` in `[limits]` is"), "{error}");
        assert_eq!((small.lists.taken(), small.turn.available_permits()), (0, 1));
    }

    /// It used to hold the turn for five minutes.
    #[tokio::test(start_paused = true)]
    async fn a_list_that_is_slow_in_its_turn_loses_it_if_another_waits() {
        let lasts = async |bytes: u64| {
            let memory = AnswerMemory::new(64 << 20);
            let (mut first, mut other) = (memory.list(), memory.list());
            assert!(first.grow(9 << 20) && !other.grow(9 << 20));
            let (lost, begun) = (first.lost(), Instant::now());
            sleep(10 * MIN_TURN).await;
            assert!(!lost.is_cancelled(), "nobody waits");
            first.arrives(true);
            let arrive = async {
                for _ in 0..20 {
                    if timeout(JUDGE_INTERVAL, lost.cancelled()).await.is_ok() {
                        break;
                    }
                    first.grow(bytes);
                }
                drop(first);
                begun.elapsed() - 10 * MIN_TURN
            };
            let (time, has_turn) = tokio::join!(arrive, other.wait());
            assert!(has_turn);
            time
        };
        assert!(lasts(TURN_SPEED / 2).await <= MIN_TURN + JUDGE_INTERVAL);
        assert_eq!(lasts(TURN_SPEED * 3 / 2).await, 20 * JUDGE_INTERVAL);
    }
}
