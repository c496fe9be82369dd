//! Sums how the counts of names change over one version. polars groups and sums part by part on threads of their own, while
//! the next rows are written. The parts are merged at the end.

use std::{
    panic::resume_unwind,
    thread::{self, JoinHandle},
};

use polars_core::prelude::*;

use crate::{error::Error, merge_heap::MergeHeap};

/// Rows summed in one part.
const PART_ROWS: usize = 1 << 16;
/// Parts after which all are merged into one. Merging many of them at the end would keep the writer waiting.
const MAX_PARTS: usize = 16;

/// Collects +1 and -1 per name.
pub struct NameDeltas {
    names: StringChunkedBuilder,
    deltas: Vec<i64>,
    parts: Vec<JoinHandle<Result<DataFrame, Error>>>,
}

/// Net change per name, in parts that are each sorted by name.
pub struct SummedNameDeltas(Vec<DataFrame>);

impl Default for NameDeltas {
    fn default() -> Self {
        Self { names: name_builder(), deltas: Vec::new(), parts: Vec::new() }
    }
}

impl NameDeltas {
    /// Adds the deltas of a batch.
    ///
    /// # Errors
    /// A thread cannot be started, or polars fails.
    pub fn add(&mut self, deltas: &[(&str, i64)]) -> Result<(), Error> {
        for (name, delta) in deltas {
            self.names.append_value(name);
            self.deltas.push(*delta);
        }
        if self.deltas.len() >= PART_ROWS {
            let frame = self.take_frame()?;
            self.start("sum names", move || sum(&frame))?;
        }
        if self.parts.len() == MAX_PARTS {
            let parts = std::mem::take(&mut self.parts);
            self.start("merge names", move || SummedNameDeltas(join(parts)?).merge())?;
        }
        Ok(())
    }

    fn start(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<DataFrame, Error> + Send + 'static,
    ) -> Result<(), Error> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(work).map_err(Error::Thread)?;
        self.parts.push(thread);
        Ok(())
    }

    fn take_frame(&mut self) -> Result<DataFrame, Error> {
        frame(std::mem::replace(&mut self.names, name_builder()), std::mem::take(&mut self.deltas))
    }

    /// Waits for all parts and returns the sums.
    ///
    /// # Errors
    /// polars fails.
    pub fn finish(mut self) -> Result<SummedNameDeltas, Error> {
        let last = if self.deltas.is_empty() { None } else { Some(sum(&self.take_frame()?)?) };
        let mut parts = join(self.parts)?;
        parts.extend(last);
        Ok(SummedNameDeltas(parts))
    }
}

impl SummedNameDeltas {
    /// Upper bound for the number of names. A name in several parts counts several times.
    #[must_use]
    pub fn max_names(&self) -> usize {
        self.0.iter().map(DataFrame::height).sum()
    }

    /// Passes each name with its net change to `take`, in lists of about `count`, until `take` returns false. Names are
    /// sorted by bytes and occur once. No change is 0.
    ///
    /// # Errors
    /// polars fails.
    pub fn for_each_batch<'a>(
        &'a self,
        count: usize,
        take: &mut dyn FnMut(Vec<(&'a str, i64)>) -> bool,
    ) -> Result<(), Error> {
        let parts = self.0.iter().map(rows_of).collect::<Result<Vec<_>, _>>()?;
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
                        return Ok(());
                    }
                }
            }
            next[first] += 1;
            heap.first_advanced(next[first] == parts[first].len(), |a, b| less(&next, a, b));
        }
        batch.extend(last.filter(|(_, sum)| *sum != 0));
        take(batch);
        Ok(())
    }

    /// Merges all parts into one.
    fn merge(self) -> Result<DataFrame, Error> {
        let (mut names, mut deltas) = (name_builder(), Vec::new());
        self.for_each_batch(PART_ROWS, &mut |batch| {
            batch.iter().for_each(|(name, _)| names.append_value(name));
            deltas.extend(batch.iter().map(|(_, delta)| *delta));
            true
        })?;
        frame(names, deltas)
    }
}

/// Sums by name and sorts by name, on this thread alone. With polars' thread pool, 500,000 rows of as many names take 390 ms of
/// CPU time instead of 190 ms, and the writer needs the other cores.
#[expect(deprecated, reason = "polars recommends its lazy engine, which is not compiled here")]
fn sum(deltas: &DataFrame) -> Result<DataFrame, Error> {
    let names = vec![deltas.column("name")?.clone()];
    let mut summed = deltas.group_by_with_series(names, false, false)?.select(["delta"]).sum()?;
    summed.rename("delta_sum", "delta".into())?;
    Ok(summed.sort(["name"], SortMultipleOptions::default().with_multithreaded(false))?)
}

fn name_builder() -> StringChunkedBuilder {
    StringChunkedBuilder::new("name".into(), 0)
}

fn frame(names: StringChunkedBuilder, deltas: Vec<i64>) -> Result<DataFrame, Error> {
    let deltas = Column::new("delta".into(), deltas);
    Ok(DataFrame::new_infer_height(vec![names.finish().into_column(), deltas])?)
}

fn rows_of(part: &DataFrame) -> Result<Vec<(&str, i64)>, Error> {
    let (names, deltas) = (part.column("name")?.str()?, part.column("delta")?.i64()?);
    let rows = names.iter().zip(deltas.iter());
    Ok(rows.map(|(name, delta)| (name.unwrap_or_default(), delta.unwrap_or_default())).collect())
}

fn join(parts: Vec<JoinHandle<Result<DataFrame, Error>>>) -> Result<Vec<DataFrame>, Error> {
    parts.into_iter().map(|part| part.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
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
        let summed = deltas.finish().unwrap();
        let mut all = Vec::new();
        let mut take = |batch| {
            all.extend(batch);
            true
        };
        summed.for_each_batch(100, &mut take).unwrap();
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
        let summed = deltas.finish().unwrap();
        let mut all = Vec::new();
        let mut take = |batch| {
            all.extend(batch);
            true
        };
        summed.for_each_batch(3, &mut take).unwrap();
        assert_eq!(all, names.map(|name| (name, 2)));
    }
}
