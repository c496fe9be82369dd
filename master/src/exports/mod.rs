//! An exit: results of reports, and lists, are written to S3 or a folder after changes. A place that is away stops nothing else.
//!
//! It belongs here if it decides what is written there, when, and in which form. The text of lists comes from `http`, which gives the
//! same one; requests for objects are in the crate `object-storage`.

mod board;
mod deliver;
mod parquet;
mod target;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};
use futures_util::{FutureExt, StreamExt};
use tokio::{sync::watch, time::Instant};
use tributary_config::{Config, ResultsConfig};
use tributary_engine::{Engine, Event, Followed, NotComputed, Resume, StoredEvent};
use tributary_http_client::Backoff;
use tributary_object_storage::{Access, Location, ObjectStorage};

use board::{Board, DELAYS, Job, Lane, Next, Now};
use target::Target;

const USER_AGENT: &str = concat!("tributary-master/", env!("CARGO_PKG_VERSION"));

/// Events between two notes of how far everything is current: fewer than the database keeps.
const NOTE_INTERVAL: i64 = 1_000;
/// Time between two looks whether every source was tried.
const READY_CHECK_INTERVAL: Duration = Duration::from_millis(100);
/// Events that are looked at before others learn of them.
const MAX_AT_ONCE: usize = 500;

/// Prepares the place of results; `None` if there is none.
///
/// # Errors
/// The URL or a variable cannot be used, or the folder does not exist.
pub(crate) fn open(config: &ResultsConfig) -> Result<Option<Arc<ObjectStorage>>> {
    let Some(url) = &config.url else { return Ok(None) };
    let location: Location = url.parse().map_err(anyhow::Error::msg).context("`url` in [results] cannot be used")?;
    let storage = ObjectStorage::open(location, &Access::from_environment(), USER_AGENT);
    Ok(Some(Arc::new(storage.context("`url` in [results] cannot be used")?)))
}

/// Writes what has changed until the engine stops; does nothing without a place.
///
/// # Errors
/// None; a place that fails is tried again.
pub(crate) async fn serve(engine: Engine, storage: Option<Arc<ObjectStorage>>, config: &Config) -> Result<()> {
    let Some(storage) = storage else { return Ok(()) };
    let location = storage.location().to_string();
    tracing::info!(url = %location, "results are written to {location}");
    let board = Mutex::new(Board::new(location, config.results.export));
    let desk =
        Desk { engine, storage, board, changed: watch::Sender::new(()), has_lists: config.results.export.is_some() };
    let work = async { tokio::join!(desk.follow(), desk.write(Lane::Reports), desk.write(Lane::Lists)) };
    // What is half written is nobody's: the old object is still there.
    let _ = desk.engine.shutdown().run_until_cancelled(work).await;
    Ok(())
}

/// The place, and what is to be written there.
struct Desk {
    engine: Engine,
    storage: Arc<ObjectStorage>,
    /// Held for one look or change.
    board: Mutex<Board>,
    changed: watch::Sender<()>,
    has_lists: bool,
}

impl Desk {
    /// Follows events for ever.
    async fn follow(&self) {
        let mut delays = Backoff::new(DELAYS.0, DELAYS.1);
        let mut resume = None;
        loop {
            let error = match self.session(&mut resume).await {
                Ok(()) => return,
                Err(error) => error,
            };
            tracing::warn!(
                "failed to follow what is to be written to {}, trying again: {error:#}",
                self.storage.location()
            );
            tokio::time::sleep(delays.next_delay()).await;
        }
    }

