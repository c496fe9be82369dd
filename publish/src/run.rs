//! The whole run of an upload: checks all files, uploads a few at a time, and prints a line on stdout as each one ends.

use std::{
    io,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;
use tributary_admission::{Role, read_client_token};
use tributary_cli_common::bars::Bars;

use crate::{
    LocalFile, Outcome, RowCounts, Summary, UploadJob,
    client::MasterClient,
    local_files,
    progress::FileProgress,
    status::UploadStatus,
    upload::{CurrentId, KEPT, Upload},
};

/// Limit for the time that a stop waits for the master.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Uploads all files. A stop ends the uploads under way and starts no more.
///
/// # Errors
/// Nothing was sent, because a file or the token cannot be read; or stdout cannot be written. A file that fails is no error
/// here: the summary says so.
pub async fn run(job: &UploadJob, bars: &Bars, stop: &CancellationToken) -> Result<Summary> {
    let files = local_files(&job.files)?;
    let token = job.token_file.as_deref().map(|file| read_client_token(file, Role::Upload)).transpose()?;
    let master = MasterClient::new(job.to.clone(), token, &job.trust)?;
    let started = Instant::now();
    let mut printed = Ok(());
    let mut outcomes = Vec::new();
    let mut finished = stream::iter(&files)
        .map(|file| publish(&master, file, job.replace, bars, stop))
        .buffer_unordered(usize::from(job.jobs));
    while let Some(outcome) = finished.next().await {
        // A line that cannot be printed must not stop the other files.
        printed = printed.and(print(bars, &outcome.to_string()));
        outcomes.push(outcome);
    }
    let summary = Summary { outcomes, took: started.elapsed() };
    printed.and(print(bars, &summary.to_string())).context("failed to write the summary")?;
    Ok(summary)
}

/// Uploads one file, until a stop.
async fn publish(
    master: &MasterClient,
    file: &LocalFile,
    replace: bool,
    bars: &Bars,
    stop: &CancellationToken,
) -> Outcome {
    let started = Instant::now();
    let result = if stop.is_cancelled() {
        Err("stopped before it was sent".to_owned())
    } else {
        let progress = FileProgress::new(bars, file);
        let upload = Upload { master, file, replace, progress, current_id: CurrentId::default() };
        tokio::select! {
            result = upload.run() => result,
            () = stop.cancelled() => end(&upload).await,
        }
    };
    Outcome {
        name: file.name.clone(),
        bytes: file.size,
        took: started.elapsed(),
        result: result.map(|status| RowCounts { rows: status.rows, rejects: status.rejects }),
    }
}

/// Ends an upload early. A master that does not answer keeps what it has.
async fn end(upload: &Upload<'_>) -> Result<UploadStatus, String> {
    let ended = tokio::time::timeout(STOP_TIMEOUT, upload.stop()).await;
    ended.unwrap_or_else(|_| Err(format!("stopped; the master keeps what it has of it {KEPT}")))
}

/// Prints a line on stdout. A reader that went away is no error: the exit code still holds.
fn print(bars: &Bars, line: &str) -> io::Result<()> {
    match bars.print_line(line) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}
