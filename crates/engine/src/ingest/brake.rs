//! The brake: a version that would take too many skus of its source away is held until a person accepts it, or until it has stayed
//! the same for long enough. See docs/reference/README.md#held-versions.

use std::{
    collections::HashSet,
    fmt,
    time::{Duration, Instant},
};

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use tributary_config::{Brake, PRODUCTS};
use tributary_merge::{Batch, FileChanges, StoredRows, withdrawn};
use tributary_store::{FileRow, HeldVersionRow, SourcePass, SourceState, Store};

use super::{
    apply::{Applied, SourceVersion, note_pass},
    causes::{Cause, MAX_SKUS_NAMED, reason},
};
use crate::{
    clock::{self, now},
    database::events::{self, Event, HeldVersion},
    ingest::Written,
};

/// Begins the digest of a source that is held as a whole, because it is no longer configured.
const GONE: &str = "gone-";

/// Counts the skus that a version takes away from its source, while it is written.
pub(super) struct Removals {
    /// All files of the source.
    files: HashSet<i64>,
    count: u64,
    digest: blake3::Hasher,
    first: Vec<String>,
}

impl Removals {
    /// Begins to count, if the version can exceed what `brake` allows. That is rare, so most versions are not counted.
    pub(super) fn watch(
        store: &mut Store,
        source: i64,
        brake: &Brake,
        changes: &[FileChanges],
    ) -> Result<Option<Self>> {
        let gone: usize = changes.iter().map(|file| file.gone().len()).sum();
        if brake.max_removal.is_none_or(|max| gone as u64 <= max.rows) {
            return Ok(None);
        }
        let files = store.file_ids(PRODUCTS, source)?.into_iter().collect();
        Ok(Some(Self { files, count: 0, digest: blake3::Hasher::new(), first: Vec::new() }))
    }

    /// Counts the skus of one batch. Batches come in order of sku, so the same skus have the same digest.
    pub(super) fn count(&mut self, before: &StoredRows, batch: &Batch) {
        for sku in withdrawn(before, batch, &self.files) {
            self.count += 1;
            self.digest.update(&(sku.len() as u64).to_le_bytes()).update(sku.as_bytes());
            if self.first.len() < MAX_SKUS_NAMED {
                self.first.push(sku.to_owned());
            }
        }
    }

    /// Decides, once all is written.
    ///
    /// # Errors
    /// [`TooMuch`]: the transaction must be rolled back, and the version held. The database fails.
    pub(super) fn check(self, store: &mut Store, version: &SourceVersion, causes: &[Cause]) -> Result<()> {
        let Some(max) = version.brake.max_removal else { return Ok(()) };
        let digest = self.digest.finalize().to_hex()[..32].to_owned();
        let held = store.held_version(version.source)?.filter(|held| held.digest == digest);
        let offers = match held.as_ref().map(|held| held.offers.unsigned_abs()).or(version.offered) {
            // Parts of it may have added some since.
            Some(offers) => offers,
            // Read through a connection that does not see what was just written.
            None => store.reader()?.offered_skus(PRODUCTS, version.source)?.unsigned_abs(),
        };
        if !max.is_exceeded(self.count, offers) {
            return Ok(());
        }
        let is_over = |held: &HeldVersionRow| match version.waits.as_ref().filter(|wait| wait.digest == held.digest) {
            Some(wait) => wait.is_over(),
            None => is_over(held, &version.brake),
        };
        if held.as_ref().is_some_and(|held| held.accepted || is_over(held)) {
            return Ok(());
        }
        let reason = reason(self.count, offers, &self.first, causes);
        let row = HeldVersionRow {
            source_id: version.source,
            digest,
            removes: i64::try_from(self.count)?,
            offers: i64::try_from(offers)?,
            reason,
            held_since: held.map_or_else(now, |held| held.held_since),
            held_until: None,
            accepted: false,
            accepted_by: None,
            accepted_at: None,
        };
        let until = held_until(&row, &version.brake);
        let held_until = until.map(clock::text);
        Err(TooMuch(HeldVersionRow { held_until, ..row }).into())
    }
}

/// A version that takes too much away.
#[derive(Debug)]
pub(super) struct TooMuch(pub(super) HeldVersionRow);

impl std::error::Error for TooMuch {}

impl fmt::Display for TooMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.reason)
    }
}

/// Time at which a held version is applied by itself, if it stays the same. `None`: never.
fn held_until(held: &HeldVersionRow, brake: &Brake) -> Option<DateTime<Utc>> {
    let hold_for = TimeDelta::from_std(brake.hold_for?).ok()?;
    let since = DateTime::parse_from_rfc3339(&held.held_since).ok()?;
    since.to_utc().checked_add_signed(hold_for).filter(|_| !is_of_gone_source(held))
}

/// The wait of a held version in this process, by a clock that nobody sets. The times in the database count only until there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HoldWait {
    /// The digest of what is held.
    digest: String,
    /// When it is applied by itself; `None`: never.
    pub(crate) until: Option<Instant>,
}

impl HoldWait {
    /// Begins the wait, or goes on with the one that has begun `before`.
    pub(crate) fn of(held: &HeldVersionRow, brake: &Brake, before: Option<Self>) -> Self {
        before.filter(|before| before.digest == held.digest).unwrap_or_else(|| {
            let left = held_until(held, brake).zip(brake.hold_for).map(|(until, hold_for)| {
                let left: Duration = (until - Utc::now()).to_std().unwrap_or_default();
                // The clock may have been set back since a process before this one noted the time.
                left.min(hold_for)
            });
            let until = left.and_then(|left| Instant::now().checked_add(left));
            Self { digest: held.digest.clone(), until }
        })
    }

