//! Sums how the counts of names change over one version. Parts are summed on threads of their own, while the next rows are
//! written, in the hash table that polars groups texts with. The parts are merged at the end.

use std::{
    panic::resume_unwind,
    thread::{self, JoinHandle},
};

use polars_compute::binview_index_map::{BinaryViewIndexMap, Entry};
use xxhash_rust::xxh3::xxh3_64;

use crate::{error::Error, merge_heap::MergeHeap};

/// Rows summed in one part.
const PART_ROWS: usize = 1 << 16;
/// Parts after which all are merged into one. Merging many of them at the end would keep the writer waiting.
const MAX_PARTS: usize = 16;

/// Collects +1 and -1 per name.
#[derive(Default)]
pub struct NameDeltas {
    part: Part,
    sums: Vec<JoinHandle<PartSums>>,
}

/// Net change per name, in parts that are each sorted by name.
pub struct SummedNameDeltas(Vec<PartSums>);

/// Names, one after the other, with their deltas.
#[derive(Default)]
struct Part {
    names: String,
    /// Per row, the end of its name and its delta.
    rows: Vec<(usize, i64)>,
}

/// Sums by name.
struct PartSums {
    groups: BinaryViewIndexMap<i64>,
    /// Indices of the groups, in order of name.
    order: Vec<u32>,
}

impl NameDeltas {
    /// Adds the deltas of a batch.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn add(&mut self, deltas: &[(impl AsRef<str>, i64)]) -> Result<(), Error> {
        deltas.iter().for_each(|(name, delta)| self.part.push(name.as_ref(), *delta));
        if self.part.rows.len() >= PART_ROWS {
            let part = std::mem::take(&mut self.part);
            self.start("sum names", move || part.sum())?;
        }
        if self.sums.len() == MAX_PARTS {
            let sums = std::mem::take(&mut self.sums);
            self.start("merge names", move || SummedNameDeltas(join(sums)).merge())?;
        }
        Ok(())
    }

    fn start(&mut self, name: &str, work: impl FnOnce() -> PartSums + Send + 'static) -> Result<(), Error> {
        self.sums.push(thread::Builder::new().name(name.to_owned()).spawn(work).map_err(Error::Thread)?);
        Ok(())
    }

    /// Waits for all parts and returns the sums.
    #[must_use]
    pub fn finish(self) -> SummedNameDeltas {
        let last = self.part.sum();
        let mut sums = join(self.sums);
        sums.push(last);
        SummedNameDeltas(sums)
    }
}

impl SummedNameDeltas {
    /// Upper bound for the number of names. A name in several parts counts several times.
    #[must_use]
    pub fn max_names(&self) -> usize {
        self.0.iter().map(|sums| sums.order.len()).sum()
    }

    /// Passes each name with its net change to `take`, in lists of about `count`, until `take` returns false. Names are
    /// sorted by bytes and occur once. No change is 0.
    pub fn for_each_batch<'a>(&'a self, count: usize, take: &mut dyn FnMut(Vec<(&'a str, i64)>) -> bool) {
        let parts: Vec<Vec<(&str, i64)>> = self.0.iter().map(PartSums::rows).collect();
        let mut next = vec![0; parts.len()];
        let less = |next: &[usize], a: usize, b: usize| parts[a][next[a]].0 < parts[b][next[b]].0;
        let full = (0..parts.len()).filter(|part| !parts[*part].is_empty());
        let mut heap = MergeHeap::new(full.collect(), |a, b| less(&next, a, b));
        let (mut batch, mut last) = (Vec::new(), None);
        while let Some(first) = heap.first() {
            let (name, delta) = parts[first][next[first]];
            match &mut last {
                Some((of, sum)) if *of == name => *sum += delta,
                _ => {
                    batch.extend(last.replace((name, delta)).filter(|(_, sum)| *sum != 0));
                    if batch.len() >= count && !take(std::mem::take(&mut batch)) {
                        return;
                    }
                }
            }
            next[first] += 1;
            heap.first_advanced(next[first] == parts[first].len(), |a, b| less(&next, a, b));
        }
        batch.extend(last.filter(|(_, sum)| *sum != 0));
        take(batch);
    }

    /// Merges all parts into one.
    fn merge(self) -> PartSums {
        let mut part = Part::default();
        self.for_each_batch(PART_ROWS, &mut |batch| {
            batch.iter().for_each(|(name, delta)| part.push(name, *delta));
            true
        });
        part.sum()
    }
}

impl Part {
    fn push(&mut self, name: &str, delta: i64) {
        self.names.push_str(name);
        self.rows.push((self.names.len(), delta));
    }

    /// Sums by name and sorts by name.
    fn sum(&self) -> PartSums {
        let mut groups = BinaryViewIndexMap::default();
        let mut start = 0;
        for (end, delta) in &self.rows {
            let name = &self.names.as_bytes()[start..*end];
            start = *end;
            match groups.entry(xxh3_64(name), name) {
                Entry::Occupied(group) => *group.into_mut() += delta,
                Entry::Vacant(group) => {
                    group.insert(*delta);
                }
            }
        }
        let mut order: Vec<u32> = (0..groups.len()).collect();
        let name = |group: u32| groups.get_index(group).map(|(_, name, _)| name);
        order.sort_unstable_by(|a, b| name(*a).cmp(&name(*b)));
        PartSums { groups, order }
    }
}

impl PartSums {
    fn rows(&self) -> Vec<(&str, i64)> {
        let groups = self.order.iter().filter_map(|group| self.groups.get_index(*group));
        groups.map(|(_, name, sum)| (str::from_utf8(name).expect("it was a `str` when it was added"), *sum)).collect()
    }
}

fn join<T>(threads: Vec<JoinHandle<T>>) -> Vec<T> {
    threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn parts_are_summed_together() {
        let mut deltas = NameDeltas::default();
        let mut expected: BTreeMap<String, i64> = BTreeMap::new();
        for number in 0..20 * PART_ROWS as i64 {
            let (name, delta) = (format!("name {}", number * 7919 % 9973), number % 3 - 1);
            deltas.add(&[(&name, delta)]).unwrap();
            *expected.entry(name).or_default() += delta;
        }
        expected.retain(|_, delta| *delta != 0);
        let summed = deltas.finish();
        let mut all = Vec::new();
        let mut take = |batch| {
            all.extend(batch);
            true
        };
        summed.for_each_batch(100, &mut take);
        let summed: Vec<_> = all.into_iter().map(|(name, delta)| (name.to_owned(), delta)).collect();
        assert!(summed.len() > 1_000);
        assert_eq!(summed, expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn names_are_sorted_by_bytes_whatever_their_length() {
        let long = "a name that is longer than an inline view";
        let names = ["", " ", "Z", "a", "a name that", long, &format!("{long}!"), "z", "é", "\u{10ffff}"];
        let mut deltas = NameDeltas::default();
        for name in names.iter().rev().chain(&names) {
            deltas.add(&[(name, 1)]).unwrap();
        }
        let summed = deltas.finish();
        let mut all = Vec::new();
        let mut take = |batch| {
            all.extend(batch);
            true
        };
        summed.for_each_batch(3, &mut take);
        assert_eq!(all, names.map(|name| (name, 2)));
    }
}
