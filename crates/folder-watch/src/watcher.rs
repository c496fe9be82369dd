//! The watching thread: it waits for a hint or the next moment that matters, scans, hashes what has settled, and publishes. It
//! is level-triggered: each pass compares what is there with the index, and no pass depends on having seen a particular
//! event.

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, SyncSender},
    },
    time::{Duration, Instant, SystemTime},
};

use tokio::sync::watch::Sender;
use tracing::{debug, warn};

use crate::{
    events::{Events, Hint},
    hash::{HashOutcome, hash_all},
    index::{Index, OverduePath},
    mounts::Mounts,
    offer::Offer,
    options::Options,
    place::Place,
    publisher::Publisher,
    scan::{ScanError, stat_path},
    shared::Shared,
    snapshot::State,
    stat::Stat,
};

mod overdue;
mod storage;

/// The time between two scans while the folder cannot be read or gives no events.
const ALERT_SCAN_INTERVAL: Duration = Duration::from_secs(1);
/// The least time that the first scan gives files to become quiet.
const MIN_FIRST_SCAN: Duration = Duration::from_secs(5);
/// Paths that come due within this time of each other are published together, as the two names of a renamed file are.
const PUBLISH_WINDOW: Duration = Duration::from_millis(30);

/// Everything that the watching thread owns.
pub(crate) struct Watcher {
    root: PathBuf,
    options: Options,
    publisher: Publisher,
    shared: Arc<Shared>,
    index: Index,
    offer: Offer,
    /// The folder that was scanned last.
    place: Option<Place>,
    /// Mount points below it.
    mounts: Mounts,
    events: Events,
    /// Offered paths that a hint named since the last pass.
    hinted: BTreeSet<String>,
    /// Time of the next scan.
    scan_at: Instant,
    /// The end of the last scan and how long it took: a storm of hints must not fill a core.
    last_scan: Option<(Instant, Duration)>,
    /// Set to scan once more a settle after the next scan: a new folder is not watched from its first moment.
    scan_twice: bool,
    /// Time at which the first scan takes files as they are; `None` before it began.
    first_scan_ends: Option<Instant>,
    /// Paths of which the log says that they never rest.
    said: BTreeSet<String>,
    /// Number of names that were left out at the last scan because they are not UTF-8: a warning only when it grows.
    unnameable: usize,
}

impl Watcher {
    pub(crate) fn new(
        root: PathBuf,
        options: Options,
        state: Sender<State>,
        hints: SyncSender<Hint>,
        shared: Arc<Shared>,
    ) -> Self {
        let offer = Offer::new(&options);
        Self {
            index: Index::new(options.settle, options.max_settle),
            root,
            publisher: Publisher::new(state, &options.formats),
            options,
            offer: offer.clone(),
            place: None,
            mounts: Mounts::default(),
            events: Events::new(hints, Arc::clone(&shared), offer),
            shared,
            hinted: BTreeSet::new(),
            scan_at: Instant::now(),
            last_scan: None,
            scan_twice: false,
            first_scan_ends: None,
            said: BTreeSet::new(),
            unnameable: 0,
        }
    }

    /// Watches until [`Shared::stopping`] is set.
    pub(crate) fn run(mut self, hints: &Receiver<Hint>) {
        while !self.shared.is_stopping() {
            match self.pass() {
                Ok(()) | Err(ScanError::Stopping) => {}
                Err(error) => {
                    self.publisher.fail(&error.to_string());
                    self.scan_at = Instant::now() + self.options.rescan.min(ALERT_SCAN_INTERVAL);
                }
            }
            self.wait(hints);
        }
    }

    fn pass(&mut self) -> Result<(), ScanError> {
        let is_scan_due = Instant::now() >= self.scan_at;
        if self.publisher.is_failing() && !is_scan_due {
            return Ok(());
        }
        if is_scan_due {
            self.scan()?;
        } else {
            self.stat_hinted()?;
        }
        let is_quiet = is_scan_due && !self.index.is_settling();
        self.take_due()?;
        self.take_overdue()?;
        if self.publisher.has_published() || self.is_first_scan_complete(is_quiet)? {
            self.publisher.publish(&mut self.index);
        }
        Ok(())
    }

