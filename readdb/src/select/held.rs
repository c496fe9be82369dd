//! The versions that are held: `readdb held`.

use anyhow::Result;
use tributary_config::PRODUCTS;
use tributary_store::{HeldVersionRow, Store};

use crate::cell::Cell;

pub(super) const COLUMNS: [&str; 9] =
    ["source", "removes", "offers", "since", "until", "accepted", "reason", "accepted_by", "accepted_at"];

/// Returns all of them, by source.
pub(super) fn rows(store: &mut Store) -> Result<Vec<Vec<Cell>>> {
    let sources = store.sources_view(PRODUCTS)?;
    Ok(sources.into_iter().filter_map(|source| source.held.map(|held| cells(source.name, held))).collect())
}

fn cells(source: String, held: HeldVersionRow) -> Vec<Cell> {
    let HeldVersionRow { removes, offers, reason, held_since, held_until, accepted, accepted_by, accepted_at, .. } =
        held;
    vec![
        source.into(),
        removes.into(),
        offers.into(),
        held_since.into(),
        held_until.into(),
        accepted.into(),
        reason.into(),
        accepted_by.into(),
        accepted_at.into(),
    ]
}
