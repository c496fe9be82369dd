//! The way of one file: sent, sent again where that may help, then followed until its rows are committed.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use reqwest::StatusCode;
use tributary_http_client::{Backoff, Error};
use uuid::Uuid;

use crate::{
    LocalFile,
    client::{MasterClient, RequestError},
    progress::FileProgress,
    status::{UploadState, UploadStatus},
};

/// Most times that a file is sent. Answers that the master is busy do not count.
const MAX_TRIES: u32 = 5;
/// Delay before the second try; it doubles with each further one.
const FIRST_RETRY_DELAY: Duration = Duration::from_secs(1);
/// Limit for the delay between two tries, even if the master asks for a longer one.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(60);
/// Least delay between two tries while the master is busy, even if it asks for a shorter one.
const MIN_BUSY_DELAY: Duration = Duration::from_millis(100);
/// Limit for the time in which the master only says that it is busy. The uploads that it is busy with may be large.
const MAX_BUSY_TIME: Duration = Duration::from_secs(24 * 60 * 60);
/// Interval in which the status of an upload is asked for.
const STATUS_INTERVAL: Duration = Duration::from_millis(250);
/// Limit for the time in which a master does not answer during processing. After a restart it resumes its uploads.
const MAX_SILENCE: Duration = Duration::from_secs(60);

/// The upload of one file.
pub(crate) struct Upload<'a> {
    pub(crate) master: &'a MasterClient,
    pub(crate) file: &'a LocalFile,
    pub(crate) replace: bool,
    pub(crate) progress: FileProgress,
    pub(crate) current_id: CurrentId,
}

impl Upload<'_> {
    /// Sends the file and waits until its rows are committed.
    ///
    /// # Errors
    /// The reason why it failed.
    pub(crate) async fn run(&self) -> Result<UploadStatus, String> {
        let name = &self.file.name;
        tracing::info!(file.name = %name, bytes = self.file.size, "{name}: sending {} bytes", self.file.size);
        let id = &self.send().await?;
        self.current_id.set(id);
        tracing::info!(file.name = %name, upload.id = %id, "{name}: sent, waiting to be processed");
        let status = self.follow(id).await?;
        match status.state {
            UploadState::Failed => Err(status.error.unwrap_or_else(|| "the master gives no reason".to_owned())),
            _ => Ok(status),
        }
    }

    /// Cancels the upload unless it is over: committed rows stay. Returns its status if it is complete.
    pub(crate) async fn cancel(&self) -> Option<UploadStatus> {
        let id = &self.current_id.get()?;
        match self.master.status(id).await {
            Ok(status) if status.state == UploadState::Complete => Some(status),
            Ok(status) if status.state == UploadState::Failed => None,
            // Nothing of it arrived, or the master dropped it when the connection broke.
            Err(error) if error.has_status(StatusCode::NOT_FOUND) => None,
            _ => {
                if let Err(error) = self.master.cancel(id).await {
                    tracing::warn!(upload.id = %id, %error, "failed to cancel: {error}");
                }
                None
            }
        }
    }

    /// Sends the file, from its start at each try. Returns the id under which the master has it.
    async fn send(&self) -> Result<String, String> {
        let mut tries = Tries::new();
        loop {
            self.progress.show_start();
            let id = new_id();
            self.current_id.set(&id);
            let sent = self.master.send(self.file, &id, self.replace, |bytes| self.progress.show_sent(bytes)).await;
            let error = match sent {
                Ok(id) => return Ok(id),
                Err(error) => error,
            };
            let Some(delay) = tries.next_delay(&error, id) else {
                let received = self.find_received(&tries.unanswered).await;
                return received.ok_or_else(|| self.failure(&error, tries.count));
            };
            self.show_delay(&error, &tries, delay);
            tokio::time::sleep(delay).await;
            if let Some(id) = self.find_received(&tries.unanswered).await {
                return Ok(id);
            }
        }
    }

    /// Logs a failed try, and busy answers that follow one another only once: there may be thousands.
    fn show_delay(&self, error: &RequestError, tries: &Tries, delay: Duration) {
        let name = &self.file.name;
        match tries.busy {
            Some(Busy { answers: 1, .. }) => {
                tracing::warn!(file.name = %name, %error, "{name}: {error}; waiting until the master takes more uploads");
            }
            Some(_) => {}
            None => {
                let (count, seconds) = (tries.count, delay.as_secs());
                tracing::warn!(file.name = %name, %error, "{name}: {error}; try {count} of {MAX_TRIES} in {seconds} s");
            }
        }
        if tries.busy.is_some() {
            self.progress.show_busy();
        } else {
            self.progress.show_retry(tries.count, MAX_TRIES);
        }
    }

    /// Looks for a try that the master received as a whole though its answer was lost.
    async fn find_received(&self, unanswered: &[String]) -> Option<String> {
        for id in unanswered.iter().rev() {
            let state = self.master.status(id).await.ok().map(|status| status.state);
            if matches!(state, Some(UploadState::Queued | UploadState::Processing | UploadState::Complete)) {
                return Some(id.clone());
            }
        }
        None
    }

    fn failure(&self, error: &RequestError, tries: u32) -> String {
        let is_taken = error.has_status(StatusCode::CONFLICT) && !self.replace;
        let fix = if is_taken { "; use `--replace` to replace it" } else { "" };
        let tries = if tries > 1 { format!(" (after {tries} tries)") } else { String::new() };
        format!("{error}{fix}{tries}")
    }

    /// Asks for the status until the upload is over.
    async fn follow(&self, id: &str) -> Result<UploadStatus, String> {
        let mut silent_since: Option<Instant> = None;
        loop {
            match self.master.status(id).await {
                Ok(status) if matches!(status.state, UploadState::Complete | UploadState::Failed) => return Ok(status),
                Ok(status) => {
                    silent_since = None;
                    self.progress.show_status(&status);
                }
                Err(error) if error.has_status(StatusCode::NOT_FOUND) => {
                    return Err("the master no longer knows this upload".to_owned());
                }
                Err(error) if may_recover(&error) => self.wait_in_silence(&error, &mut silent_since)?,
                Err(error) => return Err(error.to_string()),
            }
            tokio::time::sleep(STATUS_INTERVAL).await;
        }
    }

    /// Tolerates a master that does not answer, up to [`MAX_SILENCE`].
    fn wait_in_silence(&self, error: &RequestError, silent_since: &mut Option<Instant>) -> Result<(), String> {
        if silent_since.is_none() {
            let name = &self.file.name;
            tracing::warn!(file.name = %name, %error, "{name}: {error}; waiting for the master");
            self.progress.show_silence();
        }
        if silent_since.get_or_insert_with(Instant::now).elapsed() > MAX_SILENCE {
            return Err(format!("{error}, for {} s; the master may still process it", MAX_SILENCE.as_secs()));
        }
        Ok(())
    }
}

