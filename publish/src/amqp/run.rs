//! The whole run of publishing: checks all files, sends their messages, and prints the outcome on stdout.

use std::{io, sync::Arc, time::Instant};

use anyhow::{Context, Result, anyhow, bail};
use tokio::{sync::mpsc, task::spawn_blocking};
use tokio_util::sync::CancellationToken;
use tributary_cli_common::bars::Bars;

use super::{
    deliver::{Delivery, End, Tally, may_recover},
    documents,
    item::Item,
    operations,
    outcome::{DocumentOutcome, Published},
    progress::Progress,
    tries::MAX_SILENCE,
};
use crate::{Content, LocalFile, PublishJob, local_files};

/// Operations that are read ahead of the network.
const MAX_OPERATIONS_AHEAD: usize = 32;
/// Documents that are read ahead of the network. They may be large.
const MAX_DOCUMENTS_AHEAD: usize = 1;

/// Publishes all files. A stop ends it, after a moment for confirmations that are under way.
///
/// # Errors
/// Nothing was sent, because of a file or a queue; or the broker does not confirm everything, or a stop came before; or stdout cannot be written.
/// A document that cannot be read is no error here: [`Published::is_complete`] says so.
pub async fn publish(job: &PublishJob, bars: &Bars, stop: &CancellationToken) -> Result<Published> {
    let started = Instant::now();
    let files = Arc::new(local_files(&job.files)?);
    let progress = Progress::new(bars, job.content, &job.queue);
    progress.show_check();
    let counts = tokio::select! {
        counts = check(job.content, Arc::clone(&files)) => counts?,
        () = stop.cancelled() => bail!("stopped before anything was sent"),
    };
    let total = counts.iter().sum();
    progress.set_length(match job.content {
        Content::Documents => files.iter().map(|file| file.size).sum(),
        Content::Operations => total,
    });
    let items = read(job.content, Arc::clone(&files));
    let (end, tally) = Delivery::new(job, files.len(), items, &progress, stop).run().await;
    drop(progress);
    let confirmed = tally.confirmed.iter().sum();
    let published = Published { content: job.content, total, confirmed, bytes: tally.bytes, took: started.elapsed() };
    print(bars, &files, &published, &end, &tally).context("failed to write the outcome")?;
    judge(end, &published, &files, &tally).map(|()| published)
}

/// Checks all files and counts the messages of each, on a thread that may wait for a disk.
async fn check(content: Content, files: Arc<Vec<LocalFile>>) -> Result<Vec<u64>> {
    let checked = spawn_blocking(move || match content {
        Content::Documents => documents::check(&files).map(|()| vec![1; files.len()]),
        Content::Operations => operations::check(&files),
    });
    checked.await.context("the check of the files failed")?
}

/// Starts the thread that reads the files.
fn read(content: Content, files: Arc<Vec<LocalFile>>) -> mpsc::Receiver<Item> {
    let ahead = match content {
        Content::Documents => MAX_DOCUMENTS_AHEAD,
        Content::Operations => MAX_OPERATIONS_AHEAD,
    };
    let (sender, items) = mpsc::channel(ahead);
    spawn_blocking(move || match content {
        Content::Documents => documents::read(&files, &sender),
        Content::Operations => operations::read(&files, &sender),
    });
    items
}

/// Prints a line per document, and one for all. A reader that went away is no error: the exit code still holds.
fn print(bars: &Bars, files: &[LocalFile], published: &Published, end: &End, tally: &Tally) -> io::Result<()> {
    let mut lines = Vec::new();
    if published.content == Content::Documents {
        let missing = if matches!(end, End::Stopped) { "stopped before it was confirmed" } else { "not confirmed" };
        for (number, file) in files.iter().enumerate() {
            let unread = tally.unread.iter().find(|(unread, _)| *unread == number);
            let missing = unread.map_or(missing, |(_, why)| why);
            let failure = (tally.confirmed[number] == 0).then_some(missing);
            lines.push(DocumentOutcome { name: &file.name, bytes: file.size, failure }.to_string());
        }
    }
    lines.push(published.to_string());
    match bars.print_line(&lines.join("\n")) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

/// Returns the error that ended the run early.
fn judge(end: End, published: &Published, files: &[LocalFile], tally: &Tally) -> Result<()> {
    let confirmed = published.confirmed_part();
    match end {
        End::Failed(error) if !may_recover(&error) => Err(anyhow!(error).context(confirmed)),
        End::Failed(error) => {
            let minutes = MAX_SILENCE.as_secs() / 60;
            Err(anyhow!(error).context(format!("{confirmed}, and nothing more for about {minutes} minutes")))
        }
        End::Stopped => bail!("stopped; {confirmed}"),
        End::Complete => match tally.unread.first() {
            // The lines on stdout have named documents, and the others are sent.
            Some((file, why)) if published.content == Content::Operations => {
                bail!("failed to read {}: {why}; {confirmed}", files[*file].path.display())
            }
            _ => Ok(()),
        },
    }
}
