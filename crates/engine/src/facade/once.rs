//! `master --once`: one pass over every source, all at the same time, and a summary.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use tokio::task::{Id, JoinSet};
use tributary_config::{Config, UPLOADS};
use tributary_store::{SourceState, Tally};

use super::start::{Prepared, Started, acquire, start};
use crate::{
    documents::Documents,
    ingest::{Faults, Written},
    poll::{PassOutcome, Poll},
    progress::{MakeObserver, Unobserved},
    reports::ReportWork,
};

/// The result of one run.
#[derive(Debug)]
pub struct OnceSummary {
    /// Sources that were asked.
    pub sources: usize,
    /// Files that were read.
    pub read: usize,
    /// Files that are gone.
    pub removed: usize,
    /// Products that were written, by the new configuration too.
    pub written: Written,
    /// Rejected rows of the files that were read.
    pub rejected: u64,
    /// The number of products and names afterwards.
    pub tally: Tally,
    /// Sources that were not reached and files that were not applied, one sentence each.
    pub failures: Vec<String>,
    /// The time of the whole run.
    pub took: Duration,
}

impl OnceSummary {
    /// Whether every source was reached and everything but rejected rows was applied.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty()
    }
}

/// The result of one pass over a source.
struct PassReport {
    /// The source's name.
    name: String,
    /// The outcome, or the reason why the pass failed.
    outcome: Result<PassOutcome>,
    /// Its rejected files and the failures of its reports, one sentence each.
    rejected: Vec<String>,
}

/// Creates or migrates the database, adopts the configuration, and makes one pass over every source.
///
/// # Errors
/// Another master holds the database, or the database or the spool fails; a source to accept is none. A source that fails is part of
/// the summary.
pub async fn once(config: Config, observer: &MakeObserver) -> Result<OnceSummary> {
    let started = Instant::now();
    let is_source = |name: &String| name == UPLOADS || config.sources.iter().any(|source| source.name == *name);
    if let Some(name) = config.accept.iter().find(|name| !is_source(name)) {
        bail!("there is no source `{name}` in the configuration, so nothing of it can be accepted");
    }
    let Started { context, writer_thread, polls, adopted, .. } = start_locked(&config, observer).await?;
    let (mut passes, mut names) = (JoinSet::new(), HashMap::new());
    for poll in polls {
        let name = poll.name().to_owned();
        names.insert(passes.spawn(pass(poll)).id(), name);
    }
    let mut reports = reports(passes, &names).await;
    reports.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let tally = context.writer.run("the summary", |store| Ok(store.tally()?)).await?;
    drop(context);
    if let Some(writer_thread) = writer_thread {
        tokio::task::spawn_blocking(|| writer_thread.join()).await.context("the stop failed")??;
    }
    let mut summary = summary(reports, tally, started.elapsed());
    summary.written += adopted;
    Ok(summary)
}

async fn start_locked(config: &Config, observer: &MakeObserver) -> Result<Started> {
    let of = config.clone();
    // Both block, the one for the disk, the other for certificates.
    let both = move || anyhow::Ok((acquire(&of, "master --once")?, Prepared::new(&of)?));
    let (lock, prepared) = tokio::task::spawn_blocking(both).await.context("the start failed")??;
    start(config, lock, prepared, observer).await
}

async fn pass(mut poll: Poll) -> PassReport {
    let name = poll.name().to_owned();
    let mut rejected = BTreeSet::new();
    // Each has a connection meanwhile, and there may be ten thousand.
    let turn = poll.turns().next().await;
    let outcome = Box::pin(turn.give(pass_until_done(&mut poll, &mut rejected))).await;
    if let Err(error) = &outcome {
        poll.note_down(error).await;
    }
    rejected.extend(poll.mostly_rejects().map(|why| format!("{name}: {why}")));
    PassReport { name, outcome, rejected: rejected.into_iter().collect() }
}

/// Passes over documents change what their paths stand for: of one that is rejected, the document before it counts again. And a pass
/// takes a bounded number of them.
async fn pass_until_done(poll: &mut Poll, rejected: &mut BTreeSet<String>) -> Result<PassOutcome> {
    let name = poll.name().to_owned();
    let has_changed = |poll: &Poll| poll.origin().documents().is_some_and(Documents::has_changed);
    let mut all: Option<PassOutcome> = None;
    loop {
        let passed = poll.pass(&poll.origin().sense().await?).await?;
        let passed = match all.take() {
            Some(before) => before.then(passed),
            None => passed,
        };
        rejected.extend(poll.rejected_files().map(|(path, why)| format!("{name}/{path} is rejected: {why}")));
        let is_over = |poll: &Poll| !passed.is_whole || !has_changed(poll);
        if is_over(poll) {
            let work = poll.report_work(Arc::new(Unobserved));
            let failures = futures_util::future::OptionFuture::from(work.map(ReportWork::run_once)).await;
            rejected.extend(failures.into_iter().flatten().map(|why| format!("{name}: {why}")));
            if is_over(poll) {
                return Ok(passed);
            }
        }
        all = Some(passed);
    }
}

/// Waits for all passes. A pass that panicked counts as a failed source and stops no other.
async fn reports(mut passes: JoinSet<PassReport>, names: &HashMap<Id, String>) -> Vec<PassReport> {
    let mut reports = Vec::new();
    while let Some(report) = passes.join_next().await {
        reports.push(report.unwrap_or_else(|error| PassReport {
            name: names.get(&error.id()).cloned().unwrap_or_default(),
            outcome: Err(anyhow!(error).context("the pass broke off; this is a defect of the master")),
            rejected: Vec::new(),
        }));
    }
    reports
}

fn summary(reports: Vec<PassReport>, tally: Tally, took: Duration) -> OnceSummary {
    let mut summary = OnceSummary {
        sources: reports.len(),
        read: 0,
        removed: 0,
        written: Written::default(),
        rejected: 0,
        tally,
        failures: Vec::new(),
        took,
    };
    for PassReport { name, outcome, rejected } in reports {
        match outcome {
            Ok(passed) => {
                summary.read += passed.read;
                summary.removed += passed.removed;
                summary.written += passed.applied.written;
                summary.rejected += passed.applied.rejected;
                if let (SourceState::Held, Some(why)) = (passed.applied.state, &passed.applied.error) {
                    summary.failures.push(format!("{name} is {why}"));
                }
                summary.failures.extend(rejected);
                let Faults { named, more } = passed.faults;
                summary.failures.extend(named.iter().map(|why| format!("{name}/{why}")));
                summary.failures.extend((more > 0).then(|| format!("{name}: and {more} more files")));
            }
            Err(error) => summary.failures.push(format!("{name} is down: {error:#}")),
        }
    }
    summary
}
