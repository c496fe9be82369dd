//! The role of a master: whether it is the one that writes the database, and what one that only reads knows of that one.

use std::sync::Arc;

use tributary_store::ActiveMaster;

use super::Engine;

/// The part of a master in writing its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MasterRole {
    /// It polls sources and writes.
    Active,
    /// It reads, and takes over once the active one is gone.
    Standby,
    /// It reads.
    Reader,
}

impl MasterRole {
    /// All roles.
    pub const ALL: [Self; 3] = [Self::Active, Self::Standby, Self::Reader];

    /// Its word in answers and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Standby => "standby",
            Self::Reader => "reader",
        }
    }
}

impl Engine {
    /// The role of this master.
    #[must_use]
    pub fn role(&self) -> MasterRole {
        self.0.role
    }

    /// Whether this master makes changes. One that does not refuses them with [`OnlyReads`](crate::OnlyReads).
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.0.role == MasterRole::Active
    }

    /// The process that writes the database, as a master that only reads has last seen it; `None` if there is none, and in the one that
    /// writes.
    #[must_use]
    pub fn active_master(&self) -> Option<ActiveMaster> {
        self.0.seen.as_ref().and_then(|seen| seen.borrow().active.clone())
    }

    /// Words for why a master that only reads cannot read the database at the moment; `None` if it can.
    #[must_use]
    pub fn unreadable(&self) -> Option<&'static str> {
        self.0.seen.as_ref().and_then(|seen| seen.borrow().unreadable)
    }

    /// The names of all sources, in no particular order. Does not read the database.
    #[must_use]
    pub fn source_names(&self) -> Vec<String> {
        match &self.0.seen {
            Some(seen) => Arc::clone(&seen.borrow().sources).to_vec(),
            None => self.0.statuses.copy().into_keys().collect(),
        }
    }
}
