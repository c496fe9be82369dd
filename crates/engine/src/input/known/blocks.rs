//! Packed files in order of their paths, one behind the other in blocks. A place of its own in memory would cost each half as much again.

use super::packed::path;

/// Files of a block. Few in tests, so that blocks are split.
const MAX_FILES: usize = if cfg!(test) { 4 } else { 128 };

/// All files. No block is empty.
#[derive(Debug, Clone, Default)]
pub(super) struct Blocks(Vec<Block>);

#[derive(Debug, Clone, Default)]
struct Block {
    files: Vec<u8>,
    /// The end of each file.
    ends: Vec<u32>,
}

impl Blocks {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All files.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().flat_map(|block| (0..block.ends.len()).map(|at| block.file(at)))
    }

    pub(super) fn last(&self) -> Option<&[u8]> {
        let block = self.0.last()?;
        Some(block.file(block.ends.len() - 1))
    }

    /// The file at this path.
    pub(super) fn get(&self, path: &[u8]) -> Option<&[u8]> {
        let block = self.0.get(self.block_of(path))?;
        Some(block.file(block.find(path).ok()?))
    }

    /// Puts a file in. Returns the one that it replaces.
    pub(super) fn insert(&mut self, file: &[u8]) -> Option<Box<[u8]>> {
        let number = self.block_of(path(file));
        let is_last = number + 1 >= self.0.len();
        let Some(block) = self.0.get_mut(number) else {
            self.0.push(Block::of([file]));
            return None;
        };
        match block.find(path(file)) {
            Ok(at) => {
                let before = block.file(at).into();
                block.splice(at, true, file);
                return Some(before);
            }
            // Most files come in order, and leave full blocks behind.
            Err(at) if is_last && at == MAX_FILES => {
                block.shrink();
                self.0.push(Block::of([file]));
            }
            Err(at) => block.splice(at, false, file),
        }
        self.split(number);
        None
    }

    /// Takes the file at this path out.
    pub(super) fn remove(&mut self, path: &[u8]) -> Option<Box<[u8]>> {
        let number = self.block_of(path);
        let block = self.0.get_mut(number)?;
        let at = block.find(path).ok()?;
        let file = block.file(at).into();
        block.splice(at, true, &[]);
        if block.ends.is_empty() {
            self.0.remove(number);
        }
        Some(file)
    }

    /// The number of the block where the file at a path is, or would be; that of the first if it would be before all.
    fn block_of(&self, wanted: &[u8]) -> usize {
        self.0.partition_point(|block| path(block.file(0)) <= wanted).saturating_sub(1)
    }

    /// Splits a block that has too many files.
    fn split(&mut self, number: usize) {
        let block = &self.0[number];
        let (half, all) = (MAX_FILES / 2, block.ends.len());
        if all > MAX_FILES {
            let halves =
                [Block::of((0..half).map(|at| block.file(at))), Block::of((half..all).map(|at| block.file(at)))];
            self.0.splice(number..=number, halves);
        }
    }
}

impl Block {
    fn of<'a>(files: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut block = Self::default();
        for file in files {
            block.files.extend_from_slice(file);
            block.ends.push(block.files.len() as u32);
        }
        block.shrink();
        block
    }

    fn shrink(&mut self) {
        self.files.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    fn begin(&self, at: usize) -> usize {
        at.checked_sub(1).map_or(0, |before| self.ends[before] as usize)
    }

    fn file(&self, at: usize) -> &[u8] {
        &self.files[self.begin(at)..self.ends[at] as usize]
    }

    /// The place of the file at a path, or the one where it would be.
    fn find(&self, wanted: &[u8]) -> Result<usize, usize> {
        let (mut from, mut to) = (0, self.ends.len());
        while from < to {
            let middle = from.midpoint(to);
            match path(self.file(middle)).cmp(wanted) {
                std::cmp::Ordering::Less => from = middle + 1,
                std::cmp::Ordering::Equal => return Ok(middle),
                std::cmp::Ordering::Greater => to = middle,
            }
        }
        Err(from)
    }

    /// Puts a file in at a place, in place of the one there if it `replaces` it. No bytes are no file.
    fn splice(&mut self, at: usize, replaces: bool, file: &[u8]) {
        let begin = self.begin(at);
        let end = if replaces { self.ends[at] as usize } else { begin };
        self.files.splice(begin..end, file.iter().copied());
        self.ends.drain(at..at + usize::from(replaces));
        for later in &mut self.ends[at..] {
            // Fits, because a block has few files of bounded texts.
            *later = (*later as usize + file.len() - (end - begin)) as u32;
        }
        if !file.is_empty() {
            self.ends.insert(at, (begin + file.len()) as u32);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// A file as it is packed: the length of its path, the path, and something.
    fn file(path: &str, rest: u8) -> Vec<u8> {
        [&[path.len() as u8], path.as_bytes(), &vec![rest; rest.into()]].concat()
    }

    proptest! {
        #[test]
        fn blocks_hold_what_a_map_holds(
            steps in prop::collection::vec(("[ab]{1,3}|[a-z]{2}", prop::option::weighted(0.7, 0_u8..9)), 0..150),
            ascending in 0_u8..40,
        ) {
            let (mut blocks, mut map) = (Blocks::default(), BTreeMap::<String, Vec<u8>>::new());
            let first = (0..ascending).map(|number| (format!("{number:02}"), Some(number % 5)));
            for (path, rest) in first.chain(steps) {
                let (before, expect) = match rest.map(|rest| file(&path, rest)) {
                    Some(file) => (blocks.insert(&file), map.insert(path.clone(), file)),
                    None => (blocks.remove(path.as_bytes()), map.remove(&path)),
                };
                prop_assert_eq!(before.map(Vec::from), expect);
                prop_assert_eq!(blocks.get(path.as_bytes()), map.get(&path).map(Vec::as_slice));
                prop_assert_eq!(blocks.last(), map.values().last().map(Vec::as_slice));
            }
            prop_assert!(blocks.iter().eq(map.values()));
            prop_assert!(blocks.0.iter().all(|block| (1..=MAX_FILES).contains(&block.ends.len())));
            prop_assert_eq!(blocks.is_empty(), map.is_empty());
        }
    }
}
