//! Groups and their accumulated values, for the rows of a part of a file, of a file, or of all files. There may be millions of them, so
//! each takes few bytes: a place in the table, its key among the others, and a short cell for each part.

mod batch;
mod cell;
mod chunks;
mod done;
mod keys;
mod parted;
mod spill;

use std::{hash::BuildHasher, io};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

pub use self::spill::SpillFile;
pub(crate) use self::{
    batch::Batch,
    done::{DoneGroups, Parts},
    parted::Parted,
    spill::Runs,
};
use self::{
    cell::{Cell, LongParts},
    chunks::Chunks,
    keys::{KeyPlace, Keys},
};
use crate::{
    number::Number,
    plan::{PartKind, PartSpec, ReportPlan},
    room::{Lease, NoRoom, Room},
    sum::Sum,
};

/// Separates the texts of a key. No text contains it, and it sorts before all other bytes, so keys sort like lists of
/// their texts.
const KEY_SEPARATOR: u8 = 0;
/// The most groups of a report: grouping by a value that differs in every row would exhaust the memory.
pub(crate) const MAX_GROUPS: usize = 4 << 20;
/// The most bytes of their keys: a key may be as long as a field.
pub(crate) const MAX_KEY_BYTES: usize = if cfg!(test) { 64 << 20 } else { 512 << 20 };

/// Bytes of a group beside its key and its parts, about: up to 18 of the table while it grows, 16 while groups are sorted, and its entry.
const GROUP_BYTES: usize = 18 + 16 + size_of::<Entry>();

/// Groups by their keys.
pub(crate) struct Groups {
    /// The index of each group, by its key.
    table: HashTable<u32>,
    hasher: RandomState,
    keys: Keys,
    entries: Chunks<Entry>,
    /// The parts of each group.
    cells: Chunks<Cell>,
    long: LongParts,
    kinds: Vec<PartKind>,
    /// The memory of all groups.
    lease: Lease,
}

/// A group beside its parts.
#[derive(Clone, Copy)]
struct Entry {
    key: KeyPlace,
    rows: u64,
}

/// The accumulated value of a group that one or several metrics are computed from.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Sum(Sum),
    Least(Option<Number>),
    Greatest(Option<Number>),
}

/// The reason why a group cannot be added.
#[derive(Debug)]
pub(crate) enum Full {
    /// There are more than [`MAX_GROUPS`] groups, or more than [`MAX_KEY_BYTES`] of keys.
    Groups,
    /// There is no room for their memory.
    Memory,
    /// They cannot be written to a file, or read from it.
    File(io::Error),
}

impl From<io::Error> for Full {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl Groups {
    /// No groups, whose memory is that of the plan.
    pub(crate) fn new(plan: &ReportPlan) -> Self {
        Self::with_hasher(plan, RandomState::default())
    }

    /// No groups, whose memory is this.
    pub(crate) fn with_lease(plan: &ReportPlan, lease: Lease) -> Self {
        Self { lease, ..Self::new(plan) }
    }

