//! Groups and their accumulated values, for the rows of a part of a file, of a file, or of all files.

use std::collections::HashMap;

use crate::{
    number::Number,
    plan::{PartKind, PartSpec, ReportPlan},
    room::{Lease, NoRoom},
    sum::Sum,
};

/// Separates the texts of a key. No text contains it, and it sorts before all other bytes, so keys sort like lists of
/// their texts.
const KEY_SEPARATOR: u8 = 0;
/// The most groups of a report: grouping by a value that differs in every row would exhaust the memory.
pub(crate) const MAX_GROUPS: usize = 4 << 20;
/// The most bytes of their keys: a key may be as long as a field.
pub(crate) const MAX_KEY_BYTES: usize = if cfg!(test) { 64 << 20 } else { 512 << 20 };

/// Groups whose parts lie behind each other.
const CHUNK_GROUPS: usize = 256;

/// Groups by their keys.
#[derive(Clone)]
pub(crate) struct Groups {
    indexes: HashMap<Box<[u8]>, u32, foldhash::fast::RandomState>,
    /// The number of rows per group.
    rows: Vec<u64>,
    /// The parts of all groups, group by group, in chunks of [`CHUNK_GROUPS`]: one vector would take twice its memory, and once more while
    /// it grows.
    parts: Vec<Vec<Part>>,
    kinds: Vec<PartKind>,
    /// Bytes of all keys.
    key_bytes: usize,
    /// The memory of all groups.
    lease: Lease,
}

/// Rows that are about to be added to their groups. With many groups, most of the time is spent waiting for memory. A
/// batch looks up the groups of many rows in a row, so that the processor overlaps these waits.
#[derive(Default)]
pub(crate) struct Batch {
    /// The keys of all rows, concatenated.
    keys: Vec<u8>,
    /// The end of each row's key.
    ends: Vec<usize>,
    /// The values of the formulas, row by row.
    values: Vec<Option<Number>>,
    /// The index of each row's group, if the group existed before the batch.
    indexes: Vec<Option<u32>>,
}

impl Batch {
    const MAX_ROWS: usize = 64;

    /// Adds a value to the current row.
    #[inline]
    pub(crate) fn push_value(&mut self, value: Option<Number>) {
        self.values.push(value);
    }

    /// Adds a text to the key of the current row.
    #[inline]
    pub(crate) fn push_text(&mut self, text: &[u8], is_first: bool) {
        if !is_first {
            self.keys.push(KEY_SEPARATOR);
        }
        self.keys.extend_from_slice(text);
    }

    /// Completes the current row. Returns whether the batch is full.
    #[inline]
    pub(crate) fn end_row(&mut self) -> bool {
        self.ends.push(self.keys.len());
        self.ends.len() == Self::MAX_ROWS
    }

    /// Discards the current row. Each complete row has `values` values.
    pub(crate) fn undo_row(&mut self, values: usize) {
        self.keys.truncate(self.ends.last().copied().unwrap_or(0));
        self.values.truncate(self.ends.len() * values);
    }

    fn clear(&mut self) {
        self.keys.clear();
        self.ends.clear();
        self.values.clear();
    }
}

/// The accumulated value of a group that one or several metrics are computed from.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Sum(Sum),
    Least(Option<Number>),
    Greatest(Option<Number>),
}

/// Bytes of a group beside its key and its parts, about: its place in the table, and its rows.
const GROUP_BYTES: usize = 72;

/// The reason why a group cannot be added.
#[derive(Debug)]
pub(crate) enum Full {
    /// There are more than [`MAX_GROUPS`] groups, or more than [`MAX_KEY_BYTES`] of keys.
    Groups,
    /// There is no room for their memory.
    Memory,
}

