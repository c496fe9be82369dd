//! Keeps the settled content of each path, what it seems to be changing to, and when that counts. It does no I/O and has no
//! clock: every moment is passed in, so each rule can be tested alone.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime},
};

use crate::{entries::Entries, scan::Scan, snapshot::Entry, stat::Stat};

/// The coarsest file system clock that is allowed for (FAT counts in steps of 2 s).
const MAX_CLOCK_STEP: Duration = Duration::from_secs(2);
/// A file that lost more than half of its bytes must be quiet for this many settles: programs write a header, and then think.
const SHRUNK_SETTLES: u32 = 10;
/// A file whose time is far in the future, as on a file server with another clock, is hashed again this often.
const MAX_REHASH_DELAY: Duration = Duration::from_secs(30);

/// Everything known about the offered paths.
#[derive(Debug)]
pub(crate) struct Index {
    /// Time that a path must be quiet before a change counts.
    settle: Duration,
    /// Time after which a path that is never quiet is overdue.
    max_settle: Duration,
    /// The last settled content of each path. A partial one stays pending until the file is quiet.
    settled: Entries,
    /// Paths that differed from `settled` when they were last seen.
    pending: BTreeMap<String, Pending>,
    /// Files that cannot be read. Their `settled` content is kept, but not listed.
    unreadable: BTreeMap<String, Unreadable>,
    /// Folders that could not be listed at the last scan, and the reason. Each path ends in `/`.
    closed: BTreeMap<String, String>,
    /// Settled paths that may have been written to since without a trace in their stat, and when to hash them again.
    racy: BTreeMap<String, Instant>,
    /// Set when the entries or the unreadable paths change; cleared by `take_change`.
    is_changed: bool,
}

/// A content by its length and hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownContent {
    pub(crate) size: u64,
    /// `blake3:HEX`.
    pub(crate) hash: String,
}

#[derive(Debug)]
struct Pending {
    /// `None`: the file is gone.
    seen: Option<Stat>,
    due: Instant,
    overdue: Overdue,
}

/// When a path that is never quiet is to be offered up to its last complete record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Overdue {
    pub(crate) at: Instant,
    /// Whether it need not extend the known content then.
    pub(crate) finally: bool,
    /// Whether it was overdue before, and yet is not offered as it is.
    pub(crate) waits: bool,
}

/// A path that is overdue.
#[derive(Debug)]
pub(crate) struct OverduePath {
    pub(crate) path: String,
    /// The content that is offered now.
    pub(crate) known: Option<KnownContent>,
    /// As [`Overdue::finally`].
    pub(crate) finally: bool,
}

#[derive(Debug)]
struct Unreadable {
    reason: String,
    /// The file's stat when it could not be read, and when to try again. `None` if not even the stat is known: then the
    /// next scan tries again.
    retry: Option<(Stat, Instant)>,
}

/// A hash and the file that it was made of.
#[derive(Debug)]
pub(crate) struct Hashed {
    content: KnownContent,
    /// The stat before the first byte was read.
    pub(crate) stat: Stat,
    /// Wall clock time when the hashing of a whole file began, to compare with the file's times. `None` for a part of a file.
    began: Option<SystemTime>,
}

impl KnownContent {
    fn of(entry: &Entry) -> Self {
        Self { size: entry.size, hash: entry.hash.clone() }
    }
}

impl Hashed {
    pub(crate) fn whole(hash: String, stat: Stat, began: SystemTime) -> Self {
        Self { content: KnownContent { size: stat.size, hash }, stat, began: Some(began) }
    }

    /// The first `size` bytes of a file.
    pub(crate) fn part(hash: String, stat: Stat, size: u64) -> Self {
        Self { content: KnownContent { size, hash }, stat, began: None }
    }
}

impl Index {
    pub(crate) fn new(settle: Duration, max_settle: Duration) -> Self {
        Self {
            settle,
            max_settle: max_settle.max(settle),
            settled: Entries::default(),
            pending: BTreeMap::new(),
            unreadable: BTreeMap::new(),
            closed: BTreeMap::new(),
            racy: BTreeMap::new(),
            is_changed: false,
        }
    }

