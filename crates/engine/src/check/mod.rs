//! Computes products, names and reports again, and compares them with the database. Everything is read anew from the sources and the uploads
//! into a database that is thrown away, so no stored row vouches for itself.
//!
//! A master may run meanwhile: its database is only read, in one snapshot. What it has not applied yet is waited for.

mod edits;
mod inputs;
mod reports;
mod rows;
mod scratch;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tributary_config::{Config, PRODUCTS, ReportConfig};
use tributary_store::{Error as StoreError, Lock, SourceState, Store};

use self::{rows::Table, scratch::Scratch};
use crate::{
    facade::once,
    ingest::{Feed, FeedRules},
    progress::Unobserved,
};

/// Longest wait for a master to apply what the sources hold.
const MAX_CATCH_UP: Duration = Duration::from_secs(60);
/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// The result of a check.
#[derive(Debug, PartialEq, Eq)]
pub enum Checked {
    /// The tables are what the sources, uploads and edits give.
    Equal {
        /// Rows of `products`.
        products: u64,
        /// Rows of `aggr`.
        names: u64,
        /// Configured reports.
        reports: usize,
        /// Rows of their tables.
        groups: u64,
    },
    /// The first difference, in words.
    Different(String),
    /// Nothing can be said, because these sources are down or held, or a report fails: one sentence each.
    Unknown(Vec<String>),
}

/// The result of one comparison.
enum Comparison {
    Done(Checked),
    /// A master may still apply this.
    Behind(String),
}

impl Comparison {
    fn different(difference: String) -> Self {
        Self::Done(Checked::Different(difference))
    }

    fn unknown(why: Vec<String>) -> Self {
        Self::Done(Checked::Unknown(why))
    }
}

/// Compares the database of a configuration with what its sources hold.
///
/// # Errors
/// The database cannot be read, or the one that is thrown away cannot be written.
pub async fn check(config: &Config) -> Result<Checked> {
    let deadline = Instant::now() + MAX_CATCH_UP;
    let database = config.database.clone();
    if let Some(damage) = blocking(move || Ok(Store::open_existing(&database)?.damage()?)).await? {
        return Ok(Checked::Different(format!(
            "its file is damaged: {damage}; restore a backup (`starter restore`), or set it up again (`starter --reset`), which deletes \
             the edits"
        )));
    }
    let scratch = Arc::new(Scratch::create(config)?);
    loop {
        match compare_once(&scratch).await? {
            Comparison::Done(checked) => return Ok(checked),
            Comparison::Behind(why) if Instant::now() > deadline || !master_runs(config) => {
                return Ok(Checked::Different(why));
            }
            Comparison::Behind(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn compare_once(scratch: &Arc<Scratch>) -> Result<Comparison> {
    let documents = Arc::clone(scratch);
    let missing = blocking(move || documents.take_documents()).await?;
    if let Some(path) = missing {
        return Ok(Comparison::Behind(format!("uploads/{path}: its file is missing from the folder of uploads")));
    }
    once(scratch.config.clone(), &|_| Arc::new(Unobserved)).await.context("failed to compute the tables again")?;
    let tables = Arc::clone(scratch);
    blocking(move || {
        let mut stored = Store::open_existing(&tables.database)?;
        let _lock = Lock::acquire(&tables.config.database, "starter check")?;
        let mut computed = Store::open(&tables.config.database)?;
        stored.snapshot(|stored| compare(&tables.config.reports, stored, &mut computed))
    })
    .await
}

/// Compares two databases, of which the second has been computed from the sources alone. Copies the edits to it.
fn compare(reports: &[ReportConfig], stored: &mut Store, computed: &mut Store) -> Result<Comparison> {
    let unknown = unavailable(stored, computed)?;
    if !unknown.is_empty() {
        return Ok(Comparison::unknown(unknown));
    }
    if stored.catalog_settings()? != computed.catalog_settings()? {
        let why = "[catalog] of the configuration is not the one in force; reload the master";
        return Ok(Comparison::Behind(why.to_owned()));
    }
    // Rules decide how a file is read, not whether one reading stands for another.
    let rules = FeedRules::default();
    if let Some(difference) = inputs::first_difference(&Feed::new(reports, &rules), stored, computed)? {
        return Ok(Comparison::Behind(difference));
    }
    edits::copy(stored, computed)?;
    let mut counts = [0; 2];
    for (count, table) in counts.iter_mut().zip([Table::Products, Table::Names]) {
        match rows::compare(&table, stored, computed)? {
            Ok(rows) => *count = rows,
            Err(difference) => return Ok(Comparison::different(difference)),
        }
    }
    let [products, names] = counts;
    Ok(match reports::compare(reports, stored, computed)? {
        Ok(groups) => Comparison::Done(Checked::Equal { products, names, reports: reports.len(), groups }),
        Err(ended) => ended,
    })
}

/// Sources that are held, and those that could not be read now.
fn unavailable(stored: &mut Store, computed: &mut Store) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for source in stored.sources_view(PRODUCTS)? {
        if let Some(held) = source.held.filter(|held| !held.accepted) {
            found.push(format!("{} is held: {}", source.name, held.reason));
        }
    }
    for source in computed.sources_view(PRODUCTS)? {
        if source.state == SourceState::Down {
            found.push(format!("{} is down: {}", source.name, source.error.unwrap_or_default()));
        }
    }
    Ok(found)
}

fn master_runs(config: &Config) -> bool {
    matches!(Lock::acquire(&config.database, "starter check"), Err(StoreError::Locked { .. }))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.context("the check panicked")?
}
