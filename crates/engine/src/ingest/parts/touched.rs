//! Finds the skus whose counting row changes when parts of a file do: of several rows of one sku, the last one counts.

use std::{
    collections::{HashMap, HashSet},
    io,
};

use foldhash::fast::FixedState;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::MAX_READ_ROWS;
use crate::cache::KnownFile;

/// The skus that a patch must know of.
pub(super) struct Touched {
    /// Those whose row of before does not count any more, each once.
    pub(super) removed: Vec<String>,
    /// Those that were read but do not count, because a row below them stayed.
    pub(super) hidden: HashSet<String>,
}

/// The last rows of a sku: the number of the segment of each, in the content of before or in that of now.
#[derive(Default)]
struct LastRows {
    /// Now, among what was read.
    read: Option<u32>,
    /// Before, among what is gone.
    gone: Option<usize>,
    /// Among what stayed: before, and now.
    stayed: Option<(usize, u32)>,
    /// Its text, once it is known that rows of it stayed.
    sku: String,
}

impl Touched {
    /// `stayed` are the known segments that the file still has, each with its number now; `read` the hashes of skus that were read, with
    /// the numbers of their segments; `stayed_rows` the number of rows that stayed. `None` if a row counts now that stayed and did not
    /// count before, or if most rows are gone: then reading all of the file takes less.
    ///
    /// # Errors
    /// The remembered content cannot be read.
    pub(super) fn find(
        file: &KnownFile,
        stayed: &[(usize, u32, u64)],
        read: Vec<(u64, u32)>,
        stayed_rows: u64,
    ) -> io::Result<Option<Self>> {
        let all: u64 = file.segments.iter().map(|placed| placed.segment.rows).sum();
        let gone = all - stayed_rows;
        if gone > MAX_READ_ROWS as u64 && gone > 2 * stayed_rows {
            return Ok(None);
        }
        let hash = |sku: &str| xxh3_64_with_seed(sku.as_bytes(), file.seed);
        let mut rows: HashMap<u64, LastRows, FixedState> = HashMap::default();
        for (hash, segment) in read {
            rows.entry(hash).or_default().read = Some(segment);
        }
        let mut stays = vec![false; file.segments.len()];
        stayed.iter().for_each(|(index, ..)| stays[*index] = true);
        let gone: Vec<usize> = (0..stays.len()).filter(|index| !stays[*index]).collect();
        for index in &gone {
            for sku in file.skus(*index)?.iter() {
                rows.entry(hash(sku?)).or_default().gone = Some(*index);
            }
        }
        for (index, now, _) in stayed {
            for sku in file.skus(*index)?.iter() {
                let sku = sku?;
                if let Some(rows) = rows.get_mut(&hash(sku)) {
                    rows.stayed = Some((*index, *now));
                    sku.clone_into(&mut rows.sku);
                }
            }
        }
        let mut removed = removed_alone(file, &gone, &rows)?;
        let mut hidden = HashSet::new();
        for LastRows { read, gone, stayed, sku } in rows.into_values() {
            let Some((before, now)) = stayed else { continue };
            match (read > Some(now), gone > Some(before)) {
                (true, _) => removed.push(sku),
                (false, true) => return Ok(None),
                (false, false) if read.is_some() => drop(hidden.insert(sku)),
                (false, false) => {}
            }
        }
        Ok(Some(Self { removed, hidden }))
    }
}

/// The skus of segments that are gone, each once, without those of which rows stayed.
fn removed_alone(
    file: &KnownFile,
    gone: &[usize],
    rows: &HashMap<u64, LastRows, FixedState>,
) -> io::Result<Vec<String>> {
    let hash = |sku: &str| xxh3_64_with_seed(sku.as_bytes(), file.seed);
    let mut removed = Vec::new();
    for index in gone {
        for sku in file.skus(*index)?.iter() {
            let sku = sku?;
            if rows.get(&hash(sku)).is_some_and(|rows| rows.stayed.is_none()) {
                removed.push(sku.to_owned());
            }
        }
    }
    removed.sort_unstable();
    removed.dedup();
    Ok(removed)
}
