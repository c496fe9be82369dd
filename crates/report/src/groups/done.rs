//! All groups of a file or of a total, in byte order of their keys, in memory or in a file.

use std::{
    io,
    sync::{Mutex, PoisonError},
};

use super::{Groups, MAX_GROUPS, Part, sorted, spill::Run};

/// Bits of an index within a part.
const INDEX_BITS: u32 = MAX_GROUPS.ilog2() + 1;

/// All groups, none of which is added or changed any more.
pub(crate) enum DoneGroups {
    /// With their order.
    InMemory(Parts, Vec<u32>),
    /// Held to read them.
    InFile(Mutex<Run>),
}

impl Default for DoneGroups {
    fn default() -> Self {
        Self::InMemory(Parts::default(), Vec::new())
    }
}

impl DoneGroups {
    pub(crate) fn in_memory(parts: Parts) -> Self {
        let order = parts.order();
        Self::InMemory(parts, order)
    }

    pub(crate) fn in_file(run: Run) -> Self {
        Self::InFile(Mutex::new(run))
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::InMemory(_, order) => order.len(),
            Self::InFile(run) => run.lock().unwrap_or_else(PoisonError::into_inner).len(),
        }
    }

    /// Calls `take` with the key, the rows and the parts of each group, in byte order of the keys.
    pub(crate) fn each<E: From<io::Error>>(
        &self,
        mut take: impl FnMut(&[u8], u64, &[Part]) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::InMemory(parts, order) => order.iter().try_for_each(|group| {
                let (groups, index) = parts.place(*group);
                let (rows, parts) = groups.at(index);
                take(groups.key(index), rows, &parts)
            }),
            Self::InFile(run) => {
                let mut run = run.lock().unwrap_or_else(PoisonError::into_inner);
                run.each(|group| take(&group.key, group.rows, &group.parts))
            }
        }
    }
}

/// Groups in memory, in parts.
#[derive(Default)]
pub(crate) struct Parts(pub(crate) Vec<Groups>);

impl Parts {
    /// The numbers of all groups in byte order of their keys: the number of the part, and the index in it.
    pub(super) fn order(&self) -> Vec<u32> {
        let numbers = |(part, groups): (usize, &Groups)| {
            let first = (part as u32) << INDEX_BITS;
            first..first + groups.len() as u32
        };
        let key = |group| {
            let (groups, index) = self.place(group);
            groups.key(index)
        };
        sorted(self.0.iter().enumerate().flat_map(numbers), key)
    }

    /// The part and the index of the group with this number.
    pub(super) fn place(&self, group: u32) -> (&Groups, usize) {
        (&self.0[(group >> INDEX_BITS) as usize], (group & ((1 << INDEX_BITS) - 1)) as usize)
    }
}
