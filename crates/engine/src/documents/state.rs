//! The copy in memory of what the paths stand for.

use std::collections::{BTreeMap, BTreeSet};

use tributary_store::{DocumentRow, Place};

use super::changes::Standing;

#[derive(Default)]
pub(super) struct State {
    /// By path.
    pub(super) standing: BTreeMap<String, Standing>,
    /// Paths whose rows are applied, and whose file is gone.
    pub(super) missing: BTreeSet<String>,
    /// Paths that stand for something else than at the last listing.
    pub(super) changed: BTreeSet<String>,
    /// Changes of what paths stand for so far.
    pub(super) number: u64,
    /// Listings so far.
    pub(super) listings: u64,
    /// Paths of the last listing of changes.
    pub(super) listed: usize,
}

impl State {
    /// Notes those of the documents that ended which all readers have committed.
    pub(super) fn note_applied(&mut self, ended: &[DocumentRow]) {
        for row in ended.iter().filter(|row| row.place == Some(Place::Current)) {
            let standing = self.standing.get_mut(&row.path).filter(|standing| standing.id == row.id);
            standing.into_iter().for_each(|standing| standing.is_applied = true);
        }
    }
}