    /// Follows events until the engine stops. `resume` is the event that it has come to.
    async fn session(&self, resume: &mut Option<i64>) -> Result<()> {
        if resume.is_none() {
            let stored = self.engine.stored_exports().await?;
            self.board().adopt(self.targets(), stored);
        }
        let after = resume.or_else(|| self.board().known_to());
        let mut events = Box::pin(self.engine.follow(after.map_or(Resume::Now, Resume::After)).await?);
        let mut noted = after.unwrap_or_default();
        while let Some(first) = events.next().await {
            // Edits come by the thousand.
            let mut last = self.see(first?);
            for _ in 0..MAX_AT_ONCE {
                let Some(Some(next)) = events.next().now_or_never() else { break };
                last = self.see(next?);
            }
            *resume = Some(last);
            self.show();
            if last - noted >= NOTE_INTERVAL {
                let (names, event) = self.board().current(None);
                self.engine.note_exports_current(names, event).await?;
                noted = last;
            }
        }
        Ok(())
    }

    /// Takes note of an item of the events, and returns its number.
    fn see(&self, followed: Followed) -> i64 {
        match followed {
            Followed::Start { id, missed } => {
                self.board().start(id, missed);
                id
            }
            Followed::Event(StoredEvent { id, event, .. }) => {
                let targets = matches!(event, Event::Configuration { .. }).then(|| self.targets());
                let mut board = self.board();
                if let Some(targets) = targets {
                    board.adopt(targets, Vec::new());
                }
                board.see(id, &event);
                id
            }
        }
    }

    /// Everything that is written, as configured.
    fn targets(&self) -> Vec<Target> {
        let lists = [Target::products(&self.engine.catalog()), Target::Aggr];
        let reports = self.engine.reports();
        let reports = reports.iter().map(|report| Target::Report(Box::new(report.clone())));
        lists.into_iter().filter(|_| self.has_lists).chain(reports).collect()
    }

    /// Writes one thing of a lane after the other, for ever.
    async fn write(&self, lane: Lane) {
        let mut changed = self.changed.subscribe();
        while lane == Lane::Lists && !self.engine.is_ready() {
            // The list of a new database is empty until then, and would replace that of an older one.
            tokio::time::sleep(READY_CHECK_INTERVAL).await;
        }
        loop {
            changed.borrow_and_update();
            let now = Now { instant: Instant::now(), wall: SystemTime::now() };
            let next = self.board().next(lane, now);
            match next {
                Next::Write(job) => self.run(*job).await,
                Next::Wait(until) => {
                    let at = until.unwrap_or(now.instant + DELAYS.1);
                    tokio::select! {
                        // It fails only without a sender.
                        _ = changed.changed() => {}
                        () = tokio::time::sleep_until(at) => {}
                    }
                }
            }
        }
    }

    /// Writes one thing, and notes how that ended.
    async fn run(&self, job: Job) {
        let Job { target, row, began } = job;
        let (name, place) = (row.name.clone(), self.storage.location());
        let written = async {
            let bytes = deliver::deliver(&self.engine, &self.storage, &target).await?;
            let others = self.board().current(Some(&name)).0;
            self.engine.note_export(tributary_engine::ExportRow { bytes, ..row }, others).await
        };
        match written.await {
            Ok(row) => {
                let bytes = row.bytes;
                if self.board().written(row, began, Instant::now()) {
                    tracing::info!("{name} can be written to {place} again");
                }
                tracing::debug!(%name, bytes, "wrote {name} to {place}");
            }
            Err(error) if error.is::<NotComputed>() => self.board().not_computed(&name),
            Err(error) => {
                let (why, at) = (format!("{error:#}"), humantime::format_rfc3339_millis(SystemTime::now()).to_string());
                if self.board().failed(&name, why.clone(), at, jitter(), Instant::now()) {
                    tracing::warn!(%name, "failed to write {name}, trying again: {why}");
                }
            }
        }
        self.show();
    }

    /// Shows the state, and wakes who waits for a change.
    fn show(&self) {
        let status = self.board().status(|key| self.storage.location().url_of(key));
        self.engine.show_exports(status);
        self.changed.send_replace(());
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number between 0 and 1, so that many masters do not ask at the same moment.
fn jitter() -> f64 {
    f64::from(uuid::Uuid::new_v4().as_bytes()[0]) / 255.0
}
