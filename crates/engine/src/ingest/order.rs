//! Whether a version changes the order of its source's files. Then the winner of every sku with several offers is chosen again: a sku
//! that no file has touched may have another one.

use std::collections::HashMap;

use anyhow::Result;
use tributary_config::PRODUCTS;
use tributary_store::{FileRow, Store};

use super::apply::SourceVersion;
use crate::ingest::Outcome;

/// Whether files that offer something are in another order after this version. `known` are the stored rows of the files that were
/// read.
pub(super) fn changes(store: &mut Store, version: &SourceVersion, known: &HashMap<String, FileRow>) -> Result<bool> {
    let is_accepted = |outcome: &Outcome| matches!(outcome, Outcome::Accepted(_));
    let read = version.files.iter().filter(|file| is_accepted(&file.outcome) || !file.listed.rank.is_of_content);
    let read = read.filter_map(|file| Some((known.get(&file.listed.entry.path)?, &file.listed.rank.key)));
    let mut keys: HashMap<i64, &str> =
        read.filter(|(row, key)| row.rank_key != **key).map(|(row, key)| (row.id, key.as_str())).collect();
    keys.extend(version.reranked.iter().chain(&version.settled).map(|row| (row.id, row.rank_key.as_str())));
    if keys.is_empty() {
        return Ok(false);
    }
    let files = store.file_ranks(PRODUCTS, version.source)?;
    let mut files: Vec<_> = files.iter().map(|(id, key, path)| (key.as_str(), path.as_str(), *id)).collect();
    files.sort_unstable();
    let after = files.iter().map(|(key, path, id)| (keys.get(id).unwrap_or(key), path));
    Ok(!after.is_sorted())
}
