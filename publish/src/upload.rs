//! The way of one file: sent slice by slice, gone on with after a failure, then followed until its rows are committed.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use reqwest::StatusCode;

use crate::{
    LocalFile,
    client::{Found, MasterClient, RequestError},
    identity::upload_id,
    progress::FileProgress,
    status::{UploadState, UploadStatus},
    tries::{Busy, MAX_TRIES, Tries, has_moved},
};

/// Interval in which the status of an upload is asked for.
const STATUS_INTERVAL: Duration = Duration::from_millis(250);
/// Limit for the time in which a master does not answer during processing. After a restart it resumes its uploads.
const MAX_SILENCE: Duration = Duration::from_secs(60);
/// Limit for the time in which another run that sends the same file gets nothing to the master.
const MAX_OTHER_SILENCE: Duration = Duration::from_secs(5);
/// Earlier uploads of the same file whose ids are tried; the master remembers fewer.
const MAX_EARLIER: u32 = 2_000;
/// The end of a sentence: for what time the master keeps a part, and what to do next.
pub(crate) const KEPT: &str = "for a day; the same command goes on there";

/// The upload of one file.
pub(crate) struct Upload<'a> {
    pub(crate) master: &'a MasterClient,
    pub(crate) file: &'a LocalFile,
    pub(crate) replace: bool,
    pub(crate) progress: FileProgress,
    pub(crate) current_id: CurrentId,
}