/// Whether a master that fails to answer a question may answer the next one. It may have had an internal error, too.
fn may_recover(error: &RequestError) -> bool {
    error
        .http()
        .is_some_and(|error| error.is_transient() || error.status().is_some_and(|status| status.is_server_error()))
}

/// The tries to send one file.
struct Tries {
    /// Tries so far, the one under way included.
    count: u32,
    backoff: Backoff,
    /// The ids of tries that ended without an answer.
    unanswered: Vec<String>,
    /// Set while the master only says that it is busy.
    busy: Option<Busy>,
}

/// Busy answers that followed one another.
struct Busy {
    since: Instant,
    answers: u64,
}

impl Tries {
    fn new() -> Self {
        let backoff = Backoff::new(FIRST_RETRY_DELAY, MAX_RETRY_DELAY);
        Self { count: 1, backoff, unanswered: Vec::new(), busy: None }
    }

    /// Returns the delay before the next try after one under `id` failed, or nothing if there is to be none.
    fn next_delay(&mut self, error: &RequestError, id: String) -> Option<Duration> {
        // The master may not have noticed yet that the connection of an earlier try broke.
        let is_own_conflict = !self.unanswered.is_empty() && error.has_status(StatusCode::CONFLICT);
        let http = error.http()?;
        if http.is_unanswered() {
            self.unanswered.push(id);
        }
        if http.is_busy() {
            return self.busy_delay(http);
        }
        self.busy = None;
        if self.count == MAX_TRIES || !(http.is_transient() || is_own_conflict) {
            return None;
        }
        self.count += 1;
        Some(http.retry_after().unwrap_or_else(|| self.backoff.next_delay()).min(MAX_RETRY_DELAY))
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

/// The id of the try under way; none before the first.
#[derive(Debug, Default)]
pub(crate) struct CurrentId(Mutex<Option<String>>);

impl CurrentId {
    fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, id: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(id.to_owned());
    }
}

/// Chooses the id of an upload here, so that an upload whose answer is lost can be found: 32 hex digits.
fn new_id() -> String {
    Uuid::new_v4().simple().to_string()
}
