//! The books of the watching thread: what each path holds, what it seems to be changing to, and when that counts. No I/O
//! and no clock of its own: every moment is handed in, so each rule can be tested alone.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime},
};

use crate::{
    look::Found,
    snapshot::{Entry, Stat},
};

/// The coarsest clock of a file system that is reckoned with (FAT counts in steps of 2 s).
const TICK: Duration = Duration::from_secs(2);
/// A file whose time lies far ahead, on a server with another clock, is hashed again this often.
const LONGEST_DOUBT: Duration = Duration::from_secs(30);

/// What is known of every offered path.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// How long a path must stay as it is before a change counts.
    settle: Duration,
    /// What the manifest says: the last settled content.
    held: BTreeMap<String, Held>,
    /// Paths that looked different from `held` at the last look.
    pending: BTreeMap<String, Pending>,
    /// Files that cannot be read. What `held` says of them is kept, but not listed.
    unreadable: BTreeMap<String, Unreadable>,
    /// Folders that could not be read at the last look at everything, each with a `/` at its end, and the reason.
    closed: BTreeMap<String, String>,
    /// Held paths that may have been written to since without a trace in their stat, and when to hash them again.
    in_doubt: BTreeMap<String, Instant>,
    /// Whether the list of entries or that of unreadable paths has changed since the last `take_change`.
    changed: bool,
}

#[derive(Debug)]
struct Held {
    stat: Stat,
    hash: String,
}

#[derive(Debug)]
struct Pending {
    /// `None`: the file is gone.
    seen: Option<Stat>,
    due: Instant,
}

/// Why a file's content is unknown.
#[derive(Debug)]
struct Unreadable {
    reason: String,
    /// The file's stat when it could not be read, and when to try again. `None` if not even the stat could be had: then
    /// the next look at everything tries again.
    retry: Option<(Stat, Instant)>,
}

/// What a hash was made of.
#[derive(Debug)]
pub(crate) struct Hashed {
    /// `blake3:HEX`.
    pub(crate) hash: String,
    /// Of the file before its first byte was read.
    pub(crate) stat: Stat,
    /// By the wall clock, to be compared with the file's times.
    pub(crate) began: SystemTime,
}

impl Ledger {
    pub(crate) fn new(settle: Duration) -> Self {
        Self {
            settle,
            held: BTreeMap::new(),
            pending: BTreeMap::new(),
            unreadable: BTreeMap::new(),
            closed: BTreeMap::new(),
            in_doubt: BTreeMap::new(),
            changed: false,
        }
    }

    /// Notes what a look at one path found at `now`; `None`: no such file. Each difference from the look before starts the
    /// wait anew, and a path that is again what the manifest says was never changed.
    pub(crate) fn observe(&mut self, path: &str, seen: Option<Stat>, now: Instant) {
        let is_known = match self.unreadable.get(path) {
            Some(unreadable) => unreadable.retry.is_some_and(|(stat, _)| seen == Some(stat)),
            None => self.held.get(path).map(|held| held.stat) == seen,
        };
        if is_known {
            self.pending.remove(path);
        } else if self.pending.get(path).is_none_or(|pending| pending.seen != seen) {
            self.pending.insert(path.to_owned(), Pending { seen, due: now + self.settle });
        }
    }

    /// Someone gave a reason to look at this path: if its stat cannot tell that nothing happened, it is hashed again soon.
    pub(crate) fn doubt(&mut self, path: &str, now: Instant) {
        if let Some(due) = self.in_doubt.get_mut(path) {
            *due = (*due).min(now + self.settle);
        }
    }

