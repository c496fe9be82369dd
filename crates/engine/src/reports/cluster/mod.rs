//! Partials that a Ballista cluster computes. Files that any CSV reader reads alike go there, several in one query, and each file's groups
//! come back as a partial of its own; for every other file there is a reason, which is shown, and its source or this master computes it.
//!
//! It belongs here if it decides what goes to a cluster, or turns its rows into partials. SQL is written in the crate `report`, and
//! connections are made in the crate `ballista`.

mod notes;
mod partitions;
mod place;
mod plan;
mod query;
mod run;

pub use notes::EngineCounts;
pub(super) use notes::NotByCluster;
pub(crate) use notes::engine_counts;
pub(super) use place::Place;
pub(super) use run::{ClusterRun, Routed};