    fn with_hasher(plan: &ReportPlan, hasher: RandomState) -> Self {
        let kinds = plan.kinds();
        Self {
            table: HashTable::new(),
            hasher,
            keys: Keys::default(),
            entries: Chunks::new(1),
            cells: Chunks::new(kinds.len()),
            long: LongParts::default(),
            kinds,
            lease: plan.room.as_ref().map(Room::lease).unwrap_or_default(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes that all groups take, about.
    pub(crate) fn bytes(&self) -> usize {
        self.lease.used()
    }

    /// Removes all groups.
    fn clear(&mut self) {
        self.table.clear();
        self.keys.clear();
        self.entries.clear();
        self.cells.clear();
        self.long.clear();
        self.lease.clear();
    }

    /// Adds the rows of a batch to their groups, and empties the batch.
    pub(crate) fn add(&mut self, plan: &ReportPlan, batch: &mut Batch) -> Result<(), Full> {
        let Batch { keys, ends, values, found } = batch;
        let begins = std::iter::once(&0).chain(ends.iter());
        let keys_of_rows = || begins.clone().zip(ends.iter()).map(|(begin, end)| &keys[*begin..*end]);
        found.clear();
        found.extend(keys_of_rows().map(|key| {
            let hash = self.hasher.hash_one(key);
            (hash, self.find(hash, key))
        }));
        for (row, (key, (hash, index))) in keys_of_rows().zip(found.iter()).enumerate() {
            let index = match index {
                Some(index) => *index as usize,
                None => self.index_of(*hash, key, false)?,
            };
            self.entries.get_mut(index)[0].rows += 1;
            let values = &values[row * plan.formulas.len()..];
            for (cell, PartSpec { kind, formula, .. }) in self.cells.get_mut(index).iter_mut().zip(&plan.parts) {
                if let Some(value) = values[*formula] {
                    self.long.add(cell, *kind, value, &mut self.lease);
                }
            }
        }
        batch.clear();
        Ok(())
    }

    /// Merges the rows and parts of one group of the same plan. If it is forced, it takes its memory even if there is no room.
    pub(crate) fn merge(&mut self, key: &[u8], (rows, parts): (u64, &[Part]), is_forced: bool) -> Result<(), Full> {
        let index = self.index_of(self.hash_of(key), key, is_forced)?;
        self.entries.get_mut(index)[0].rows += rows;
        for ((cell, kind), other) in self.cells.get_mut(index).iter_mut().zip(&self.kinds).zip(parts) {
            self.long.merge(cell, *kind, other, &mut self.lease);
        }
        Ok(())
    }

    /// Merges a group of another total of the same plan.
    pub(crate) fn merge_other(&mut self, others: &Self, other: usize, is_forced: bool) -> Result<(), Full> {
        self.merge_one(self.hash_of(others.key(other)), others, other, is_forced)
    }

    /// Merges a group of another part, whose key has this hash. If it is forced, it takes its memory even if there is no room.
    fn merge_one(&mut self, hash: u64, others: &Self, other: usize, is_forced: bool) -> Result<(), Full> {
        let index = self.index_of(hash, others.key(other), is_forced)?;
        self.entries.get_mut(index)[0].rows += others.entries.get(other)[0].rows;
        let cells = self.cells.get_mut(index).iter_mut().zip(others.cells.get(other));
        for ((cell, other), kind) in cells.zip(&self.kinds) {
            self.long.merge_cell(cell, *kind, (&others.long, *other), &mut self.lease);
        }
        Ok(())
    }

    fn hash_of(&self, key: &[u8]) -> u64 {
        self.hasher.hash_one(key)
    }

    /// The key of a group.
    #[inline]
    pub(crate) fn key(&self, index: usize) -> &[u8] {
        self.keys.get(self.entries.get(index)[0].key)
    }

    /// The rows and the parts of a group.
    pub(crate) fn at(&self, index: usize) -> (u64, Vec<Part>) {
        let cells = self.cells.get(index).iter().zip(&self.kinds);
        (self.entries.get(index)[0].rows, cells.map(|(cell, kind)| self.long.part(*cell, *kind)).collect())
    }

    #[inline]
    fn find(&self, hash: u64, key: &[u8]) -> Option<u32> {
        self.table.find(hash, |index| self.key(*index as usize) == key).copied()
    }

    #[inline]
    fn index_of(&mut self, hash: u64, key: &[u8], is_forced: bool) -> Result<usize, Full> {
        match self.find(hash, key) {
            Some(index) => Ok(index as usize),
            None => self.insert(hash, key, is_forced),
        }
    }

    fn insert(&mut self, hash: u64, key: &[u8], is_forced: bool) -> Result<usize, Full> {
        let index = self.len();
        if index == MAX_GROUPS || self.keys.bytes() + key.len() > MAX_KEY_BYTES {
            return Err(Full::Groups);
        }
        let bytes = key.len() + GROUP_BYTES + self.kinds.len() * size_of::<Cell>();
        match is_forced {
            true => self.lease.take(bytes),
            false => self.lease.grow(bytes).map_err(|NoRoom| Full::Memory)?,
        }
        let key = self.keys.push(key);
        self.entries.push([Entry { key, rows: 0 }]);
        self.cells.push(self.kinds.iter().map(|_| Cell::EMPTY));
        let Self { table, hasher, keys, entries, .. } = self;
        let hash_of = |index: &u32| hasher.hash_one(keys.get(entries.get(*index as usize)[0].key));
        // Fits, because MAX_GROUPS is less than 2^32.
        table.insert_unique(hash, index as u32, hash_of);
        Ok(index)
    }
}

/// Sorts the numbers of groups by their keys.
fn sorted<'a>(groups: impl Iterator<Item = u32>, key: impl Fn(u32) -> &'a [u8]) -> Vec<u32> {
    // Most keys differ in their begin, which stands beside the number: to look at keys all over the memory would take longer.
    let mut order: Vec<_> = groups.map(|group| (begin_of(key(group)), group)).collect();
    order.sort_unstable_by(|(a, one), (b, other)| a.cmp(b).then_with(|| key(*one).cmp(key(*other))));
    order.into_iter().map(|(_, group)| group).collect()
}

/// The first bytes of a key, which order keys as far as they differ.
fn begin_of(key: &[u8]) -> u64 {
    let mut begin = [0; 8];
    let length = key.len().min(8);
    begin[..length].copy_from_slice(&key[..length]);
    u64::from_be_bytes(begin)
}

impl Part {
    pub(crate) fn new(kind: PartKind) -> Self {
        match kind {
            PartKind::Sum => Self::Sum(Sum::default()),
            PartKind::Least => Self::Least(None),
            PartKind::Greatest => Self::Greatest(None),
        }
    }

    #[inline]
    fn add(&mut self, value: Number) {
        match self {
            Self::Sum(sum) => sum.add(value),
            Self::Least(least) if least.is_none_or(|least| value.order(least).is_lt()) => *least = Some(value),
            Self::Greatest(most) if most.is_none_or(|most| value.order(most).is_gt()) => *most = Some(value),
            Self::Least(_) | Self::Greatest(_) => {}
        }
    }

    fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Sum(sum), Self::Sum(other)) => sum.merge(other),
            (part, Self::Least(Some(value)) | Self::Greatest(Some(value))) => part.add(*value),
            _ => {}
        }
    }
}

/// Decodes a key of `count` texts.
pub(crate) fn texts(key: &[u8], count: usize) -> Vec<String> {
    if count == 0 {
        return Vec::new();
    }
    key.split(|byte| *byte == KEY_SEPARATOR).map(|text| String::from_utf8_lossy(text).into_owned()).collect()
}

/// Encodes texts as a key, or returns none if a text is empty or contains the separator.
pub(crate) fn key(texts: &[String]) -> Option<Vec<u8>> {
    let is_good = |text: &String| !text.is_empty() && !text.as_bytes().contains(&KEY_SEPARATOR);
    texts.iter().all(is_good).then(|| texts.join("\0").into_bytes())
}

#[cfg(test)]
mod tests;