    /// Notes what a look at the whole folder found: what it does not name is not there, unless a folder above it cannot be
    /// read. Returns whether a folder can be read that could not be read before.
    pub(crate) fn observe_all(&mut self, found: &Found, now: Instant) -> bool {
        self.changed |= self.closed != found.closed;
        let closed = std::mem::replace(&mut self.closed, found.closed.clone());
        let is_opened = closed.keys().any(|folder| !found.closed.contains_key(folder));
        self.keep_opened(&closed, found);
        let known = self.held.keys().chain(self.pending.keys()).chain(self.unreadable.keys());
        let is_missing = |path: &&String| {
            !found.files.contains_key(*path) && !found.unreadable.contains_key(*path) && !self.is_below_closed(path)
        };
        let missing: Vec<String> = known.filter(is_missing).cloned().collect();
        for path in missing {
            self.observe(&path, None, now);
        }
        for (path, stat) in &found.files {
            self.observe(path, Some(*stat), now);
        }
        for (path, reason) in &found.unreadable {
            self.set_unreadable(path, reason.clone(), None);
        }
        // What happens there is unknown; the first look that can see it again notes it.
        let mut pending = std::mem::take(&mut self.pending);
        pending.retain(|path, _| !self.is_below_closed(path));
        self.pending = pending;
        is_opened
    }

    /// The path's content cannot be had. What is held of it is kept in case that it can be had again, and it counts as
    /// settled. `retry`: its stat, and when to try again though nothing seems to have changed.
    pub(crate) fn set_unreadable(&mut self, path: &str, reason: String, retry: Option<(Stat, Instant)>) {
        self.pending.remove(path);
        self.in_doubt.remove(path);
        let known = self.unreadable.insert(path.to_owned(), Unreadable { reason: reason.clone(), retry });
        self.changed |= known.is_none_or(|known| known.reason != reason);
    }

    /// Keeps each file unreadable that was covered by a folder that can be read again, until it has been hashed: in between it
    /// would seem to be gone.
    fn keep_opened(&mut self, closed: &BTreeMap<String, String>, found: &Found) {
        for (path, stat) in &found.files {
            let is_known = self.held.get(path).is_some_and(|held| held.stat == *stat);
            if let Some(reason) = folder_above(closed, path).filter(|_| !is_known) {
                let kept = Unreadable { reason: reason.clone(), retry: None };
                self.unreadable.entry(path.clone()).or_insert(kept);
            }
        }
    }

    fn is_below_closed(&self, path: &str) -> bool {
        folder_above(&self.closed, path).is_some()
    }

    /// Makes everything due at `now` that was last written to more than a settle before `clock`: at the first look nobody
    /// can have seen how long a file has been quiet, but its times tell.
    pub(crate) fn trust_old_times(&mut self, clock: SystemTime, now: Instant) {
        for pending in self.pending.values_mut() {
            if pending.seen.is_some_and(|stat| stat.in_doubt_for(clock, self.settle).is_none()) {
                pending.due = now;
            }
        }
    }

    /// Whether some path is not settled.
    pub(crate) fn is_settling(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Makes everything due at `now`.
    pub(crate) fn settle_all(&mut self, now: Instant) {
        for pending in self.pending.values_mut() {
            pending.due = now;
        }
    }

    /// When the next path is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let in_doubt = self.in_doubt.iter().filter(|(path, _)| !self.pending.contains_key(*path)).map(|(_, due)| *due);
        self.dues().map(|(_, _, due)| due).chain(in_doubt).chain(self.retries().map(|(_, _, due)| due)).min()
    }

    /// The paths that are due at `now`, sorted, with what each was when it was last looked at.
    pub(crate) fn due(&self, now: Instant) -> BTreeMap<String, Option<Stat>> {
        let settled = self.dues().filter(|(_, _, due)| *due <= now).map(|(path, seen, _)| (path.clone(), seen));
        let in_doubt = self.in_doubt.iter().filter(|(path, due)| **due <= now && !self.pending.contains_key(*path));
        let in_doubt = in_doubt.filter_map(|(path, _)| Some((path.clone(), Some(self.held.get(path)?.stat))));
        let retried = self.retries().filter(|(_, _, due)| *due <= now);
        let retried = retried.map(|(path, stat, _)| (path.clone(), Some(stat)));
        settled.chain(in_doubt).chain(retried).collect()
    }

