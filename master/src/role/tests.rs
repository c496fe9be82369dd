//! The way from role to role, with a lock that a test gives and takes away.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use anyhow::{anyhow, bail};
use tokio::sync::Notify;

use super::*;

/// A lock that a test holds, or the master.
#[derive(Default)]
struct FakeLock {
    is_held: AtomicBool,
    is_broken: AtomicBool,
    can_wait: bool,
    tries: AtomicU32,
}

impl Locks for Arc<FakeLock> {
    type Lock = ();

    fn can_wait(&self) -> bool {
        self.can_wait
    }

    async fn try_take(&self) -> Result<(), NotTaken> {
        self.tries.fetch_add(1, Ordering::Relaxed);
        match (self.is_broken.load(Ordering::Relaxed), self.is_held.load(Ordering::Relaxed)) {
            (true, _) => Err(NotTaken::Failed(anyhow!("the server does not answer"))),
            (_, true) => Err(NotTaken::Held { by: "another".to_owned(), error: anyhow!("in use by another") }),
            (_, false) => Ok(()),
        }
    }
}

/// Notes what a master does.
#[derive(Default)]
struct Noted {
    did: Mutex<Vec<&'static str>>,
    changed: Notify,
    /// Told when the active master is to be deposed.
    depose: Notify,
    cannot_lead: bool,
    /// Terms to come that cannot begin because the database is away.
    away: AtomicU32,
}

/// The database is away.
#[derive(Debug, thiserror::Error)]
#[error("the server does not answer")]
struct Away;

impl Noted {
    fn note(&self, what: &'static str) {
        self.did.lock().unwrap().push(what);
        self.changed.notify_one();
    }

    async fn until(&self, expect: &[&str]) {
        while *self.did.lock().unwrap() != expect {
            let changed = tokio::time::timeout(Duration::from_secs(60), self.changed.notified()).await;
            assert!(changed.is_ok(), "{:?} is not {expect:?}", self.did.lock().unwrap());
        }
    }
}

impl Terms<()> for (Arc<Noted>, CancellationToken) {
    type Leader = ();

    async fn stand_by(&self, over: CancellationToken) -> Result<()> {
        self.0.note("stands by");
        over.cancelled().await;
        self.0.note("stood by");
        Ok(())
    }

    async fn prepare(&self, (): ()) -> Result<()> {
        self.0.note("prepares");
        let is_away =
            self.0.away.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        if is_away {
            return Err(Away.into());
        }
        if self.0.cannot_lead { bail!("a source would be dropped") } else { Ok(()) }
    }

    fn may_pass(&self, error: &anyhow::Error) -> bool {
        error.is::<Away>()
    }

    async fn lead(&self, (): ()) -> Result<TermEnd> {
        self.0.note("leads");
        tokio::select! {
            () = self.0.depose.notified() => Ok(TermEnd::Deposed),
            () = self.1.cancelled() => Ok(TermEnd::Stopped),
        }
    }
}

struct World {
    lock: Arc<FakeLock>,
    noted: Arc<Noted>,
    shutdown: CancellationToken,
    run: tokio::task::JoinHandle<Result<()>>,
}

/// A master that finds the lock held or free.
fn start(is_held: bool, lock: FakeLock, noted: Noted) -> World {
    let (lock, noted, shutdown) = (Arc::new(lock), Arc::new(noted), CancellationToken::new());
    lock.is_held.store(is_held, Ordering::Relaxed);
    let terms = (Arc::clone(&noted), shutdown.clone());
    let (locks, stop) = (Arc::clone(&lock), shutdown.clone());
    let run = tokio::spawn(async move { run(&locks, &terms, &stop).await });
    World { lock, noted, shutdown, run }
}

fn waiting() -> FakeLock {
    FakeLock { can_wait: true, ..FakeLock::default() }
}

impl World {
    fn hold(&self, is_held: bool) {
        self.lock.is_held.store(is_held, Ordering::Relaxed);
    }

    async fn stop(self) -> Result<()> {
        self.shutdown.cancel();
        self.run.await.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_free_lock_makes_a_master_active_at_once() {
    let world = start(false, waiting(), Noted::default());
    world.noted.until(&["prepares", "leads"]).await;
    world.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_standby_answers_until_its_successor_is_ready_and_a_deposed_one_waits_again() {
    let world = start(true, waiting(), Noted::default());
    world.noted.until(&["stands by"]).await;
    world.hold(false);
    let mut did = vec!["stands by", "prepares", "stood by", "leads"];
    world.noted.until(&did).await;
    world.hold(true);
    world.noted.depose.notify_one();
    did.push("stands by");
    world.noted.until(&did).await;
    world.hold(false);
    did.extend(["prepares", "stood by", "leads"]);
    world.noted.until(&did).await;
    world.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_standby_asks_every_second_and_takes_over_within_the_next() {
    let world = start(true, waiting(), Noted::default());
    world.noted.until(&["stands by"]).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let tries = world.lock.tries.load(Ordering::Relaxed);
    assert!((10..=13).contains(&tries), "{tries}");
    let freed = tokio::time::Instant::now();
    world.hold(false);
    world.noted.until(&["stands by", "prepares", "stood by", "leads"]).await;
    assert!(freed.elapsed() <= TRY_INTERVAL);
    world.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_cannot_be_waited_for_ends_the_start() {
    let world = start(true, FakeLock::default(), Noted::default());
    assert_eq!(world.run.await.unwrap().unwrap_err().to_string(), "in use by another");
    assert!(world.noted.did.lock().unwrap().is_empty());
}

/// A server that is away at the start is a mistake in the configuration more often than not. Later it is an outage.
#[tokio::test(start_paused = true)]
async fn a_lock_that_fails_ends_the_start_and_is_waited_for_later() {
    let broken = || FakeLock { is_broken: AtomicBool::new(true), ..waiting() };
    let failed = start(false, broken(), Noted::default()).run.await.unwrap().unwrap_err();
    assert_eq!(failed.to_string(), "the server does not answer");
    let world = start(true, waiting(), Noted::default());
    world.noted.until(&["stands by"]).await;
    world.lock.is_broken.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(5)).await;
    world.hold(false);
    world.lock.is_broken.store(false, Ordering::Relaxed);
    world.noted.until(&["stands by", "prepares", "stood by", "leads"]).await;
    world.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_standby_stops_when_it_is_told_to() {
    let world = start(true, waiting(), Noted::default());
    world.noted.until(&["stands by"]).await;
    let noted = Arc::clone(&world.noted);
    world.stop().await.unwrap();
    noted.until(&["stands by", "stood by"]).await;
}

/// It gives the lock back, so that another one can take it.
#[tokio::test(start_paused = true)]
async fn a_standby_that_cannot_lead_ends() {
    let world = start(true, waiting(), Noted { cannot_lead: true, ..Noted::default() });
    world.noted.until(&["stands by"]).await;
    world.hold(false);
    assert_eq!(world.run.await.unwrap().unwrap_err().to_string(), "a source would be dropped");
}

#[tokio::test(start_paused = true)]
async fn a_standby_whose_database_goes_away_while_it_takes_over_goes_on_waiting() {
    let world = start(true, waiting(), Noted { away: 2.into(), ..Noted::default() });
    world.noted.until(&["stands by"]).await;
    world.hold(false);
    world.noted.until(&["stands by", "prepares", "prepares", "prepares", "stood by", "leads"]).await;
    world.stop().await.unwrap();
}