    pub(crate) fn max_settle(&self) -> Duration {
        self.max_settle
    }

    /// Notes what was seen at one path; `None`: no such file. Each difference from the last observation restarts the wait,
    /// and a path that is again as it was settled never changed.
    pub(crate) fn observe(&mut self, path: &str, seen: Option<Stat>, now: Instant) {
        let is_known = match self.unreadable.get(path) {
            Some(unreadable) => unreadable.retry.is_some_and(|(stat, _)| seen == Some(stat)),
            None => match self.settled.get(path) {
                Some(settled) => !settled.is_partial && seen == Some(settled.stat),
                None => seen.is_none(),
            },
        };
        if is_known {
            self.pending.remove(path);
        } else if self.pending.get(path).is_none_or(|pending| pending.seen != seen) {
            let due = now + self.settle_of(path, seen);
            let first = Overdue { at: now + self.max_settle, finally: false, waits: false };
            let overdue = self.pending.get(path).map_or(first, |pending| pending.overdue);
            self.pending.insert(path.to_owned(), Pending { seen, due, overdue });
        }
    }

    /// Returns how long a path must be quiet for what was seen there to count.
    fn settle_of(&self, path: &str, seen: Option<Stat>) -> Duration {
        let shrinks = |settled: &Entry| seen.is_some_and(|seen| seen.size < settled.size / 2);
        if self.settled.get(path).is_some_and(shrinks) { self.settle * SHRUNK_SETTLES } else { self.settle }
    }

    /// Hashes the path again soon if its stat cannot prove that nothing happened.
    pub(crate) fn recheck_soon(&mut self, path: &str, now: Instant) {
        if let Some(due) = self.racy.get_mut(path) {
            *due = (*due).min(now + self.settle);
        }
    }

    /// Notes the result of a scan: paths that it lacks are gone, unless a folder above them cannot be listed. Returns whether a
    /// folder can be listed that could not be before.
    pub(crate) fn observe_all(&mut self, found: &Scan, now: Instant) -> bool {
        self.is_changed |= self.closed != found.closed;
        let closed = std::mem::replace(&mut self.closed, found.closed.clone());
        let is_opened = closed.keys().any(|folder| !found.closed.contains_key(folder));
        self.keep_opened(&closed, found);
        for path in self.missing(found) {
            self.observe(&path, None, now);
        }
        for (path, stat) in &found.files {
            self.observe(path, Some(*stat), now);
        }
        for (path, reason) in &found.unreadable {
            self.set_unreadable(path, reason.clone(), None);
        }
        // What happens below a closed folder is unknown; the first scan that sees it again notes it.
        let pending = std::mem::take(&mut self.pending).into_iter();
        self.pending = pending.filter(|(path, _)| !self.is_below_closed(path)).collect();
        is_opened
    }

    /// Keeps each file unreadable that was covered by a folder which can be listed again, until it has been hashed. In between
    /// it would seem to be gone.
    fn keep_opened(&mut self, closed: &BTreeMap<String, String>, found: &Scan) {
        for (path, stat) in &found.files {
            let is_known = self.settled.get(path).is_some_and(|settled| settled.stat == *stat);
            if let Some(reason) = folder_above(closed, path).filter(|_| !is_known) {
                let kept = Unreadable { reason: reason.clone(), retry: None };
                self.unreadable.entry(path.clone()).or_insert(kept);
            }
        }
    }

    fn missing(&self, found: &Scan) -> Vec<String> {
        let settled = self.settled.iter().map(|entry| &entry.path);
        let known = settled.chain(self.pending.keys()).chain(self.unreadable.keys());
        let is_missing = |path: &&String| {
            !found.files.contains_key(*path) && !found.unreadable.contains_key(*path) && !self.is_below_closed(path)
        };
        known.filter(is_missing).cloned().collect()
    }