    /// Waits for a hint, the next path that is due, or the next scan, whichever comes first.
    fn wait(&mut self, hints: &Receiver<Hint>) {
        let due = self.index.next_due().filter(|_| !self.publisher.is_failing()).map(|due| due + PUBLISH_WINDOW);
        let until = due.map_or(self.scan_at, |due| due.min(self.scan_at));
        let wait = until.saturating_duration_since(Instant::now());
        let first = hints.recv_timeout(wait).ok();
        for hint in first.into_iter().chain(hints.try_iter()) {
            self.take_hint(hint);
        }
        if self.shared.hints_lost.swap(false, Ordering::Relaxed) {
            self.scan_soon();
        }
    }

    fn take_hint(&mut self, hint: Hint) {
        match hint {
            Hint::Path(path) => {
                self.hinted.insert(path);
            }
            Hint::Moved(path) => {
                let is_folder = fs::symlink_metadata(self.root.join(&path)).is_ok_and(|metadata| metadata.is_dir());
                if is_folder || self.index.holds_below(&path) {
                    self.scan_soon();
                } else if self.offer.takes(&path) {
                    self.hinted.insert(path);
                }
            }
            Hint::Everything => self.scan_soon(),
            Hint::Blind(reason) => {
                self.events.give_up();
                self.warn_of_missing_events(&reason);
                self.scan_at = Instant::now();
            }
            Hint::Stop => {}
        }
    }

    /// Makes the next scan come soon, and one more a settle later; scans never take more than half of the time.
    fn scan_soon(&mut self) {
        let soon = self.last_scan.map_or_else(Instant::now, |(end, took)| (end + took).max(Instant::now()));
        // While the folder cannot be read, the failing scan itself causes hints: keep the pace.
        if !self.publisher.is_failing() {
            self.scan_at = self.scan_at.min(soon);
        }
        self.scan_twice = true;
    }

    fn scan(&mut self) -> Result<(), ScanError> {
        let began = Instant::now();
        let mut found = self.scan_served_folder()?;
        self.mounts.check(&mut found, &self.index);
        self.warn_of_unnameable(&found.unnameable);
        self.publisher.set_left_out(std::mem::take(&mut found.left_out));
        let now = Instant::now();
        if self.index.observe_all(&found, now) {
            // A folder that could not be read has not been subscribed to.
            self.events.reset();
        }
        if self.first_scan_ends.is_none() {
            self.index.trust_old_times(SystemTime::now(), now);
            self.first_scan_ends = Some(now + MIN_FIRST_SCAN.max(self.options.settle * 10));
        }
        self.shared.scans.fetch_add(1, Ordering::Relaxed);
        self.last_scan = Some((now, now - began));
        self.scan_at = now + self.rescan_after();
        Ok(())
    }

    fn rescan_after(&mut self) -> Duration {
        let pace = if self.events.are_missing() { self.blind_interval() } else { self.options.rescan };
        if std::mem::take(&mut self.scan_twice) { pace.min(self.options.settle.max(PUBLISH_WINDOW)) } else { pace }
    }

    fn blind_interval(&self) -> Duration {
        self.options.rescan.min(ALERT_SCAN_INTERVAL)
    }

    fn stat_hinted(&mut self) -> Result<(), ScanError> {
        for path in std::mem::take(&mut self.hinted) {
            let seen = self.stat_path(&path)?;
            let now = Instant::now();
            self.observe(&path, seen, now);
            self.index.recheck_soon(&path, now);
        }
        Ok(())
    }

