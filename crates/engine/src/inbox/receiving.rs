//! A document that is being received: what is known of it, and the part of its body that is there.

use std::{
    io::{self, Seek},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;
use tributary_store::DocumentRow;

use crate::{count, documents::DocumentFolder};

/// Longest body that is held in memory until it is written together with others.
pub(super) const MAX_SMALL_BYTES: u64 = 256 << 10;

/// Bytes per second below which a sender loses its place if all are taken.
const SLOW_SPEED: u64 = 16 << 10;
/// Time for which the sender of a large and of a small body is not judged.
const MIN_JUDGED: Duration = Duration::from_secs(5);
const MIN_JUDGED_SMALL: Duration = Duration::from_secs(1);

/// Time without a new part after which an upload that comes in parts is given up.
pub(super) const EXPIRES_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// A document that is being received.
#[derive(Debug)]
pub(super) struct Receiving {
    pub(super) id: String,
    pub(super) path: String,
    pub(super) created_at: String,
    /// The sender; `None`: not known.
    pub(super) sent_by: Option<String>,
    /// Length of the body, if it is known.
    pub(super) total: Option<u64>,
    /// Whether its sender may ask about it meanwhile.
    is_listed: bool,
    bytes: AtomicU64,
    /// Bytes that are surely on disk, if the body may come in parts.
    pub(super) on_disk: Arc<AtomicU64>,
    /// Set if the body may come in parts.
    pub(super) resumable: Option<Resumable>,
    /// The body or part that is coming in. Locked only to look at it or to replace it.
    coming: Mutex<Option<Coming>>,
    /// Cancelled when a client cancels it.
    pub(super) cancel: CancellationToken,
    /// Cancelled once it is received, or given up.
    pub(super) over: CancellationToken,
}

/// The state of a body that comes in parts.
#[derive(Debug)]
pub(super) struct Resumable {
    /// Held by the request that appends to it. None if the part has to be read from the disk.
    pub(super) part: tokio::sync::Mutex<Option<Part>>,
    /// Cancelled to end the request that appends to it. Locked only to replace it.
    request: Mutex<CancellationToken>,
    /// When it is given up, by a clock that nobody sets. Locked only to look at it or to replace it.
    expires: Mutex<Instant>,
}

impl Resumable {
    /// A body that is given up after `left`.
    fn new(left: Duration) -> Self {
        let expires = Mutex::new(Instant::now() + left);
        Self { part: tokio::sync::Mutex::default(), request: Mutex::default(), expires }
    }

    /// Puts off that it is given up.
    pub(super) fn expire_after(&self, left: Duration) {
        *self.expires.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now() + left;
    }

    /// Whether it has to be given up.
    pub(super) fn has_expired(&self, now: Instant) -> bool {
        *self.expires.lock().unwrap_or_else(PoisonError::into_inner) <= now
    }

    /// The time without a part.
    pub(super) fn idle_for(&self) -> Duration {
        let expires = *self.expires.lock().unwrap_or_else(PoisonError::into_inner);
        EXPIRES_AFTER.saturating_sub(expires.saturating_duration_since(Instant::now()))
    }

    /// Ends the request that appends to it, in favour of a new one. Returns what ends that.
    pub(super) fn interrupt(&self) -> CancellationToken {
        let mut request = self.request.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *request).cancel();
        request.clone()
    }
}

impl Receiving {
    pub(super) fn new(id: String, path: String, total: Option<u64>, is_listed: bool) -> Self {
        let (cancel, over) = (CancellationToken::new(), CancellationToken::new());
        Self {
            id,
            path,
            created_at: crate::clock::now(),
            sent_by: None,
            total,
            is_listed,
            bytes: AtomicU64::new(0),
            on_disk: Arc::default(),
            resumable: None,
            coming: Mutex::default(),
            cancel,
            over,
        }
    }

    /// Says who sends it.
    pub(super) fn sent_by(self, sent_by: Option<String>) -> Self {
        Self { sent_by, ..self }
    }