    /// Notes that a file cannot be read. Its settled content is kept for the case that it comes back, and the path counts as
    /// settled. `retry`: its stat, and when to try again even if that does not change.
    pub(crate) fn set_unreadable(&mut self, path: &str, reason: String, retry: Option<(Stat, Instant)>) {
        self.pending.remove(path);
        self.racy.remove(path);
        let known = self.unreadable.insert(path.to_owned(), Unreadable { reason: reason.clone(), retry });
        self.is_changed |= known.is_none_or(|known| known.reason != reason);
    }

    /// Makes everything due that was last written more than a settle before `clock`: at the first scan its times
    /// are the only evidence of how long a file has been quiet.
    pub(crate) fn trust_old_times(&mut self, clock: SystemTime, now: Instant) {
        for pending in self.pending.values_mut() {
            if pending.seen.is_some_and(|stat| stat.racy_for(clock, self.settle).is_none()) {
                pending.due = now;
            }
        }
    }

    /// Returns whether some path has not settled.
    pub(crate) fn is_settling(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Makes everything due.
    pub(crate) fn settle_all(&mut self, now: Instant) {
        for pending in self.pending.values_mut() {
            pending.due = now;
        }
    }

    /// Returns when the next path is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let overdue = self.pending.values().filter(|pending| pending.seen.is_some()).map(|pending| pending.overdue.at);
        self.dues().map(|(_, _, due)| due).chain(self.rehashes().map(|(_, _, due)| due)).chain(overdue).min()
    }

    /// Returns the files that are overdue, and not due.
    pub(crate) fn overdue(&self, now: Instant) -> Vec<OverduePath> {
        let is_overdue = |pending: &Pending| pending.seen.is_some() && pending.due > now && pending.overdue.at <= now;
        let files = self.pending.iter().filter(|(_, pending)| is_overdue(pending));
        let overdue = files.map(|(path, pending)| OverduePath {
            path: path.clone(),
            known: self.settled.get(path).map(KnownContent::of),
            finally: pending.overdue.finally,
        });
        overdue.collect()
    }

    /// Sets when a pending path is overdue the next time.
    pub(crate) fn postpone(&mut self, path: &str, overdue: Overdue) {
        if let Some(pending) = self.pending.get_mut(path) {
            pending.overdue = overdue;
        }
    }

    /// Returns the number of files that were overdue and yet are not offered as they are.
    pub(crate) fn waiting(&self) -> u64 {
        self.pending.values().filter(|pending| pending.seen.is_some() && pending.overdue.waits).count() as u64
    }

    /// Returns the paths that are due, sorted, with what was last seen there.
    pub(crate) fn due(&self, now: Instant) -> BTreeMap<String, Option<Stat>> {
        let settled = self.dues().filter(|(_, _, due)| *due <= now).map(|(path, seen, _)| (path.clone(), seen));
        let again = self.rehashes().filter(|(_, _, due)| *due <= now);
        settled.chain(again.map(|(path, stat, _)| (path.clone(), Some(stat)))).collect()
    }

    /// Returns the files to hash though they seem unchanged, and when: racy ones, and unreadable ones that are retried.
    fn rehashes(&self) -> impl Iterator<Item = (&String, Stat, Instant)> {
        let racy = self.racy.iter().filter_map(|(path, due)| Some((path, self.settled.get(path)?.stat, *due)));
        let retry = |(path, file): (_, &Unreadable)| file.retry.map(|(stat, due)| (path, stat, due));
        racy.chain(self.unreadable.iter().filter_map(retry)).filter(|(path, ..)| !self.pending.contains_key(*path))
    }

