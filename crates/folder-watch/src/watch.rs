//! The thread that watches: it waits for a hint or the next moment that matters, looks, hashes what has settled, and
//! publishes. It is level-triggered: each pass compares what is there with the ledger, and no pass depends on having
//! seen a particular event.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, SyncSender},
    },
    time::{Duration, Instant, SystemTime},
};

use notify::RecommendedWatcher;
use tokio::sync::watch::Sender;
use tracing::{debug, info, warn};
use tributary_formats::is_offered;

use crate::{
    Options, Shared,
    hash::{Hashing, hash_all},
    hints::{self, Signal},
    ledger::Ledger,
    look::{Trouble, look_at, look_at_all},
    snapshot::{Snapshot, Stat, State},
};

/// How often the folder is looked at while it is unreadable or events cannot be had.
const ATTENTIVE: Duration = Duration::from_secs(1);
/// The shortest time that the first scan gives files to become quiet.
const FIRST_PATIENCE: Duration = Duration::from_secs(5);
/// Paths that come due within this time of each other are published together, as the two names of a renamed file are.
const TOGETHER: Duration = Duration::from_millis(30);

/// Device and inode: which folder stands at the path.
type Identity = (u64, u64);

/// All that the watching thread owns.
pub(crate) struct Watch {
    root: PathBuf,
    options: Options,
    /// The only writer of the state.
    publisher: Sender<State>,
    /// For the event handler, which is made anew when another folder takes the root's place.
    signals: SyncSender<Signal>,
    shared: Arc<Shared>,
    ledger: Ledger,
    /// The watched folder and its event handler; `None` in it if events cannot be had.
    listener: Option<(Identity, Option<RecommendedWatcher>)>,
    /// Offered paths that a hint named since the last pass.
    hinted: BTreeSet<String>,
    /// When to look at the whole folder next.
    look_at: Instant,
    /// The end of the last look at the whole folder and how long it took: a storm of hints must not fill a core.
    last_look: Option<(Instant, Duration)>,
    /// Whether to look once more a settle after the next look: a new folder is not watched from its first moment.
    look_twice: bool,
    /// When the first scan takes files as they stand; `None` before the first look.
    patience_ends: Option<Instant>,
    /// What was published last; `None` during the first scan.
    published: Option<Arc<Snapshot>>,
    /// Whether the state is `Unreadable`.
    failing: bool,
    /// How many names were left out at the last look because they are not UTF-8: a warning only when that grows.
    unnameable: usize,
}

impl Watch {
    pub(crate) fn new(
        root: PathBuf,
        options: Options,
        publisher: Sender<State>,
        signals: SyncSender<Signal>,
        shared: Arc<Shared>,
    ) -> Self {
        let ledger = Ledger::new(options.settle);
        Self {
            root,
            options,
            publisher,
            signals,
            shared,
            ledger,
            listener: None,
            hinted: BTreeSet::new(),
            look_at: Instant::now(),
            last_look: None,
            look_twice: false,
            patience_ends: None,
            published: None,
            failing: false,
            unnameable: 0,
        }
    }

    /// Watches until it is told to stop.
    pub(crate) fn run(mut self, signals: &Receiver<Signal>) {
        while !self.shared.stopping.load(Ordering::Relaxed) {
            match self.pass() {
                Ok(()) | Err(Trouble::Stopping) => {}
                Err(trouble) => self.fail(&trouble),
            }
            self.wait(signals);
        }
    }

    fn pass(&mut self) -> Result<(), Trouble> {
        let everything = Instant::now() >= self.look_at;
        if self.failing && !everything {
            return Ok(());
        }
        if everything {
            self.look_at_everything()?;
        } else {
            self.look_at_hinted()?;
        }
        let quiet = everything && !self.ledger.is_settling();
        self.take_due()?;
        if self.published.is_some() || self.first_scan_is_over(quiet)? {
            self.publish();
        }
        Ok(())
    }

    /// Waits for a hint, the next path that is due, or the next look at everything, whichever is first.
    fn wait(&mut self, signals: &Receiver<Signal>) {
        let due = self.ledger.next_due().filter(|_| !self.failing).map(|due| due + TOGETHER);
        let until = due.map_or(self.look_at, |due| due.min(self.look_at));
        let wait = until.saturating_duration_since(Instant::now());
        let first = signals.recv_timeout(wait).ok();
        for signal in first.into_iter().chain(signals.try_iter()) {
            self.take_hint(signal);
        }
        if self.shared.hints_lost.swap(false, Ordering::Relaxed) {
            self.look_soon();
        }
    }

