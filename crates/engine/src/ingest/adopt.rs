//! Adopt: what the configuration says about the sources, brought into the database before the first pass. A source that
//! is no longer configured goes with its rows, or is held; a changed order chooses winners again from the stored offers.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
    time::Instant,
};

use anyhow::Result;
use tributary_config::{DropSources, PRODUCTS, ReportConfig, SourceConfig, UPLOADS};
use tributary_store::{HeldVersionRow, SourcePass, SourceRow, SourceState, Store};

use super::{
    apply::note_pass,
    brake::{gone_digest, is_of_gone_source, put_held},
    catalog::FeedRules,
    changes::{Skus, Written, choose_again, write_touched},
    feed::ProductTables,
    recorder::ChangeOrigin,
};
use crate::{
    clock::now,
    database::events::{self, AppliedVersion, Event},
    input::{KnownFiles, ResultTables},
};

/// Rows of files that are read at a time.
const FILES_PER_QUERY: i64 = 4_096;

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
    /// Rules by which its feeds are read.
    pub(crate) feeds: FeedRules,
    /// Its files by path. Whoever plans shares them for a while.
    pub(crate) files: Arc<KnownFiles>,
}

/// Sources that hold rows and are no longer configured. Nothing was changed.
#[derive(Debug)]
pub struct WouldDropSources {
    /// Their names, and what the database has of each, in words.
    pub sources: Vec<(String, String)>,
}

impl std::error::Error for WouldDropSources {}

impl fmt::Display for WouldDropSources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |(name, what): &(String, String)| format!("`{name}` ({what})");
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

/// Refuses to drop sources that hold rows of products or of one of these reports without leave.
///
/// # Errors
/// [`WouldDropSources`] if there are some; the database fails.
pub(crate) fn check_dropped(
    store: &mut Store,
    sources: &[SourceConfig],
    reports: &[ReportConfig],
    drop: &DropSources,
) -> Result<()> {
    let mut would_drop = Vec::new();
    for row in unconfigured(store, sources, drop)? {
        let offers = offers(store, &row)?;
        let mut read_by = Vec::new();
        for report in reports {
            if store.files(&report.reader(), row.id)?.iter().any(|file| file.hash.is_some()) {
                read_by.push(format!("`{}`", report.name));
            }
        }
        match (offers, read_by.is_empty()) {
            (0, true) => {}
            (0, false) => would_drop.push((row.name, format!("read by the reports {}", read_by.join(", ")))),
            _ => would_drop.push((row.name, format!("{offers} offers"))),
        }
    }
    if would_drop.is_empty() { Ok(()) } else { Err(WouldDropSources { sources: would_drop }.into()) }
}

/// The stored sources that are not among `sources` and may not be dropped.
fn unconfigured(store: &mut Store, sources: &[SourceConfig], drop: &DropSources) -> Result<Vec<SourceRow>> {
    let configured = names(sources);
    let is_gone = |row: &SourceRow| !configured.contains(row.name.as_str()) && !drop.allows(&row.name);
    Ok(store.sources()?.into_iter().filter(is_gone).collect())
}

fn names(sources: &[SourceConfig]) -> HashSet<&str> {
    sources.iter().map(|source| source.name.as_str()).collect()
}

fn offers(store: &mut Store, source: &SourceRow) -> Result<i64> {
    Ok(store.files(PRODUCTS, source.id)?.iter().map(|file| file.results).sum())
}

/// The names of those that hold offers.
fn vanished(store: &mut Store, sources: &[SourceConfig], drop: &DropSources) -> Result<Vec<String>> {
    let mut vanished = Vec::new();
    for row in unconfigured(store, sources, drop)? {
        if offers(store, &row)? > 0 {
            vanished.push(row.name);
        }
    }
    Ok(vanished)
}