    /// Every unreadable file that seems unchanged, its stat, and when to try it again.
    fn retries(&self) -> impl Iterator<Item = (&String, Stat, Instant)> {
        let unchanged = self.unreadable.iter().filter(|(path, _)| !self.pending.contains_key(*path));
        unchanged.filter_map(|(path, unreadable)| unreadable.retry.map(|(stat, due)| (path, stat, due)))
    }

    /// Every pending path with the moment when it counts. A removal waits, at most a settle longer, for new files that were
    /// seen while it settled: when a folder is renamed its files are gone at one look and there again at the next, and
    /// no version should be without them.
    fn dues(&self) -> impl Iterator<Item = (&String, Option<Stat>, Instant)> {
        let new =
            self.pending.iter().filter(|(path, pending)| pending.seen.is_some() && !self.held.contains_key(*path));
        let mut new: Vec<Instant> = new.map(|(_, pending)| pending.due).collect();
        new.sort_unstable();
        self.pending.iter().map(move |(path, pending)| {
            let together = new.partition_point(|due| *due <= pending.due + self.settle);
            let due = match new[..together].last() {
                Some(last) if pending.seen.is_none() => pending.due.max(*last),
                _ => pending.due,
            };
            (path, pending.seen, due)
        })
    }

    /// The path holds this content now.
    ///
    /// As git's racy rule has it, a file whose times are not yet a tick older than the moment its hashing began may be
    /// written to without a change of its stat, so it is hashed again as soon as that is over.
    pub(crate) fn accept(&mut self, path: &str, hashed: Hashed, now: Instant) {
        match hashed.stat.in_doubt_for(hashed.began, TICK) {
            None => self.in_doubt.remove(path),
            Some(left) => {
                let due = now + left.min(LONGEST_DOUBT) + Duration::from_millis(1);
                self.in_doubt.insert(path.to_owned(), due)
            }
        };
        self.pending.remove(path);
        let held = self.held.get(path);
        self.changed |= self.unreadable.remove(path).is_some();
        self.changed |= held.is_none_or(|held| held.stat != hashed.stat || held.hash != hashed.hash);
        self.held.insert(path.to_owned(), Held { stat: hashed.stat, hash: hashed.hash });
    }

    /// The path holds nothing now.
    pub(crate) fn remove(&mut self, path: &str) {
        self.pending.remove(path);
        self.in_doubt.remove(path);
        self.changed |= self.unreadable.remove(path).is_some();
        self.changed |= self.held.remove(path).is_some();
    }

    /// Whether something is held below this path, which then was a folder.
    pub(crate) fn holds_below(&self, path: &str) -> bool {
        let below = format!("{path}/");
        self.held.range(below.clone()..).next().is_some_and(|(path, _)| path.starts_with(&below))
    }

    /// Whether [`Self::entries`] or [`Self::unreadable`] has changed since this was last asked.
    pub(crate) fn take_change(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Every settled file that can be read, sorted by path.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let entry =
            |(path, held): (&String, &Held)| Entry { path: path.clone(), hash: held.hash.clone(), stat: held.stat };
        let is_readable =
            |(path, _): &(&String, &Held)| !self.unreadable.contains_key(*path) && !self.is_below_closed(path);
        self.held.iter().filter(is_readable).map(entry).collect()
    }

    /// Every file that cannot be read and every folder, with a `/` at its end, and the reason. Files below such a folder
    /// are not named.
    pub(crate) fn unreadable(&self) -> BTreeMap<String, String> {
        let files = self.unreadable.iter().filter(|(path, _)| !self.is_below_closed(path));
        let files = files.map(|(path, unreadable)| (path.clone(), unreadable.reason.clone()));
        files.chain(self.closed.clone()).collect()
    }
}

/// What is noted for a folder, named with a `/` at its end, above this path.
fn folder_above<'a>(folders: &'a BTreeMap<String, String>, path: &str) -> Option<&'a String> {
    if folders.is_empty() {
        return None;
    }
    path.match_indices('/').find_map(|(at, _)| folders.get(&path[..=at]))
}

#[cfg(test)]
mod tests;