    fn take_hint(&mut self, signal: Signal) {
        match signal {
            Signal::Path(path) => {
                self.hinted.insert(path);
            }
            Signal::Moved(path) => {
                let is_folder = fs::symlink_metadata(self.root.join(&path)).is_ok_and(|metadata| metadata.is_dir());
                if is_folder || self.ledger.holds_below(&path) {
                    self.look_soon();
                } else if is_offered(&path) {
                    self.hinted.insert(path);
                }
            }
            Signal::Everything => self.look_soon(),
            Signal::Blind(reason) => self.go_blind(&reason),
            Signal::Stop => {}
        }
    }

    /// Looks at everything next, and again when the dust has settled; never more than half of the time.
    fn look_soon(&mut self) {
        let soon = self.last_look.map_or_else(Instant::now, |(end, took)| (end + took).max(Instant::now()));
        // While unreadable, hints come from the failing look itself: keep the pace.
        if !self.failing {
            self.look_at = self.look_at.min(soon);
        }
        self.look_twice = true;
    }

    fn look_at_everything(&mut self) -> Result<(), Trouble> {
        let began = Instant::now();
        self.listen()?;
        self.hinted.clear();
        let found = look_at_all(&self.root, &self.shared)?;
        self.warn_of_unnameable(&found.unnameable);
        let now = Instant::now();
        if self.ledger.observe_all(&found, now) {
            // Events of a folder that could not be read were not to be had.
            self.listener = None;
        }
        if self.patience_ends.is_none() {
            self.ledger.trust_old_times(SystemTime::now(), now);
            self.patience_ends = Some(now + FIRST_PATIENCE.max(self.options.settle * 10));
        }
        self.shared.scans.fetch_add(1, Ordering::Relaxed);
        self.last_look = Some((now, now - began));
        self.look_at = now + self.rescan_after();
        Ok(())
    }

    fn rescan_after(&mut self) -> Duration {
        let blind = matches!(self.listener, Some((_, None)));
        let pace = if blind { self.options.rescan.min(ATTENTIVE) } else { self.options.rescan };
        if std::mem::take(&mut self.look_twice) { pace.min(self.options.settle.max(TOGETHER)) } else { pace }
    }

    fn look_at_hinted(&mut self) -> Result<(), Trouble> {
        for path in std::mem::take(&mut self.hinted) {
            let looked = look_at(&self.root, &path)?;
            let now = Instant::now();
            self.note(&path, looked, now);
            self.ledger.doubt(&path, now);
        }
        Ok(())
    }

    fn note(&mut self, path: &str, looked: Result<Option<Stat>, String>, now: Instant) {
        match looked {
            Ok(seen) => self.ledger.observe(path, seen, now),
            Err(reason) => self.ledger.set_unreadable(path, reason, None),
        }
    }

    /// Hashes or drops every path that has settled.
    fn take_due(&mut self) -> Result<(), Trouble> {
        let now = Instant::now();
        let (mut gone, mut settled) = (Vec::new(), Vec::new());
        for (path, expected) in self.ledger.due(now) {
            match look_at(&self.root, &path)? {
                Ok(None) if expected.is_none() => gone.push(path),
                Ok(Some(stat)) if expected == Some(stat) => settled.push((path, stat)),
                looked => self.note(&path, looked, now),
            }
        }
        if !gone.is_empty() {
            // When the folder itself was removed, its files are not what is gone.
            identity(&self.root)?;
        }
        for path in gone {
            self.ledger.remove(&path);
        }
        self.hash(&settled, false)
    }

    /// Takes the content of each path; one that changes meanwhile only if `as_it_stands`.
    fn hash(&mut self, files: &[(String, Stat)], as_it_stands: bool) -> Result<(), Trouble> {
        let (done, result) = hash_all(&self.root, files, &self.shared);
        for (path, hashing) in done {
            let now = Instant::now();
            match hashing {
                Hashing::Read { hashed, steady: true } => self.ledger.accept(&path, hashed, now),
                Hashing::Failed { error, looked } => {
                    let retry = now + self.options.rescan;
                    self.ledger.set_unreadable(&path, error.to_string(), Some((looked, retry)));
                }
                changing => {
                    if let Hashing::Read { hashed, .. } = changing
                        && as_it_stands
                    {
                        self.ledger.accept(&path, hashed, now);
                    }
                    let looked = look_at(&self.root, &path)?;
                    self.note(&path, looked, now);
                }
            }
        }
        result
    }

    /// The first scan is over once a look found nothing that was not settled, or when patience ends: then files are taken
    /// as they stand, since leaving them out would make others drop their rows.
    fn first_scan_is_over(&mut self, quiet: bool) -> Result<bool, Trouble> {
        let now = Instant::now();
        if !self.ledger.is_settling() {
            self.look_at = if quiet { self.look_at } else { now };
            return Ok(quiet);
        }
        let end = self.patience_ends.unwrap_or(now);
        self.look_at = self.look_at.min(end);
        if now < end {
            return Ok(false);
        }
        self.ledger.settle_all(now);
        let here = self.ledger.due(now).into_iter().filter_map(|(path, seen)| Some((path, seen?)));
        let here: Vec<(String, Stat)> = here.collect();
        warn!(files = here.len(), "{} files were still changing at the end of the first scan", here.len());
        self.hash(&here, true)?;
        self.look_at = now + self.rescan_after();
        Ok(true)
    }

