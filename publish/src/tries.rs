//! Decides whether and when a failed step of an upload is repeated.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use tributary_http_client::{Backoff, Error};

use crate::client::RequestError;

/// Most tries in a row in which the master gets nothing more of a file. Answers that it is busy do not count.
pub(crate) const MAX_TRIES: u32 = 7;
/// Delay before the second try; it doubles with each further one.
const FIRST_RETRY_DELAY: Duration = Duration::from_secs(1);
/// Limit for the delay between two tries, even if the master asks for a longer one.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(60);
/// Least delay between two tries while the master is busy, even if it asks for a shorter one.
const MIN_BUSY_DELAY: Duration = Duration::from_millis(100);
/// Limit for the time in which the master only says that it is busy. The uploads that it is busy with may be large.
const MAX_BUSY_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The tries to send one file.
pub(crate) struct Tries {
    /// Tries since the master got something, the one under way included.
    pub(crate) count: u32,
    backoff: Backoff,
    /// Bytes that the master has; none before the upload has begun.
    pub(crate) offset: Option<u64>,
    /// Set while the master only says that it is busy.
    pub(crate) busy: Option<Busy>,
}

/// Busy answers that followed one another.
pub(crate) struct Busy {
    since: Instant,
    pub(crate) answers: u64,
}

impl Tries {
    pub(crate) fn new() -> Self {
        Self { count: 1, backoff: Backoff::new(FIRST_RETRY_DELAY, MAX_RETRY_DELAY), offset: None, busy: None }
    }

    /// Notes how many bytes the master has.
    pub(crate) fn arrived(&mut self, offset: u64) {
        if self.offset.is_some_and(|before| offset > before) {
            self.count = 1;
            self.backoff.reset();
            self.busy = None;
        }
        self.offset = Some(offset);
    }

    /// Returns the delay before the next try, or nothing if there is to be none.
    pub(crate) fn next_delay(&mut self, error: &RequestError) -> Option<Duration> {
        let http = error.http()?;
        if http.is_busy() {
            return self.busy_delay(http);
        }
        self.busy = None;
        if self.count == MAX_TRIES || !self.may_recover(http) {
            return None;
        }
        self.count += 1;
        Some(http.retry_after().unwrap_or_else(|| self.backoff.next_delay()).min(MAX_RETRY_DELAY))
    }

    /// Whether another try may succeed.
    fn may_recover(&self, error: &Error) -> bool {
        let has_begun = self.offset.is_some();
        let is_internal = error.status() == Some(StatusCode::INTERNAL_SERVER_ERROR);
        // What took a part of the file was a master.
        error.is_transient() || (has_begun && (is_internal || has_moved(error) || error.is_of_another_server()))
    }

    /// The delay that a busy master asks for. It takes a few uploads at a time, so with many `--jobs`, or beside other
    /// programs, one has to wait for its turn.
    fn busy_delay(&mut self, error: &Error) -> Option<Duration> {
        let busy = self.busy.get_or_insert_with(|| Busy { since: Instant::now(), answers: 0 });
        busy.answers += 1;
        let delay = error.retry_after()?.clamp(MIN_BUSY_DELAY, MAX_RETRY_DELAY);
        (busy.since.elapsed() < MAX_BUSY_TIME).then_some(delay)
    }
}

/// Whether the upload is not where this run believes it to be: another run goes on with it, or it has ended.
pub(crate) fn has_moved(error: &Error) -> bool {
    matches!(error.status(), Some(StatusCode::CONFLICT | StatusCode::NOT_FOUND | StatusCode::GONE))
}
