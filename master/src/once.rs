//! `master --once`: every source is passed over once, side by side, and the outcome is one line.

use std::{
    collections::HashMap,
    fmt,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};
use indicatif::HumanCount;
use tokio::task::{Id, JoinSet};
use tributary_store::Tally;

use crate::{
    config::Config,
    ingest::Written,
    poll::{Passed, Poll},
    progress::Progress,
    start::{Started, start},
};

/// What one run did.
#[derive(Debug)]
pub struct Summary {
    sources: usize,
    read: usize,
    removed: usize,
    written: Written,
    rejected: u64,
    tally: Tally,
    /// What was not reached or not applied, a text each.
    failures: Vec<String>,
    took: Duration,
}

impl Summary {
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
    outcome: Result<Passed>,
    /// Its files that are rejected now, and what its reports lack, a text each.
    rejected: Vec<String>,
}

/// Sets the database up if need be, brings the configuration into it, and passes over every source once.
///
/// # Errors
/// Another master holds the database, or the database or the spool fails. A source that fails is part of the summary.
pub async fn once(config: Config, progress: &Progress) -> Result<Summary> {
    let started = Instant::now();
    let Started { context, writer_thread, polls, .. } = start(&config, "master --once", progress).await?;
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

fn summary(reports: Vec<PassReport>, tally: Tally, took: Duration) -> Summary {
    let mut summary = Summary {
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
                summary.failures.extend(passed.unread.iter().map(|why| format!("{name}/{why}")));
            }
            Err(error) => summary.failures.push(format!("{name} is down: {error:#}")),
        }
    }
    summary
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Written { added, updated, removed } = self.written;
        let count = |count: u64| HumanCount(count);
        write!(
            f,
            "{} sources: {} files read, {} removed; ",
            count(self.sources as u64),
            count(self.read as u64),
            count(self.removed as u64)
        )?;
        let held = |rows: i64| count(u64::try_from(rows).unwrap_or_default());
        write!(
            f,
            "{} products (+{} ~{} -{}), ",
            held(self.tally.products),
            count(added),
            count(updated),
            count(removed)
        )?;
        write!(
            f,
            "{} names, {} rows rejected; {:.1} s",
            held(self.tally.names),
            count(self.rejected),
            self.took.as_secs_f64()
        )?;
        for failure in &self.failures {
            // The summary is one line, whatever a source has written into its answer.
            write!(f, "; {}", failure.replace(char::is_control, " "))?;
        }
        Ok(())
    }
}
