//! One file's way: sent, again if the connection breaks, then followed until its rows are committed.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use reqwest::StatusCode;

use crate::{
    LocalFile,
    board::Line,
    job::{Job, JobState},
    master::{Master, Refused, RefusedKind},
};

/// How often a file is sent at most.
const TRIES: u32 = 5;
/// The pause before the second try; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// However long the master asks to wait.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The time between two questions about a job.
const QUESTIONS: Duration = Duration::from_millis(250);
/// How long a master that does not answer is waited for: it goes on with its jobs once it is back.
const SILENCE: Duration = Duration::from_secs(60);

/// Uploads a file and waits for its end. `id` is that of the upload that is under way.
///
/// # Errors
/// Why it failed.
pub(crate) async fn upload(
    master: &Master,
    file: &LocalFile,
    replace: bool,
    line: &Line,
    id: &CurrentId,
) -> Result<Job, String> {
    let sent = &send(master, file, replace, line, id).await?;
    id.set(sent);
    tracing::info!(file.name = %file.name, upload.id = %sent, "{}: sent, and waits to be processed", file.name);
    let job = follow(master, sent, &file.name, line).await?;
    match job.state {
        JobState::Failed => Err(job.error.unwrap_or_else(|| "the master does not say why".to_owned())),
        _ => Ok(job),
    }
}

/// Takes an upload back, unless it is over: what is committed stays. Returns the job if it is complete.
pub(crate) async fn take_back(master: &Master, id: &str) -> Option<Job> {
    match master.job(id).await {
        Ok(job) if job.state == JobState::Complete => Some(job),
        Ok(job) if job.state == JobState::Failed => None,
        // Nothing of it came, or it broke off by itself.
        Err(refused) if refused.is(StatusCode::NOT_FOUND) => None,
        _ => {
            if let Err(refused) = master.cancel(id).await {
                tracing::warn!(upload.id = %id, error = %refused.why, "failed to cancel: {}", refused.why);
            }
            None
        }
    }
}

/// Sends a file, each time from its start. Returns the id of its job.
async fn send(master: &Master, file: &LocalFile, replace: bool, line: &Line, id: &CurrentId) -> Result<String, String> {
    let mut broken = Vec::new();
    let (mut pause, mut tries) = (FIRST_PAUSE, 1);
    tracing::info!(file.name = %file.name, bytes = file.size, "{}: sending {} bytes", file.name, file.size);
    loop {
        line.begin_sending();
        let chosen = new_id()?;
        id.set(&chosen);
        let refused = match master.send(file, &chosen, replace, |bytes| line.show_sent(bytes)).await {
            Ok(id) => return Ok(id),
            Err(refused) => refused,
        };
        // The master may not have noticed yet that the try before is broken.
        let is_own = !broken.is_empty() && refused.is(StatusCode::CONFLICT);
        if refused.kind == RefusedKind::Broken {
            broken.push(chosen);
        }
        if tries == TRIES || !(refused.may_pass() || is_own) {
            return taken(master, &broken).await.ok_or_else(|| given_up(&refused, replace, tries));
        }
        tries += 1;
        let wait = refused.after.unwrap_or(pause).min(LONGEST_PAUSE);
        let seconds = wait.as_secs();
        let text = format!("{}: {}; try {tries} of {TRIES} in {seconds} s", file.name, refused.why);
        tracing::warn!(file.name = %file.name, error = %refused.why, "{text}");
        line.show_pause(tries, TRIES);
        tokio::time::sleep(wait).await;
        pause *= 2;
        if let Some(taken) = taken(master, &broken).await {
            return Ok(taken);
        }
    }
}

/// The try that the master has as a whole, though its answer was lost.
async fn taken(master: &Master, broken: &[String]) -> Option<String> {
    for id in broken.iter().rev() {
        let state = master.job(id).await.ok().map(|job| job.state);
        if matches!(state, Some(JobState::Queued | JobState::Processing | JobState::Complete)) {
            return Some(id.clone());
        }
    }
    None
}

/// The id of the upload that is under way; none before the first.
#[derive(Debug, Default)]
pub(crate) struct CurrentId(Mutex<Option<String>>);

impl CurrentId {
    pub(crate) fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, id: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(id.to_owned());
    }
}

/// An id that nobody has: chosen here, so that an upload whose answer is lost can be asked for.
fn new_id() -> Result<String, String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| format!("the system gives no random numbers: {error}"))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn given_up(refused: &Refused, replace: bool, tries: u32) -> String {
    let mend = if refused.is(StatusCode::CONFLICT) && !replace { "; `--replace` replaces it" } else { "" };
    let tries = if tries > 1 { format!(" (after {tries} tries)") } else { String::new() };
    format!("{}{mend}{tries}", refused.why)
}

/// Asks for a job until it is over.
async fn follow(master: &Master, id: &str, name: &str, line: &Line) -> Result<Job, String> {
    let mut silent: Option<Instant> = None;
    loop {
        match master.job(id).await {
            Ok(job) => {
                silent = None;
                line.show_job(&job);
                if matches!(job.state, JobState::Complete | JobState::Failed) {
                    return Ok(job);
                }
            }
            Err(refused) if refused.is(StatusCode::NOT_FOUND) => {
                return Err("the master knows the upload no longer".to_owned());
            }
            Err(refused) if is_silence(&refused) => {
                if silent.is_none() {
                    let text = format!("{name}: {}; waiting for the master", refused.why);
                    tracing::warn!(file.name = %name, error = %refused.why, "{text}");
                    line.show_silence();
                }
                if silent.get_or_insert_with(Instant::now).elapsed() > SILENCE {
                    return Err(format!("{}, for {} s; the master may go on with it", refused.why, SILENCE.as_secs()));
                }
            }
            Err(refused) => return Err(refused.why),
        }
        tokio::time::sleep(QUESTIONS).await;
    }
}

/// A master that has an inner error may answer the next question, too.
fn is_silence(refused: &Refused) -> bool {
    refused.may_pass() || matches!(refused.kind, RefusedKind::Answered(status) if status.is_server_error())
}
