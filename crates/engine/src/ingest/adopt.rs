//! Adopt: what the configuration says about the sources, brought into the database before the first pass. A source that
//! is no longer configured goes with its rows; a changed order chooses winners again from the stored offers.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
};

use anyhow::Result;
use tributary_config::{DropSources, SourceConfig, UPLOADS};
use tributary_store::{FileRow, SourceRow, SourceState, Store};

use super::{
    apply::put_pages,
    changes::{Written, choose_again, write_touched},
};

/// One source as the database has it.
#[derive(Debug, Clone)]
pub(crate) struct StoredSource {
    /// The source's number.
    pub(crate) id: i64,
    /// Its state after the last pass.
    pub(crate) state: SourceState,
    /// The faults of its last pass.
    pub(crate) error: Option<String>,
    /// The version that was applied as a whole.
    pub(crate) version: Option<String>,
    /// Its files by path.
    pub(crate) files: BTreeMap<String, FileRow>,
}

/// Sources that hold rows and are no longer configured. Nothing was changed.
#[derive(Debug)]
pub struct WouldDropSources {
    /// Their names and how many rows they offer.
    pub sources: Vec<(String, i64)>,
}

impl std::error::Error for WouldDropSources {}

impl fmt::Display for WouldDropSources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |(name, offers): &(String, i64)| format!("`{name}` ({offers} offers)");
        let sources = self.sources.iter().map(listed).collect::<Vec<_>>().join(", ");
        let names = self.sources.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(",");
        write!(
            f,
            "the database holds rows of sources that are not configured: {sources}; configure them again, or delete their rows \
             with `--drop-sources {names}`"
        )?;
        if self.sources.iter().any(|(name, _)| name == UPLOADS) {
            write!(
                f,
                "; the source `{UPLOADS}` is the uploads folder, which is missing: restore it, or set `dir` in [uploads]"
            )?;
        }
        Ok(())
    }
}

/// The sources that are not among `sources`, hold rows, and may not be dropped.
///
/// # Errors
/// [`WouldDropSources`] if there are some; the database fails.
pub(crate) fn check_dropped(store: &mut Store, sources: &[SourceConfig], drop: &DropSources) -> Result<()> {
    let mut refused = Vec::new();
    for row in store.sources()? {
        if sources.iter().any(|source| source.name == row.name) || drop.allows(&row.name) {
            continue;
        }
        let offers: i64 = store.files(row.id)?.iter().map(|file| file.offers).sum();
        if offers > 0 {
            refused.push((row.name, offers));
        }
    }
    if refused.is_empty() { Ok(()) } else { Err(WouldDropSources { sources: refused }.into()) }
}

/// Makes the stored sources those of the configuration. Belongs into a transaction in which nothing was written yet.
///
/// # Errors
/// The database fails or is damaged.
pub(crate) fn adopt(store: &mut Store, sources: &[SourceConfig]) -> Result<Adopted> {
    let configured: HashSet<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    let (kept, gone): (Vec<_>, Vec<_>) =
        store.sources()?.into_iter().partition(|row| configured.contains(row.name.as_str()));
    let dropped = drop_sources(store, gone)?;
    let mut stored = Vec::new();
    for (position, source) in (0..).zip(sources) {
        let id = store.put_source(&source.name, source.url.as_str(), source.priority, position)?;
        let files = files_by_path(store, id)?;
        stored.push(match kept.iter().find(|row| row.id == id) {
            Some(SourceRow { state, error, version, .. }) => {
                StoredSource { id, state: *state, error: error.clone(), version: version.clone(), files }
            }
            None => StoredSource { id, state: SourceState::Unknown, error: None, version: None, files },
        });
    }
    let before = order(kept.iter().map(|row| (row.priority, row.position, row.name.as_str())));
    let chosen = if before == configured_order(sources, &kept) { None } else { Some(choose_again(store)?) };
    Ok(Adopted { stored, dropped, chosen })
}

/// The result of an adoption.
pub(crate) struct Adopted {
    /// Of each configured source in turn.
    pub(crate) stored: Vec<StoredSource>,
    /// Names of the sources that went, and how many offers they had.
    dropped: Vec<(String, i64)>,
    /// The changes by choosing winners again; `None` if the order is the same.
    chosen: Option<Written>,
}

impl Adopted {
    /// Whether rows changed, of which no version of a source tells.
    pub(crate) fn changed_rows(&self) -> bool {
        !self.dropped.is_empty() || self.chosen.is_some()
    }

    /// Logs it, once it is committed.
    pub(crate) fn log(&self) {
        for (name, offers) in &self.dropped {
            tracing::warn!(source.id = %name, offers, "source `{name}` is no longer configured: dropped its {offers} offers");
        }
        if let Some(Written { updated, .. }) = self.chosen {
            tracing::info!(
                products.updated = updated,
                "the order of the sources has changed: chose winners again, {updated} products changed"
            );
        }
    }
}

/// Stores one more source, behind all others. Their order stays as it is, and it offers nothing yet.
///
/// # Errors
/// The database fails; then nothing has changed.
pub(crate) fn adopt_last(store: &mut Store, source: &SourceConfig) -> Result<StoredSource> {
    store.transaction(|store| {
        let position = store.sources()?.into_iter().map(|row| row.position + 1).max().unwrap_or_default();
        let id = store.put_source(&source.name, source.url.as_str(), source.priority, position)?;
        let files = files_by_path(store, id)?;
        Ok(StoredSource { id, state: SourceState::Unknown, error: None, version: None, files })
    })
}

fn files_by_path(store: &mut Store, source: i64) -> Result<BTreeMap<String, FileRow>> {
    Ok(store.files(source)?.into_iter().map(|file| (file.path.clone(), file)).collect())
}

/// All of them together: what is written must not be asked for again in the same transaction.
fn drop_sources(store: &mut Store, gone: Vec<SourceRow>) -> Result<Vec<(String, i64)>> {
    let (mut dropped, mut all_files, mut touched) = (Vec::new(), Vec::new(), Vec::new());
    for source in &gone {
        let files = store.files(source.id)?;
        for file in &files {
            touched.push(put_pages(store, file.id, None)?);
        }
        dropped.push((source.name.clone(), files.iter().map(|file| file.offers).sum()));
        all_files.extend(files);
    }
    write_touched(store, touched)?;
    for file in &all_files {
        store.delete_file(file.id)?;
    }
    for source in &gone {
        store.delete_source(source.id)?;
    }
    Ok(dropped)
}

/// Names in the order in which their offers win.
fn order<'a>(sources: impl Iterator<Item = (i64, i64, &'a str)>) -> Vec<&'a str> {
    let mut sources: Vec<_> = sources.collect();
    sources.sort_unstable();
    sources.into_iter().map(|(_, _, name)| name).collect()
}

/// The same for those of the configured sources that were there before.
fn configured_order<'a>(sources: &'a [SourceConfig], kept: &[SourceRow]) -> Vec<&'a str> {
    let kept: HashSet<&str> = kept.iter().map(|row| row.name.as_str()).collect();
    let placed = (0..).zip(sources).map(|(position, source)| (source.priority, position, source.name.as_str()));
    order(placed.filter(|(_, _, name)| kept.contains(name)))
}