    /// Stats an offered path. What turns out to be a note is not there.
    fn stat_path(&self, path: &str) -> Result<Result<Option<Stat>, String>, ScanError> {
        if self.offer.is_note(&self.root, path) { Ok(Ok(None)) } else { stat_path(&self.root, path) }
    }

    fn observe(&mut self, path: &str, seen: Result<Option<Stat>, String>, now: Instant) {
        match seen {
            Ok(seen) => self.index.observe(path, seen, now),
            Err(reason) => self.index.set_unreadable(path, reason, None),
        }
    }

    /// Hashes or removes every path that has settled.
    fn take_due(&mut self) -> Result<(), ScanError> {
        let now = Instant::now();
        let (mut gone, mut settled) = (Vec::new(), Vec::new());
        for (path, expected) in self.index.due(now) {
            match self.stat_path(&path)? {
                Ok(None) if expected.is_none() => gone.push(path),
                Ok(Some(stat)) if expected == Some(stat) => settled.push((path, stat)),
                seen => self.observe(&path, seen, now),
            }
        }
        if self.are_removed(&gone)? {
            for path in gone {
                self.index.remove(&path);
                self.said.remove(&path);
            }
        } else {
            // The scan finds out what happened.
            self.scan_at = now;
        }
        self.hash(&settled, false)
    }

    /// Accepts the content of each path; one that changes meanwhile only if `as_it_is`.
    fn hash(&mut self, files: &[(String, Stat)], as_it_is: bool) -> Result<(), ScanError> {
        let (done, result) = hash_all(&self.root, files, &self.shared);
        for (path, outcome) in done {
            let now = Instant::now();
            match outcome {
                HashOutcome::Read { hashed, steady: true } => self.index.accept(&path, hashed, now),
                HashOutcome::Failed { error, stat } => {
                    let retry = now + self.options.rescan;
                    self.index.set_unreadable(&path, error.to_string(), Some((stat, retry)));
                }
                changing => {
                    if let HashOutcome::Read { hashed, .. } = changing
                        && as_it_is
                    {
                        self.index.accept(&path, hashed, now);
                    }
                    let seen = self.stat_path(&path)?;
                    self.observe(&path, seen, now);
                }
            }
        }
        result
    }

    /// The first scan is complete once a scan found everything settled, or when its time is up. Then files are taken up to
    /// their last complete record, or else as they are, since leaving them out would make others drop their rows.
    fn is_first_scan_complete(&mut self, is_quiet: bool) -> Result<bool, ScanError> {
        let now = Instant::now();
        if !self.index.is_settling() {
            self.scan_at = if is_quiet { self.scan_at } else { now };
            return Ok(is_quiet);
        }
        let end = self.first_scan_ends.unwrap_or(now);
        self.scan_at = self.scan_at.min(end);
        if now < end {
            return Ok(false);
        }
        self.index.settle_all(now);
        let present = self.index.due(now).into_iter().filter_map(|(path, seen)| Some((path, seen?)));
        let present: Vec<(String, Stat)> = present.collect();
        warn!(files = present.len(), "{} files were still changing at the end of the first scan", present.len());
        let mut whole = Vec::new();
        for (path, stat) in present {
            if !self.cut(&OverduePath { path: path.clone(), known: None, finally: true })? {
                whole.push((path, stat));
            }
        }
        self.hash(&whole, true)?;
        self.scan_at = now + self.rescan_after();
        Ok(true)
    }

    fn warn_of_missing_events(&self, reason: &str) {
        let interval = self.blind_interval().as_millis();
        warn!(reason, "no file events from the folder, so it is scanned every {interval} ms: {reason}");
    }

    fn warn_of_unnameable(&mut self, names: &[PathBuf]) {
        if names.len() > self.unnameable {
            let first = names.first().map(|name| name.display().to_string()).unwrap_or_default();
            warn!(files = names.len(), first, "{} files are left out: their names are not UTF-8", names.len());
        }
        self.unnameable = names.len();
        debug!(files.unnameable = names.len(), "scanned the whole folder");
    }
}
