//! All files: looked at first, then a few uploaded at a time, each with a line on stdout when it is over.

use std::{
    io,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;
use tributary_admission::Access;

use crate::{
    Board, LocalFile, Outcome, Summary,
    cli::Args,
    job::Job,
    local_files,
    master::Master,
    upload::{CurrentId, take_back, upload},
};

/// How long a stop waits until the master has taken uploads back.
const GOODBYE: Duration = Duration::from_secs(2);

/// Uploads all files. A stop takes back what is under way and sends nothing more.
///
/// # Errors
/// Nothing was sent: a file or the token cannot be read. Or stdout takes no more. What became of each file is in the summary.
pub async fn run(args: &Args, board: &Board, stop: &CancellationToken) -> Result<Summary> {
    let files = local_files(&args.files)?;
    let token = Access { token_file: args.token_file.clone(), allow_anonymous: false }.token()?;
    let master = Master::new(args.to.clone(), token)?;
    let started = Instant::now();
    let mut printed = Ok(());
    let mut outcomes = Vec::new();
    let mut ends = stream::iter(&files)
        .map(|file| publish(&master, file, args.replace, board, stop))
        .buffer_unordered(usize::from(args.jobs));
    while let Some(outcome) = ends.next().await {
        // What cannot be printed is no reason to leave the other files.
        printed = printed.and(say(board, &outcome.to_string()));
        outcomes.push(outcome);
    }
    let summary = Summary { outcomes, took: started.elapsed() };
    printed.and(say(board, &summary.to_string())).context("failed to write the summary")?;
    Ok(summary)
}

/// Uploads one file, or takes it back.
async fn publish(master: &Master, file: &LocalFile, replace: bool, board: &Board, stop: &CancellationToken) -> Outcome {
    let started = Instant::now();
    let id = CurrentId::default();
    let result = if stop.is_cancelled() {
        Err("stopped before it was sent".to_owned())
    } else {
        let line = board.line(&file.name, file.size);
        tokio::select! {
            result = upload(master, file, replace, &line, &id) => result,
            () = stop.cancelled() => stopped(master, id.get()).await,
        }
    };
    Outcome {
        name: file.name.clone(),
        bytes: file.size,
        took: started.elapsed(),
        result: result.map(|job| (job.rows, job.rejects)),
    }
}

/// Takes an upload back that the master has; one that is still being sent breaks off by itself.
async fn stopped(master: &Master, id: Option<String>) -> Result<Job, String> {
    let failed = || "stopped".to_owned();
    let Some(id) = id else { return Err(failed()) };
    let taken_back = tokio::time::timeout(GOODBYE, take_back(master, &id)).await;
    taken_back.ok().flatten().ok_or_else(failed)
}

/// A line on stdout. That nobody reads it is no error: the exit code still says what it says.
fn say(board: &Board, line: &str) -> io::Result<()> {
    match board.say(line) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        said => said,
    }
}