impl Groups {
    pub(crate) fn new(plan: &ReportPlan) -> Self {
        let kinds = plan.parts.iter().map(|PartSpec { kind, .. }| *kind).collect();
        Self {
            indexes: HashMap::default(),
            rows: Vec::new(),
            parts: Vec::new(),
            kinds,
            key_bytes: 0,
            lease: Lease::new(plan.room.clone()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Adds the rows of a batch to their groups, and empties the batch.
    pub(crate) fn add(&mut self, plan: &ReportPlan, batch: &mut Batch) -> Result<(), Full> {
        let Batch { keys, ends, values, indexes } = batch;
        let begins = std::iter::once(&0).chain(ends.iter());
        let keys_of_rows = || begins.clone().zip(ends.iter()).map(|(begin, end)| &keys[*begin..*end]);
        indexes.clear();
        indexes.extend(keys_of_rows().map(|key| self.indexes.get(key).copied()));
        for (row, (key, index)) in keys_of_rows().zip(indexes.iter()).enumerate() {
            let index = match index {
                Some(index) => *index as usize,
                None => self.index_of(key)?,
            };
            self.rows[index] += 1;
            let values = &values[row * plan.formulas.len()..];
            let parts = self.parts_of(index);
            for (part, PartSpec { formula, .. }) in parts.iter_mut().zip(&plan.parts) {
                if let Some(value) = values[*formula] {
                    part.add(value);
                }
            }
        }
        batch.clear();
        Ok(())
    }

    /// Merges the rows and parts of one group of the same plan.
    pub(crate) fn merge(&mut self, key: &[u8], rows: u64, parts: &[Part]) -> Result<(), Full> {
        let index = self.index_of(key)?;
        self.rows[index] += rows;
        for (part, other) in self.parts_of(index).iter_mut().zip(parts) {
            part.merge(other);
        }
        Ok(())
    }

    /// Merges all groups of another part of the same plan.
    pub(crate) fn merge_all(&mut self, others: &Self) -> Result<(), Full> {
        others.indexes.iter().try_for_each(|(key, index)| {
            let (rows, parts) = others.at(*index as usize);
            self.merge(key, rows, parts)
        })
    }

    /// The keys in byte order, with the index of each group.
    pub(crate) fn sorted(&self) -> Vec<(&[u8], usize)> {
        let mut keys: Vec<_> = self.indexes.iter().map(|(key, index)| (&**key, *index as usize)).collect();
        keys.sort_unstable();
        keys
    }

    /// The rows and the parts of a group.
    pub(crate) fn at(&self, index: usize) -> (u64, &[Part]) {
        let (count, chunk) = (self.kinds.len(), &self.parts[index / CHUNK_GROUPS]);
        (self.rows[index], &chunk[index % CHUNK_GROUPS * count..][..count])
    }

    #[inline]
    fn parts_of(&mut self, index: usize) -> &mut [Part] {
        let (count, chunk) = (self.kinds.len(), &mut self.parts[index / CHUNK_GROUPS]);
        &mut chunk[index % CHUNK_GROUPS * count..][..count]
    }

    #[inline]
    fn index_of(&mut self, key: &[u8]) -> Result<usize, Full> {
        match self.indexes.get(key) {
            Some(index) => Ok(*index as usize),
            None => self.insert(key),
        }
    }

    #[cold]
    fn insert(&mut self, key: &[u8]) -> Result<usize, Full> {
        let index = self.rows.len();
        if index == MAX_GROUPS || self.key_bytes + key.len() > MAX_KEY_BYTES {
            return Err(Full::Groups);
        }
        let bytes = key.len() + GROUP_BYTES + self.kinds.len() * size_of::<Part>();
        self.lease.grow(bytes).map_err(|NoRoom| Full::Memory)?;
        self.key_bytes += key.len();
        // Fits, because MAX_GROUPS is less than 2^32.
        self.indexes.insert(key.into(), index as u32);
        self.rows.push(0);
        if index.is_multiple_of(CHUNK_GROUPS) {
            self.parts.push(Vec::new());
        }
        let parts = self.kinds.iter().map(|kind| Part::new(*kind));
        self.parts[index / CHUNK_GROUPS].extend(parts);
        Ok(index)
    }
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
mod tests {
    use tributary_protocol::{MetricSpec, ReportSpec};

    use super::*;

    #[test]
    fn the_keys_of_all_groups_are_bounded() {
        let metrics = vec![MetricSpec { name: "s".into(), expression: "sum(x)".into() }];
        let spec = ReportSpec { group_by: vec!["g".into()], metrics, ..ReportSpec::default() };
        let mut groups = Groups::new(&ReportPlan::compile(&spec).unwrap());
        let mut add =
            |number: usize| groups.merge(&[&[number as u8][..], &[b'x'; (1 << 20) - 1]].concat(), 1, &[]).is_ok();
        assert!((0..MAX_KEY_BYTES >> 20).all(&mut add));
        assert!(!add(200));
        assert!(add(0), "a group that is there goes on");
    }
}
