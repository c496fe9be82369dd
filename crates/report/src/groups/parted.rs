//! The groups of one file, which all threads share. Each thread collects the groups of its rows, and adds them here when they are many: so
//! few groups cost no lock for each row, and many groups are in memory once and not once for each thread. Those for which there is no room
//! go to files.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use foldhash::fast::RandomState;

use super::{DoneGroups, Full, Groups, MAX_GROUPS, MAX_KEY_BYTES, Parts, Runs};
use crate::{plan::ReportPlan, room::Room};

/// Parts of the groups, by the hash of their keys. More than the threads of most machines, so that they seldom wait for each other.
const PARTS: usize = 64;
/// Bytes of a thread's own groups above which they are added to those of all: they stay in the cache of its core.
const MAX_OWN_BYTES: usize = 1 << 20;

/// The groups of a file that is being read.
pub(crate) struct Parted<'a> {
    plan: &'a ReportPlan,
    parts: Vec<Mutex<Groups>>,
    hasher: RandomState,
    /// Those in `parts`.
    groups: AtomicUsize,
    key_bytes: AtomicUsize,
    bytes: AtomicUsize,
    /// Held while groups are written.
    runs: Mutex<Runs>,
    /// Counts the times that this was done.
    spills: AtomicUsize,
}

impl<'a> Parted<'a> {
    pub(crate) fn new(plan: &'a ReportPlan) -> Self {
        let hasher = RandomState::default();
        let parts = (0..PARTS).map(|_| Mutex::new(Groups::with_hasher(plan, hasher.clone()))).collect();
        let (groups, key_bytes, bytes, spills) = Default::default();
        Self { plan, parts, hasher, groups, key_bytes, bytes, runs: Mutex::default(), spills }
    }

    /// Groups of one thread, on their way here. Their memory does not count, because they are few.
    pub(crate) fn own(&self) -> Groups {
        Groups { lease: Default::default(), ..Groups::with_hasher(self.plan, self.hasher.clone()) }
    }

    /// Moves the groups of one thread here, if they are many.
    #[inline]
    pub(crate) fn take_many(&self, own: &mut Groups) -> Result<(), Full> {
        if own.bytes() > MAX_OWN_BYTES { self.take(own) } else { Ok(()) }
    }

    /// Moves the groups of one thread here.
    pub(crate) fn take(&self, own: &mut Groups) -> Result<(), Full> {
        let mut by_part = vec![Vec::new(); PARTS];
        for index in 0..own.len() {
            let hash = own.hash_of(own.key(index));
            by_part[part_of(hash)].push((hash, index));
        }
        for (part, groups) in self.parts.iter().zip(by_part) {
            let mut left = &groups[..];
            while !left.is_empty() {
                let spills = self.spills.load(Ordering::Acquire);
                left = self.take_part(&mut lock(part), own, left)?;
                if !left.is_empty() {
                    self.spill(spills)?;
                }
            }
        }
        own.clear();
        Ok(())
    }

    /// Moves groups to a part, and returns those for which there is no room.
    fn take_part<'g>(
        &self,
        part: &mut Groups,
        own: &Groups,
        mut groups: &'g [(u64, usize)],
    ) -> Result<&'g [(u64, usize)], Full> {
        let before = (part.len(), part.keys.bytes(), part.bytes());
        let least = self.plan.room.as_ref().map_or(0, Room::least);
        while let [(hash, index), rest @ ..] = groups {
            let is_small = self.bytes.load(Ordering::Relaxed) + part.bytes() - before.2 < least;
            match part.merge_one(*hash, own, *index, is_small) {
                Ok(()) => groups = rest,
                Err(Full::Memory) => break,
                Err(full) => return Err(full),
            }
        }
        self.bytes.fetch_add(part.bytes() - before.2, Ordering::Relaxed);
        self.count(part.len() - before.0, part.keys.bytes() - before.1)?;
        Ok(groups)
    }

    /// Counts new groups and bytes of their keys.
    fn count(&self, groups: usize, key_bytes: usize) -> Result<(), Full> {
        let groups = self.groups.fetch_add(groups, Ordering::Relaxed) + groups;
        let key_bytes = self.key_bytes.fetch_add(key_bytes, Ordering::Relaxed) + key_bytes;
        if groups > MAX_GROUPS || key_bytes > MAX_KEY_BYTES { Err(Full::Groups) } else { Ok(()) }
    }

    /// Writes all groups to a file, unless another thread has done so since `spills` were counted.
    fn spill(&self, spills: usize) -> Result<(), Full> {
        let mut runs = lock(&self.runs);
        if self.spills.load(Ordering::Acquire) != spills {
            return Ok(());
        }
        let room = self.plan.room.as_ref().ok_or(Full::Memory)?;
        runs.push(self.take_all(), self.plan, room)?;
        self.spills.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// All groups in memory.
    fn take_all(&self) -> Parts {
        let take = |part| {
            let mut part: MutexGuard<'_, Groups> = lock(part);
            let taken = std::mem::replace(&mut *part, Groups::with_hasher(self.plan, self.hasher.clone()));
            self.groups.fetch_sub(taken.len(), Ordering::Relaxed);
            self.key_bytes.fetch_sub(taken.keys.bytes(), Ordering::Relaxed);
            self.bytes.fetch_sub(taken.bytes(), Ordering::Relaxed);
            taken
        };
        Parts(self.parts.iter().map(take).collect())
    }

    /// The groups of the file that was read. Asks `go_on` now and then if they are in files, and fails if it says no.
    pub(crate) fn finish(&self, go_on: &mut dyn FnMut() -> bool) -> Result<DoneGroups, Full> {
        if lock(&self.runs).is_empty() {
            return Ok(DoneGroups::in_memory(self.take_all()));
        }
        self.spill(self.spills.load(Ordering::Acquire))?;
        let runs = std::mem::take(&mut *lock(&self.runs));
        let room = self.plan.room.as_ref().ok_or(Full::Memory)?;
        Ok(DoneGroups::in_file(runs.merged(self.plan, room, go_on)?))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The place of a key with this hash. The table looks at other bits.
fn part_of(hash: u64) -> usize {
    (hash >> 40) as usize % PARTS
}