    /// Returns every pending path with the moment when it counts. A removal waits, at most a settle longer, for new files that
    /// were seen while it settled: when a folder is renamed its files are gone at one scan and back at the next, and no
    /// version should lack them.
    fn dues(&self) -> impl Iterator<Item = (&String, Option<Stat>, Instant)> {
        let new =
            self.pending.iter().filter(|(path, pending)| pending.seen.is_some() && self.settled.get(path).is_none());
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

    /// Settles the path with this content. One that is a part of a file leaves it pending.
    ///
    /// As in git's racy rule, a file that was hashed within one clock step of its own times may be written to again without a
    /// change of its stat, so it is hashed once more when that has passed.
    pub(crate) fn accept(&mut self, path: &str, hashed: Hashed, now: Instant) {
        match hashed.began.and_then(|began| hashed.stat.racy_for(began, MAX_CLOCK_STEP)) {
            None => self.racy.remove(path),
            Some(left) => {
                let due = now + left.min(MAX_REHASH_DELAY) + Duration::from_millis(1);
                self.racy.insert(path.to_owned(), due)
            }
        };
        let settled = Entry {
            path: path.to_owned(),
            hash: hashed.content.hash,
            size: hashed.content.size,
            stat: hashed.stat,
            is_partial: hashed.began.is_none(),
        };
        match self.pending.get_mut(path) {
            Some(pending) if settled.is_partial => pending.due = pending.due.max(now + self.settle),
            _ => drop(self.pending.remove(path)),
        }
        self.is_changed |= self.unreadable.remove(path).is_some();
        self.is_changed |= self.settled.get(path) != Some(&settled);
        self.settled.insert(settled);
    }

    /// Settles the path as gone.
    pub(crate) fn remove(&mut self, path: &str) {
        self.pending.remove(path);
        self.racy.remove(path);
        self.is_changed |= self.unreadable.remove(path).is_some();
        self.is_changed |= self.settled.remove(path);
    }

    /// Returns whether a file below this path is known, so that the path was a folder.
    pub(crate) fn holds_below(&self, path: &str) -> bool {
        let below = format!("{path}/");
        self.settled.from(&below).next().is_some_and(|entry| entry.path.starts_with(&below))
    }

    /// Returns whether a scan found at least half of the settled paths that begin with `folder`.
    pub(crate) fn holds_half_of(&self, folder: &str, found: &Scan) -> bool {
        let known = self.settled.from(folder).map(|entry| &entry.path);
        let (there, gone): (Vec<_>, Vec<_>) =
            known.take_while(|path| path.starts_with(folder)).partition(|path| found.files.contains_key(*path));
        there.len() >= gone.len()
    }

    /// Returns whether [`Self::entries`] or [`Self::unreadable`] has changed since this was last called.
    pub(crate) fn take_change(&mut self) -> bool {
        std::mem::take(&mut self.is_changed)
    }

    /// Returns every settled file that can be read. It costs what cannot be read.
    pub(crate) fn entries(&self) -> Entries {
        let mut entries = self.settled.clone();
        for path in self.unreadable.keys() {
            entries.remove(path);
        }
        for folder in self.closed.keys() {
            let below = self.settled.from(folder).take_while(|entry| entry.path.starts_with(folder));
            below.for_each(|entry| _ = entries.remove(&entry.path));
        }
        entries
    }

    /// Returns the files and folders that cannot be read, and the reason. A folder's path ends in `/`, and files below it are
    /// not named.
    pub(crate) fn unreadable(&self) -> BTreeMap<String, String> {
        let files = self.unreadable.iter().filter(|(path, _)| !self.is_below_closed(path));
        let files = files.map(|(path, file)| (path.clone(), file.reason.clone()));
        files.chain(self.closed.clone()).collect()
    }

    fn is_below_closed(&self, path: &str) -> bool {
        folder_above(&self.closed, path).is_some()
    }
}

/// Finds the value of a folder above this path; folders' paths end in `/`.
pub(crate) fn folder_above<'a>(folders: &'a BTreeMap<String, String>, path: &str) -> Option<&'a String> {
    if folders.is_empty() {
        return None;
    }
    path.match_indices('/').find_map(|(at, _)| folders.get(&path[..=at]))
}

#[cfg(test)]
mod tests;