    fn is_over(&self) -> bool {
        self.until.is_some_and(|until| until <= Instant::now())
    }
}

/// The digest of a source that is held as a whole.
pub(super) fn gone_digest(files: &[FileRow]) -> String {
    let mut digest = blake3::Hasher::new();
    for FileRow { path, hash, results, .. } in files {
        let file = format!("{path}\0{}\0{results}\0", hash.as_deref().unwrap_or_default());
        digest.update(file.as_bytes());
    }
    format!("{GONE}{}", &digest.finalize().to_hex()[..32])
}

/// Whether a source is held as a whole, because it is no longer configured. Earlier versions gave it no digest.
pub(crate) fn is_of_gone_source(held: &HeldVersionRow) -> bool {
    held.digest.is_empty() || held.digest.starts_with(GONE)
}

fn is_over(held: &HeldVersionRow, brake: &Brake) -> bool {
    held_until(held, brake).is_some_and(|until| until <= Utc::now())
}

/// Records that a version is held, in place of applying it.
///
/// # Errors
/// The database fails.
pub(super) fn hold(store: &mut Store, version: SourceVersion, held: HeldVersionRow) -> Result<Applied> {
    store.transaction(|store| {
        let is_news = put_held(store, &version.name, &held)?;
        let words = held_words(&version.name, &held, &version.brake);
        let error = version.faults.joined([]).into_iter().chain([words]).collect::<Vec<_>>().join("; ");
        let pass = SourcePass {
            state: if version.failed { SourceState::Down } else { SourceState::Held },
            error: Some(error.clone()),
            version: None,
            last_sensed: Some(version.sensed.clone()),
            last_applied: None,
        };
        note_pass(store, version.source, &version.name, version.before, &pass)?;
        let held = Some(Held { row: held, is_news });
        Ok(Applied {
            written: Written::default(),
            rejected: 0,
            state: pass.state,
            error: Some(error),
            held,
            left: Vec::new(),
        })
    })
}

/// Stores what a source holds, and an event if it held nothing or something else before. Returns whether that is so.
///
/// # Errors
/// The database fails.
pub(super) fn put_held(store: &mut Store, source: &str, held: &HeldVersionRow) -> Result<bool> {
    let is_news = store.held_version(held.source_id)?.is_none_or(|known| known.digest != held.digest);
    store.put_held_version(held)?;
    if is_news {
        let HeldVersionRow { removes, offers, reason, .. } = held.clone();
        events::put(store, &Event::Held(HeldVersion { source: source.to_owned(), removes, offers, reason }))?;
    }
    Ok(is_news)
}

/// A version that is held now.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    /// As stored.
    pub(crate) row: HeldVersionRow,
    /// Whether other skus were held before, or none.
    pub(crate) is_news: bool,
}

/// Says what is held, why, and what to do: one sentence for logs, pages and `--once`.
fn held_words(source: &str, held: &HeldVersionRow, brake: &Brake) -> String {
    let until = match held_until(held, brake) {
        Some(until) => format!("; else it is applied at {}", until.format("%Y-%m-%d %H:%M:%S UTC")),
        None => String::new(),
    };
    format!(
        "held, nothing was changed: {}. If that is right, accept it on the page or with `master --accept {}`{until}",
        held.reason,
        shell_word(source)
    )
}

/// A name as a shell takes it.
fn shell_word(name: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:/".contains(letter);
    if name.chars().all(is_plain) { name.to_owned() } else { format!("'{}'", name.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(digest: &str, seconds: i64) -> HeldVersionRow {
        HeldVersionRow {
            source_id: 1,
            digest: digest.into(),
            removes: 1,
            offers: 1,
            reason: String::new(),
            held_since: (Utc::now() - TimeDelta::seconds(seconds)).to_rfc3339(),
            held_until: None,
            accepted: false,
            accepted_by: None,
            accepted_at: None,
        }
    }

    /// A clock that was set must not let a version pass, nor hold it longer than one that was just found.
    #[test]
    fn a_wait_goes_on_by_a_clock_that_nobody_sets() {
        let brake = Brake::default();
        let left = |wait: &HoldWait| wait.until.map(|until| until.duration_since(Instant::now()).as_secs());
        let begun = HoldWait::of(&held("d", 0), &brake, None);
        assert!(!begun.is_over() && left(&begun).is_some_and(|left| (590..600).contains(&left)), "{begun:?}");
        assert_eq!(HoldWait::of(&held("d", 9999), &brake, Some(begun.clone())), begun);
        assert!(HoldWait::of(&held("other", 9999), &brake, Some(begun)).is_over());
        let set_back = HoldWait::of(&held("d", -9999), &brake, None);
        assert!(left(&set_back).is_some_and(|left| left < 600), "{set_back:?}");
        assert_eq!(HoldWait::of(&held("d", 9999), &Brake { hold_for: None, ..brake }, None).until, None);
    }

    #[test]
    fn a_version_is_held_for_as_long_as_it_is_set() {
        let brake = Brake::default();
        assert!(!is_over(&held("d", 590), &brake) && is_over(&held("d", 600), &brake));
        assert!(!is_over(&held("d", 9999), &Brake { hold_for: None, ..brake }));
        for gone in [String::new(), gone_digest(&[])] {
            assert!(!is_over(&held(&gone, 9999), &brake), "a source that is no longer configured waits for a person");
        }
        assert!(!is_over(&HeldVersionRow { held_since: "soon".into(), ..held("d", 0) }, &brake));
        let words = held_words("it's", &held("d", 0), &brake);
        assert!(words.contains(r"`master --accept 'it'\''s'`; else it is applied at "), "{words}");
    }
}