/// Makes the stored sources those of the configuration. One that is gone, holds rows and may not be dropped is held. Belongs into a
/// transaction in which nothing was written yet.
///
/// # Errors
/// The database fails or is damaged.
pub(crate) fn adopt(store: &mut Store, sources: &[SourceConfig], drop: &DropSources) -> Result<Adopted> {
    let configured = names(sources);
    let held = vanished(store, sources, drop)?;
    let is_kept = |row: &SourceRow| configured.contains(row.name.as_str()) || held.contains(&row.name);
    let (kept, gone): (Vec<_>, Vec<_>) = store.sources()?.into_iter().partition(is_kept);
    let (dropped, written) = drop_sources(store, gone)?;
    let places = places(sources, &kept);
    let settings = store.catalog_settings()?;
    let mut stored = Vec::new();
    let known: HashMap<i64, &SourceRow> = kept.iter().map(|row| (row.id, row)).collect();
    for source in sources {
        let place = places[source.name.as_str()];
        let id = store.put_source(&source.name, source.url.as_str(), source.priority, place)?;
        release(store, id)?;
        let (feeds, files) = (FeedRules::new(&settings, &source.columns)?, files_by_path(store, id)?);
        let new = StoredSource { id, state: SourceState::Unknown, error: None, version: None, feeds, files };
        stored.push(match known.get(&id) {
            Some(SourceRow { state, error, version, .. }) => {
                StoredSource { state: *state, error: error.clone(), version: version.clone(), ..new }
            }
            None => new,
        });
    }
    for row in kept.iter().filter(|row| held.contains(&row.name)) {
        store.put_source(&row.name, &row.url, row.priority, places[row.name.as_str()])?;
        hold_source(store, row)?;
    }
    let before = order(kept.iter().map(|row| (row.priority, row.position, row.name.as_str())));
    let priorities: HashMap<&str, i64> = sources.iter().map(|source| (source.name.as_str(), source.priority)).collect();
    let priority = |row: &SourceRow| priorities.get(row.name.as_str()).copied().unwrap_or(row.priority);
    let now = order(kept.iter().map(|row| (priority(row), places[row.name.as_str()], row.name.as_str())));
    let chosen =
        if before == now { None } else { Some(choose_again(store, Skus::Contested, &ChangeOrigin::Configuration)?) };
    Ok(Adopted { stored, dropped, written, held, chosen })
}

/// The position of each source: that of the configuration. A source that is held although it is not configured stays behind the one
/// that it was behind, so that it wins against the same offers as before.
fn places<'a>(sources: &'a [SourceConfig], kept: &'a [SourceRow]) -> HashMap<&'a str, i64> {
    let mut placed: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    let old: Vec<&str> = kept.iter().map(|row| row.name.as_str()).collect();
    let configured = names(sources);
    for (at, name) in old.iter().enumerate() {
        if !configured.contains(name) {
            let before = old[..at].iter().rev().find_map(|name| placed.iter().position(|placed| placed == name));
            placed.insert(before.map_or(0, |before| before + 1), name);
        }
    }
    placed.into_iter().zip(0..).collect()
}

/// Holds a source that is no longer configured, unless it is held already.
fn hold_source(store: &mut Store, row: &SourceRow) -> Result<()> {
    if store.held_version(row.id)?.is_some_and(|held| is_of_gone_source(&held)) {
        return Ok(());
    }
    let offers = store.offered_skus(PRODUCTS, row.id)?;
    let name = &row.name;
    let reason =
        format!("the source is no longer configured; its {offers} skus stay until someone accepts that they go");
    let held = HeldVersionRow {
        source_id: row.id,
        digest: gone_digest(&store.files(PRODUCTS, row.id)?),
        removes: offers,
        offers,
        reason: reason.clone(),
        held_since: now(),
        held_until: None,
        accepted: false,
        accepted_by: None,
        accepted_at: None,
    };
    put_held(store, name, &held)?;
    let pass = SourcePass {
        state: SourceState::Held,
        error: Some(reason),
        version: None,
        last_sensed: None,
        last_applied: None,
    };
    note_pass(store, row.id, name, row.state, &pass)
}

/// Forgets that a source was held for not being configured: it is again.
fn release(store: &mut Store, source: i64) -> Result<()> {
    if store.held_version(source)?.is_some_and(|held| is_of_gone_source(&held)) {
        store.clear_held_version(source)?;
    }
    Ok(())
}

