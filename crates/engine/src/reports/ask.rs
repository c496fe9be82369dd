//! The partial of one file: asked of the source where that can compute it, else computed here, from the spool or in place.

use std::{
    fs::File,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result, anyhow};
use tokio_util::sync::CancellationToken;
use tributary_csv_gate::Error as GateError;
use tributary_protocol::ManifestEntry;
use tributary_report::{Error, Partial, Progress};

use super::{Holding, Report, Reports};
use crate::source::{ActiveRead, Answer, Answered, FetchError, Lines, Origin, SourceClient, Spool};

/// Who is asked for the files of a source.
pub(super) struct Asker {
    pub(super) reports: Reports,
    pub(super) origin: Origin,
    pub(super) spool: Spool,
    /// The readings in place whose partials are not applied yet.
    pub(super) under_way: Mutex<Vec<Arc<ActiveRead>>>,
}

impl Asker {
    /// The partial of a file.
    ///
    /// # Errors
    /// As of a file that is fetched.
    pub(super) async fn ask(
        &self,
        report: &Arc<Report>,
        entry: &ManifestEntry,
        holding: &Holding,
    ) -> Result<Answer, FetchError> {
        let body = holding.body().clone();
        match (&self.origin, body) {
            (Origin::Local(local), _) => {
                let file = local.file(entry).await?;
                let advance = local.active_reads().begin(&entry.path, &entry.hash, None);
                self.under_way.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&advance));
                let opened = file.clone();
                let computed = self.compute(report, entry, move || opened.open(), advance).await;
                // What was read of a file counts only if it stayed the same.
                let verified = tokio::task::spawn_blocking(move || file.verify()).await;
                verified.map_err(|error| anyhow!(error))??;
                Ok(computed?)
            }
            (Origin::Remote(_), Some(body)) => {
                Ok(self.compute(report, entry, move || body.open(), Arc::default()).await?)
            }
            (Origin::Remote(client), None) => match client.aggregate(entry, &report.config, || self.lines()).await? {
                Answered::With(answer) => Ok(answer),
                Answered::CannotCompute => self.fetch_and_compute(client, report, entry).await,
            },
        }
    }

    async fn fetch_and_compute(
        &self,
        client: &SourceClient,
        report: &Arc<Report>,
        entry: &ManifestEntry,
    ) -> Result<Answer, FetchError> {
        let body = client.fetch(entry, self.spool.place()?, |_| {}).await?;
        Ok(self.compute(report, entry, move || body.open(), Arc::default()).await?)
    }

    /// Computes a partial here. It ends early when nobody waits for it any more.
    async fn compute(
        &self,
        report: &Arc<Report>,
        entry: &ManifestEntry,
        open: impl Fn() -> io::Result<File> + Send + 'static,
        advance: Arc<ActiveRead>,
    ) -> Result<Answer> {
        let _place = self.reports.0.computing.acquire().await.context("no reports are computed any more")?;
        let wanted = CancellationToken::new();
        let _while_waited_for = wanted.clone().drop_guard();
        let (report, path, size, lines) = (Arc::clone(report), entry.path.clone(), entry.size, self.lines());
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let compute = move || {
            let watch = |Progress { bytes, rows }| {
                advance.set(bytes, rows);
                !wanted.is_cancelled()
            };
            match report.config.plan.aggregate_file((&path, size), open, threads, watch) {
                Ok(partial) => answer(&partial, lines),
                Err(Error::Gate(GateError::Rejected(reject))) => Ok(Answer::Rejected(reject)),
                Err(error) => Err(error.into()),
            }
        };
        tokio::task::spawn_blocking(compute).await.context("a report broke off; this is a defect of the master")?
    }

    fn lines(&self) -> Lines {
        Lines::new(self.spool.buffer())
    }
}

fn answer(partial: &Partial, mut lines: Lines) -> Result<Answer> {
    partial.each_group(|group| lines.push(&group)).context("failed to keep the groups of a report")?;
    Ok(Answer::Partial(partial.head(), lines))
}
