//! How the counts of names move, summed over a whole version. polars sums some at a time, on a thread of its own, while the
//! next ones are collected; the sums are merged at the end.

use std::{
    panic::resume_unwind,
    thread::{self, JoinHandle},
};

use polars_core::prelude::*;

use crate::{Error, heap::Heap};

/// Moves that are summed at a time.
const PART: usize = 1 << 16;
/// Parts that are merged into one: many at the end would be merged while the writer waits.
const PARTS: usize = 16;

/// Collects how names gain and lose products.
pub struct NameMoves {
    names: StringChunkedBuilder,
    steps: Vec<i64>,
    parts: Vec<JoinHandle<Result<DataFrame, Error>>>,
}

impl Default for NameMoves {
    fn default() -> Self {
        Self { names: builder(), steps: Vec::new(), parts: Vec::new() }
    }
}

fn builder() -> StringChunkedBuilder {
    StringChunkedBuilder::new("name".into(), 0)
}

impl NameMoves {
    /// Adds a batch's moves.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn add(&mut self, moves: &[(&str, i64)]) -> Result<(), Error> {
        for (name, step) in moves {
            self.names.append_value(name);
            self.steps.push(*step);
        }
        if self.steps.len() >= PART {
            let moves = self.take();
            self.parts.push(thread::Builder::new().name("sum names".to_owned()).spawn(move || sum(&moves?))?);
        }
        if self.parts.len() == PARTS {
            let parts = std::mem::take(&mut self.parts);
            let merge = move || SummedNames(joined(parts)?).merged();
            self.parts.push(thread::Builder::new().name("merge names".to_owned()).spawn(merge)?);
        }
        Ok(())
    }

    fn take(&mut self) -> PolarsResult<DataFrame> {
        let names = std::mem::replace(&mut self.names, builder());
        let steps = Column::new("step".into(), std::mem::take(&mut self.steps));
        DataFrame::new_infer_height(vec![names.finish().into_column(), steps])
    }

    /// By how much the count of each name moves in all.
    ///
    /// # Errors
    /// Only if polars fails.
    pub fn finish(mut self) -> Result<SummedNames, Error> {
        let last = if self.steps.is_empty() { None } else { Some(sum(&self.take()?)?) };
        let mut parts = joined(self.parts)?;
        parts.extend(last);
        Ok(SummedNames(parts))
    }
}

fn joined(parts: Vec<JoinHandle<Result<DataFrame, Error>>>) -> Result<Vec<DataFrame>, Error> {
    parts.into_iter().map(|part| part.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
}

/// Sums by name, in order of name. On this thread alone: a part is too small for more to pay, and the writer needs the others.
#[expect(deprecated, reason = "polars steers to its lazy engine, which would double the time of a first build")]
fn sum(moves: &DataFrame) -> Result<DataFrame, Error> {
    let names = vec![moves.column("name")?.clone()];
    let mut summed = moves.group_by_with_series(names, false, false)?.select(["step"]).sum()?;
    summed.rename("step_sum", "step".into())?;
    Ok(summed.sort(["name"], SortMultipleOptions::default().with_multithreaded(false))?)
}

/// What [`NameMoves::finish`] came to: sums of parts, each in order of name.
pub struct SummedNames(Vec<DataFrame>);

impl SummedNames {
    /// How many names there are at the most: some may be in several parts.
    #[must_use]
    pub fn most(&self) -> usize {
        self.0.iter().map(DataFrame::height).sum()
    }

    /// Each name with its difference: sorted by name (bytes), each once, never 0. They are handed to `take` in lists of about
    /// `count`, until it gives false.
    ///
    /// # Errors
    /// Only if polars fails.
    pub fn moves<'a>(&'a self, count: usize, take: &mut dyn FnMut(Vec<(&'a str, i64)>) -> bool) -> Result<(), Error> {
        let parts = self.0.iter().map(moves_of).collect::<Result<Vec<_>, _>>()?;
        let mut next = vec![0; parts.len()];
        let less = |next: &[usize], a: usize, b: usize| parts[a][next[a]].0 < parts[b][next[b]].0;
        let full = (0..parts.len()).filter(|part| !parts[*part].is_empty());
        let mut heap = Heap::new(full.collect(), |a, b| less(&next, a, b));
        let (mut moves, mut last) = (Vec::new(), None);
        while let Some(first) = heap.first() {
            let (name, step) = parts[first][next[first]];
            match &mut last {
                Some((of, sum)) if *of == name => *sum += step,
                _ => {
                    moves.extend(last.replace((name, step)).filter(|(_, sum)| *sum != 0));
                    if moves.len() >= count && !take(std::mem::take(&mut moves)) {
                        return Ok(());
                    }
                }
            }
            next[first] += 1;
            heap.moved(next[first] == parts[first].len(), |a, b| less(&next, a, b));
        }
        moves.extend(last.filter(|(_, sum)| *sum != 0));
        take(moves);
        Ok(())
    }
}

impl SummedNames {
    /// The same in one part.
    fn merged(self) -> Result<DataFrame, Error> {
        let (mut names, mut steps) = (builder(), Vec::new());
        self.moves(PART, &mut |moves| {
            moves.iter().for_each(|(name, _)| names.append_value(name));
            steps.extend(moves.iter().map(|(_, step)| *step));
            true
        })?;
        Ok(DataFrame::new_infer_height(vec![names.finish().into_column(), Column::new("step".into(), steps)])?)
    }
}

/// The rows of one part.
fn moves_of(part: &DataFrame) -> Result<Vec<(&str, i64)>, Error> {
    let (name, step) = (part.column("name")?.str()?, part.column("step")?.i64()?);
    let moves = name.iter().zip(step.iter());
    Ok(moves.map(|(name, step)| (name.unwrap_or_default(), step.unwrap_or_default())).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn parts_are_summed_together() {
        let mut moves = NameMoves::default();
        let mut expected: BTreeMap<String, i64> = BTreeMap::new();
        for number in 0..20 * PART as i64 {
            let (name, step) = (format!("name {}", number * 7919 % 9973), number % 3 - 1);
            moves.add(&[(&name, step)]).unwrap();
            *expected.entry(name).or_default() += step;
        }
        expected.retain(|_, step| *step != 0);
        let summed = moves.finish().unwrap();
        let mut all = Vec::new();
        let mut take = |moves| {
            all.extend(moves);
            true
        };
        summed.moves(100, &mut take).unwrap();
        let summed: Vec<_> = all.into_iter().map(|(name, step)| (name.to_owned(), step)).collect();
        assert!(summed.len() > 1_000);
        assert_eq!(summed, expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn names_are_sorted_by_bytes_whatever_their_length() {
        let long = "a name that is longer than an inline view";
        let names = ["", " ", "Z", "a", "a name that", long, &format!("{long}!"), "z", "é", "\u{10ffff}"];
        let mut deltas = NameMoves::default();
        for name in names.iter().rev().chain(&names) {
            deltas.add(&[(name, 1)]).unwrap();
        }
        let summed = deltas.finish().unwrap();
        let mut all = Vec::new();
        summed
            .moves(3, &mut |batch| {
                all.extend(batch);
                true
            })
            .unwrap();
        assert_eq!(all, names.map(|name| (name, 2)));
    }
}