/// Drops a source with all its rows. Returns the changes of products. Belongs into a transaction in which nothing was written yet.
///
/// # Errors
/// The database fails or is damaged.
pub(crate) fn drop_source(store: &mut Store, source: SourceRow) -> Result<Written> {
    let name = source.name.clone();
    let started = Instant::now();
    let written = drop_sources(store, vec![source])?.1;
    let event = AppliedVersion {
        source: name,
        version: None,
        added: written.added,
        updated: written.updated,
        removed: written.removed,
        rejected: 0,
        skus: Vec::new(),
        seconds: started.elapsed().as_secs_f64(),
    };
    events::put(store, &Event::Applied(event))?;
    Ok(written)
}

/// The result of an adoption.
pub(crate) struct Adopted {
    /// Of each configured source in turn.
    pub(crate) stored: Vec<StoredSource>,
    /// Names of the sources that went, and how many offers they had.
    dropped: Vec<(String, i64)>,
    /// The changes by dropping them.
    written: Written,
    /// Names of the sources that are held, because they hold rows and are no longer configured.
    held: Vec<String>,
    /// The changes by choosing winners again; `None` if the order is the same.
    pub(crate) chosen: Option<Written>,
}

impl Adopted {
    /// Whether rows changed, of which no version of a source tells.
    pub(crate) fn changed_rows(&self) -> bool {
        !self.dropped.is_empty() || self.chosen.is_some()
    }

    /// All changes of products.
    pub(crate) fn written(&self) -> Written {
        self.written + self.chosen.unwrap_or_default()
    }

    /// The names of all sources that hold rows or may: the configured ones, and those that are held.
    pub(crate) fn names<'a>(&'a self, configured: &'a [SourceConfig]) -> Vec<&'a str> {
        configured.iter().map(|source| &source.name).chain(&self.held).map(String::as_str).collect()
    }

    /// Logs it, once it is committed.
    pub(crate) fn log(&self) {
        for (name, offers) in &self.dropped {
            tracing::warn!(source.id = %name, offers, "source `{name}` is no longer configured: dropped its {offers} offers");
        }
        for name in &self.held {
            tracing::warn!(
                source.id = %name,
                "source `{name}` is no longer configured: its rows stay until someone accepts that they go, on the page or with \
                 `master --accept`"
            );
        }
        if let Some(Written { updated, .. }) = self.chosen.filter(|written| *written != Written::default()) {
            tracing::info!(
                products.updated = updated,
                "the order of the sources or the rules of the catalog have changed: chose winners again, {updated} products changed"
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
        let feeds = FeedRules::new(&store.catalog_settings()?, &source.columns)?;
        let files = files_by_path(store, id)?;
        Ok(StoredSource { id, state: SourceState::Unknown, error: None, version: None, feeds, files })
    })
}

/// The files of a source. There may be a million, so they are packed a part at a time.
fn files_by_path(store: &mut Store, source: i64) -> Result<Arc<KnownFiles>> {
    let mut files = KnownFiles::default();
    loop {
        let some = store.files_after(PRODUCTS, source, files.last_path(), FILES_PER_QUERY)?;
        if some.is_empty() {
            return Ok(Arc::new(files));
        }
        for file in &some {
            files.insert(file);
        }
    }
}

/// All of them together: what is written must not be asked for again in the same transaction.
fn drop_sources(store: &mut Store, gone: Vec<SourceRow>) -> Result<(Vec<(String, i64)>, Written)> {
    let (mut dropped, mut all_files, mut touched) = (Vec::new(), Vec::new(), Vec::new());
    for source in &gone {
        let files = store.files(PRODUCTS, source.id)?;
        for file in &files {
            touched.push(ProductTables::remove(store, file.id)?);
        }
        dropped.push((source.name.clone(), files.iter().map(|file| file.results).sum()));
        all_files.extend(files);
    }
    let (written, _) = write_touched(store, &touched, None, &ChangeOrigin::Configuration)?;
    for file in &all_files {
        store.delete_file(file.id)?;
    }
    for source in &gone {
        store.delete_source(source.id)?;
    }
    Ok((dropped, written))
}

/// Names in the order in which their offers win.
fn order<'a>(sources: impl Iterator<Item = (i64, i64, &'a str)>) -> Vec<&'a str> {
    let mut sources: Vec<_> = sources.collect();
    sources.sort_unstable();
    sources.into_iter().map(|(_, _, name)| name).collect()
}
