//! `master --once`: every source is passed over once, side by side, and the outcome is one line.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};
use tokio::task::{Id, JoinSet};
use tributary_config::Config;
use tributary_store::Tally;

use super::start::{Started, start};
use crate::{
    ingest::Written,
    poll::{PassOutcome, Poll},
    progress::MakeObserver,
};

/// What one run did.
#[derive(Debug)]
pub struct OnceSummary {
    /// Sources that were asked.
    pub sources: usize,
    /// Files that were read.
    pub read: usize,
    /// Files that are gone.
    pub removed: usize,
    /// Products that were written.
    pub written: Written,
    /// Rejected rows of the files that were read.
    pub rejected: u64,
    /// What the database holds now.
    pub tally: Tally,
    /// What was not reached or not applied, one sentence each.
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

/// How one pass over a source ended.
struct PassReport {
    /// The source's name.
    name: String,
    /// What was done, or why the source could not be passed over.
    outcome: Result<PassOutcome>,
    /// Its files that are rejected now, and what its reports lack, a text each.
    rejected: Vec<String>,
}

/// Sets the database up if need be, brings the configuration into it, and passes over every source once.
///
/// # Errors
/// Another master holds the database, or the database or the spool fails. A source that fails is part of the summary.
pub async fn once(config: Config, observer: &MakeObserver) -> Result<OnceSummary> {
    let started = Instant::now();
    let Started { context, writer_thread, polls, .. } = start(&config, "master --once", observer).await?;
    let (mut passes, mut names) = (JoinSet::new(), HashMap::new());
    for poll in polls {
        let name = poll.name().to_owned();
        names.insert(passes.spawn(pass(poll)).id(), name);
    }
    let mut reports = reports(passes, &names).await;
    reports.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let tally = context.writer.run("the summary", |store| Ok(store.tally()?)).await?;
    drop(context);
    tokio::task::spawn_blocking(|| writer_thread.join()).await.context("the stop failed")??;
    Ok(summary(reports, tally, started.elapsed()))
}

async fn pass(mut poll: Poll) -> PassReport {
    let work = poll.report_work();
    let passed = async {
        let sense = poll.origin().sense().await?;
        poll.pass(&sense).await
    };
    let outcome = passed.await;
    if let Err(error) = &outcome {
        poll.note_down(error).await;
    }
    let name = poll.name().to_owned();
    let mut rejected: Vec<_> =
        poll.rejected_files().map(|(path, why)| format!("{name}/{path} is rejected: {why}")).collect();
    if let Some(work) = work {
        rejected.extend(work.run_once().await.into_iter().map(|why| format!("{name}: {why}")));
    }
    PassReport { name, outcome, rejected }
}

/// Waits for all passes. One that panicked is a source that failed, and stops no other.
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
                summary.failures.extend(rejected);
                summary.failures.extend(passed.faults.iter().map(|why| format!("{name}/{why}")));
            }
            Err(error) => summary.failures.push(format!("{name} is down: {error:#}")),
        }
    }
    summary
}