    fn publish(&mut self) {
        let changed = self.ledger.take_change();
        let recovered = std::mem::take(&mut self.failing);
        if let Some(last) = self.published.as_ref().filter(|_| !changed) {
            if recovered {
                info!("the folder can be read again");
                self.publisher.send_replace(State::Ready(Arc::clone(last)));
            }
            return;
        }
        let mut snapshot = Snapshot::new(self.ledger.entries(), self.ledger.unreadable(), SystemTime::now());
        match &self.published {
            Some(last) if last.version == snapshot.version => snapshot.changed_at = last.changed_at,
            _ => {
                let (version, files) = (&snapshot.version, snapshot.entries.len());
                info!(%version, files, "the folder is at version {version} with {files} files");
            }
        }
        self.warn_of_unreadable(&snapshot.unreadable);
        let snapshot = Arc::new(snapshot);
        self.published = Some(Arc::clone(&snapshot));
        self.publisher.send_replace(State::Ready(snapshot));
    }

    fn fail(&mut self, trouble: &Trouble) {
        let reason = trouble.to_string();
        if !self.failing {
            warn!(%reason, "the folder cannot be read: {reason}");
        }
        self.failing = true;
        self.look_at = Instant::now() + self.options.rescan.min(ATTENTIVE);
        let is_known = matches!(&*self.publisher.borrow(), State::Unreadable(known) if **known == *reason);
        if !is_known {
            self.publisher.send_replace(State::Unreadable(reason.into()));
        }
    }

    /// Listens to the folder that stands at the root now, if it is not listened to already.
    fn listen(&mut self) -> Result<(), Trouble> {
        let identity = identity(&self.root)?;
        if self.listener.as_ref().is_some_and(|(watched, _)| *watched == identity) {
            return Ok(());
        }
        let listening = hints::listen(&self.root, self.signals.clone(), Arc::clone(&self.shared));
        let failure = listening.as_ref().err().map(ToString::to_string);
        self.listener = Some((identity, listening.ok()));
        if let Some(reason) = failure {
            self.go_blind(&reason);
        }
        Ok(())
    }

    fn go_blind(&mut self, reason: &str) {
        let pace = humane(self.options.rescan.min(ATTENTIVE));
        warn!(reason, "no events from the folder, it is looked at every {pace} instead: {reason}");
        if let Some((_, listening)) = &mut self.listener {
            *listening = None;
        }
        self.look_at = Instant::now();
    }

    /// Logs which paths cannot be read since the last manifest, or can be again.
    fn warn_of_unreadable(&self, unreadable: &BTreeMap<String, String>) {
        let before = self.published.as_deref();
        // A file whose folder could not be read before is not news.
        let is_new = |path: &str| before.and_then(|before| before.unreadable_reason(path)).is_none();
        let mut new = unreadable.iter().filter(|(path, _)| is_new(path));
        if let Some((path, error)) = new.next() {
            let others = new.count();
            let more = match others {
                0 => String::new(),
                1 => " and 1 other path".to_owned(),
                _ => format!(" and {others} other paths"),
            };
            warn!(file.path = path, error, files = others + 1, "`{path}`{more} cannot be read: {error}");
        }
        let mut recovered = before
            .into_iter()
            .flat_map(|before| before.unreadable.keys())
            .filter(|path| !unreadable.contains_key(*path));
        if let Some(path) = recovered.next() {
            info!(file.path = path, files = recovered.count() + 1, "`{path}` is no longer unreadable");
        }
    }

    fn warn_of_unnameable(&mut self, names: &[PathBuf]) {
        if names.len() > self.unnameable {
            let first = names.first().map(|name| name.display().to_string()).unwrap_or_default();
            warn!(files = names.len(), first, "{} files are left out: their names are not UTF-8", names.len());
        }
        self.unnameable = names.len();
        debug!(files.unnameable = names.len(), "looked at the whole folder");
    }
}

fn identity(root: &Path) -> Result<Identity, Trouble> {
    let path = root.display().to_string();
    let metadata = fs::metadata(root).map_err(|error| Trouble::reading(path.clone(), error))?;
    if metadata.is_dir() { Ok((metadata.dev(), metadata.ino())) } else { Err(Trouble::NotAFolder(path)) }
}

fn humane(duration: Duration) -> String {
    format!("{} ms", duration.as_millis())
}
