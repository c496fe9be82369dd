//! Whether two databases have read the same: of each source the same files, in the same way.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use tributary_store::{FileRow, Store};

use crate::input::Reader;

/// Files by source and path.
type Files = BTreeMap<(String, String), FileRow>;

/// Most often, people check from another folder than that of `tributary.toml`.
const NOT_CONFIGURED: &str =
    "the database has its rows, and its source is not configured; name the master's configuration with --config";

/// The first difference between the files of a reader, in words.
pub(super) fn first_difference(
    reader: &impl Reader,
    stored: &mut Store,
    computed: &mut Store,
) -> Result<Option<String>> {
    let name = reader.name();
    let configured: BTreeSet<String> = computed.sources()?.into_iter().map(|source| source.name).collect();
    let (stored, mut computed) = (files(&name, stored)?, files(&name, computed)?);
    for ((source, path), row) in stored {
        let difference = match computed.remove(&(source.clone(), path.clone())) {
            Some(now) => difference(reader, &row, &now),
            None if row.hash.is_none() => None,
            None if !configured.contains(&source) => Some(NOT_CONFIGURED.to_owned()),
            None => Some("the database has its rows, and the source does not have it".to_owned()),
        };
        if let Some(difference) = difference {
            return Ok(Some(format!("{source}/{path}: {difference}")));
        }
    }
    let new = computed.into_iter().find(|(_, row)| row.hash.is_some());
    Ok(new.map(|((source, path), _)| format!("{source}/{path}: the source has it, and the database has no row of it")))
}

fn files(reader: &str, store: &mut Store) -> Result<Files> {
    let mut found = Files::new();
    for source in store.sources()? {
        for row in store.files(reader, source.id)? {
            found.insert((source.name.clone(), row.path.clone()), row);
        }
    }
    Ok(found)
}

fn difference(reader: &impl Reader, stored: &FileRow, now: &FileRow) -> Option<String> {
    if stored.hash == now.hash {
        let is_read_so = match (&stored.reading, &now.reading) {
            (Some(stored), Some(now)) => reader.is_read_so(stored, now),
            (stored, now) => stored == now,
        };
        let is_same = is_read_so && stored.rank_key == now.rank_key;
        let why = "it was read or ranked by other settings than those of the configuration; reload the master";
        return (!is_same).then(|| why.to_owned());
    }
    Some(match &now.rejected_reason {
        Some(why) if now.hash.is_none() => {
            format!("it is rejected now ({why}), so the rows that the database keeps of it cannot be computed again")
        }
        _ => "the database has applied another content than the source holds".to_owned(),
    })
}