    /// A body that comes in parts, of which `bytes` are on disk.
    pub(super) fn resumable(row: &DocumentRow) -> Self {
        let expires_at = row.expires_at.as_deref().and_then(|time| DateTime::parse_from_rfc3339(time).ok());
        let left = expires_at.map(|time| (time.to_utc() - Utc::now()).to_std().unwrap_or_default());
        // The clock may have been set back since a process before this one noted the time.
        let left = left.unwrap_or(EXPIRES_AFTER).min(EXPIRES_AFTER);
        Self {
            created_at: row.created_at.clone(),
            sent_by: row.sent_by.clone(),
            bytes: AtomicU64::new(count::loaded(row.bytes)),
            resumable: Some(Resumable::new(left)),
            ..Self::new(row.id.clone(), row.path.clone(), row.length.map(count::loaded), true)
        }
    }

    /// Whether its body is held in memory: nobody could look at what has come of it.
    pub(super) fn is_small(&self) -> bool {
        !self.is_listed && self.total.is_some_and(|total| total <= MAX_SMALL_BYTES)
    }

    /// Whether its body is coming in right now. A part whose sender is gone must not keep others from the path for a day.
    pub(super) fn is_coming(&self) -> bool {
        self.resumable.as_ref().is_none_or(|resumable| resumable.part.try_lock().is_err())
    }

    /// Begins to measure the sender of a body or part.
    pub(super) fn begin(&self) -> Coming {
        let coming = Coming { since: Instant::now(), bytes: self.bytes(), yields: CancellationToken::new() };
        *self.coming() = Some(coming.clone());
        coming
    }

    /// The speed of its sender in bytes per second, if that is slow.
    pub(super) fn slow_speed(&self) -> Option<u64> {
        let coming = self.coming().clone().filter(|coming| !coming.yields.is_cancelled())?;
        let took = coming.since.elapsed();
        let speed = self.bytes().saturating_sub(coming.bytes) / took.as_secs().max(1);
        let min_judged = if self.is_small() { MIN_JUDGED_SMALL } else { MIN_JUDGED };
        (took >= min_judged && speed < SLOW_SPEED).then_some(speed)
    }

    /// Ends what its sender sends, because others need the place.
    pub(super) fn let_go(&self) {
        if let Some(coming) = &*self.coming() {
            coming.yields.cancel();
        }
    }

    fn coming(&self) -> MutexGuard<'_, Option<Coming>> {
        self.coming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Sets the bytes that are on disk.
    pub(super) fn set(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// Counts received bytes, and returns all of them.
    pub(super) fn add(&self, bytes: u64) -> u64 {
        self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes
    }
}

/// A body or part that is coming in.
#[derive(Debug, Clone)]
pub(super) struct Coming {
    since: Instant,
    /// Bytes that were there before.
    bytes: u64,
    yields: CancellationToken,
}

impl Coming {
    /// Returns the token that is cancelled when others need the place.
    pub(super) fn yields(&self) -> CancellationToken {
        self.yields.clone()
    }
}

/// A completely received body.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Content {
    pub(super) bytes: u64,
    /// Written as in a manifest.
    pub(super) hash: String,
    /// The body, if it is not on disk yet.
    pub(super) small: Option<Vec<u8>>,
}

/// The first bytes of a body, as they are on disk.
#[derive(Debug, Default)]
pub(super) struct Part {
    hasher: blake3::Hasher,
    pub(super) bytes: u64,
}

impl Part {
    /// Reads the first `bytes` bytes of a body from the disk.
    ///
    /// # Errors
    /// The file cannot be read, or is shorter.
    pub(super) fn of_file(folder: &DocumentFolder, id: &str, bytes: u64) -> io::Result<Self> {
        let mut part = Self::default();
        let mut file = folder.open_part(id, bytes)?;
        file.rewind()?;
        io::copy(&mut file, &mut part.hasher)?;
        part.bytes = bytes;
        Ok(part)
    }

    /// Takes in the next bytes, which are or will be on disk.
    pub(super) fn add(&mut self, chunk: &[u8]) {
        self.hasher.update(chunk);
        self.bytes += chunk.len() as u64;
    }

    /// The whole body.
    pub(super) fn content(&self) -> Content {
        Content { bytes: self.bytes, hash: format!("blake3:{}", self.hasher.finalize().to_hex()), small: None }
    }
}