/// The result of a try to send a file.
enum Sent {
    /// The master has the whole file, or gave the upload up: its status says which.
    Whole,
    /// An earlier upload of the same file has ended under this id.
    Earlier,
    /// Another run has begun the upload at the same time.
    Raced,
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
        tracing::info!(file.name = %name, upload.id = %id, "{name}: sent, waiting to be processed");
        let status = self.follow(id).await?;
        match status.state {
            UploadState::Failed => Err(status.error.unwrap_or_else(|| "the master gives no reason".to_owned())),
            _ => Ok(status),
        }
    }

    /// Ends the upload early. A part of the file stays at the master, so that a later run can go on. A whole one is cancelled unless its
    /// rows are committed: what was stopped must not take effect. Returns its status if they are.
    ///
    /// # Errors
    /// The text says what is left.
    pub(crate) async fn stop(&self) -> Result<UploadStatus, String> {
        let stopped = Err("stopped".to_owned());
        let Some(id) = &self.current_id.get() else { return stopped };
        match self.master.find(id, self.file.size).await {
            Ok(Found::Part(offset)) if offset > 0 => {
                Err(format!("stopped; the master keeps {offset} of {} bytes {KEPT}", self.file.size))
            }
            Ok(Found::Nothing | Found::Ended) => stopped,
            Ok(Found::Part(_) | Found::Whole) => match self.master.status(id).await {
                Ok(status) if status.state == UploadState::Complete => Ok(status),
                Ok(status) if status.state == UploadState::Failed => stopped,
                _ => {
                    self.cancel(id).await;
                    stopped
                }
            },
            Err(_) => Err(format!("stopped; the master keeps what it has of it {KEPT}")),
        }
    }

    async fn cancel(&self, id: &str) {
        if let Err(error) = self.master.cancel(id).await {
            tracing::warn!(upload.id = %id, %error, "failed to cancel: {error}");
        }
    }

    /// Sends what the master does not have of the file. Returns the id under which it has it.
    async fn send(&self) -> Result<String, String> {
        let mut tries = Tries::new();
        let mut number = 0;
        loop {
            let id = upload_id(self.master.base(), self.file, self.replace, number);
            let error = match self.try_to_send(&id, &mut tries).await {
                Ok(Sent::Whole) => return Ok(id),
                Ok(Sent::Earlier) if number == MAX_EARLIER => return Err("it was uploaded too often".to_owned()),
                Ok(Sent::Earlier) => {
                    number += 1;
                    continue;
                }
                Ok(Sent::Raced) => continue,
                Err(error) => error,
            };
            if let (RequestError::File(_), Some(_)) = (&error, tries.offset) {
                self.cancel(&id).await;
            }
            let delay = tries.next_delay(&error).ok_or_else(|| self.failure(&error, &tries))?;
            if error.http().is_some_and(has_moved) {
                self.wait_for_other_run(&id).await;
            } else {
                self.show_delay(&error, &tries, delay);
                tokio::time::sleep(delay).await;
            }
        }
    }

    /// Asks what the master has, and sends the rest, slice by slice.
    async fn try_to_send(&self, id: &str, tries: &mut Tries) -> Result<Sent, RequestError> {
        let size = self.file.size;
        let mut offset = match self.master.find(id, size).await? {
            Found::Part(offset) => offset,
            Found::Whole | Found::Ended if tries.offset.is_some() => return Ok(Sent::Whole),
            Found::Ended => return Ok(Sent::Earlier),
            Found::Whole if self.master.status(id).await?.state.is_final() => return Ok(Sent::Earlier),
            Found::Whole => {
                self.current_id.set(id);
                return Ok(Sent::Whole);
            }
            Found::Nothing => {
                // Before the answer, which may be lost.
                self.current_id.set(id);
                match self.master.create(self.file, id, self.replace).await {
                    Ok(()) => 0,
                    Err(error) if error.has_status(StatusCode::CONFLICT) => {
                        return match self.master.find(id, size).await? {
                            Found::Nothing => Err(error),
                            _ => Ok(Sent::Raced),
                        };
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        self.current_id.set(id);
        if offset > 0 {
            let name = &self.file.name;
            tracing::info!(file.name = %name, upload.id = %id, "{name}: going on at byte {offset}");
        }
        self.progress.show_start(offset);
        tries.arrived(offset);
        while offset < size {
            offset = self.master.append(self.file, id, offset, |bytes| self.progress.show_sent(bytes)).await?;
            tries.arrived(offset);
        }
        Ok(Sent::Whole)
    }

    /// Waits while another run sends the same file: both would only break off each other's requests.
    async fn wait_for_other_run(&self, id: &str) {
        let name = &self.file.name;
        let (mut bytes, mut since) = (None, Instant::now());
        while let Ok(status) = self.master.status(id).await
            && status.state == UploadState::Receiving
            && since.elapsed() < MAX_OTHER_SILENCE
        {
            if bytes.is_none() {
                tracing::warn!(file.name = %name, "{name}: another run sends it; waiting for that one");
                self.progress.show_other_run();
            }
            if bytes != Some(status.bytes) {
                (bytes, since) = (Some(status.bytes), Instant::now());
            }
            tokio::time::sleep(STATUS_INTERVAL).await;
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

    fn failure(&self, error: &RequestError, tries: &Tries) -> String {
        let is_taken = error.has_status(StatusCode::CONFLICT) && !self.replace && tries.offset.is_none();
        let fix = if is_taken { "; use `--replace` to replace it" } else { "" };
        let count = if tries.count > 1 { format!(" (after {} tries)", tries.count) } else { String::new() };
        let is_kept = tries.count > 1 && tries.offset.is_some_and(|offset| offset > 0);
        let kept = if is_kept { format!("; the master keeps what it has of it {KEPT}") } else { String::new() };
        format!("{error}{fix}{count}{kept}")
    }

    /// Asks for the status until the upload is over.
    async fn follow(&self, id: &str) -> Result<UploadStatus, String> {
        let mut silent_since: Option<Instant> = None;
        loop {
            match self.master.status(id).await {
                Ok(status) if status.state.is_final() => return Ok(status),
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

/// Whether a master that fails to answer a question may answer the next one. It may have had an internal error, or a network answers in its
/// place.
fn may_recover(error: &RequestError) -> bool {
    error.http().is_some_and(|error| {
        let is_internal = error.status().is_some_and(|status| status.is_server_error());
        error.is_transient() || error.is_of_another_server() || is_internal
    })
}

/// The id under which this run uploads the file; none before it has begun.
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
