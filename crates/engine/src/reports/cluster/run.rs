//! The files of one source on their way through the cluster: some at a time are sorted, those for it are run as one query, and every file
//! leaves with its partial, or with what is to be done with it.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use anyhow::anyhow;
use tributary_ballista::{Cluster, TimeLimits};
use tributary_config::{ClusterConfig, ReportConfig};
use tributary_report::SqlQuery;

use super::{
    place::Place,
    plan::{Candidate, sort},
    query::{Query, QueryError},
};
use crate::{
    input::FileToRead,
    source::{Answer, FetchError, GroupLines, without_secrets},
};

/// Most files, and bytes of files, that are sorted and run together.
const MAX_FILES: usize = 64;
const MAX_BYTES: u64 = 16 << 30;

/// Time for which files stay open beyond the time limit of their query: tables are declared before it.
const OPEN_BEYOND: Duration = Duration::from_secs(600);

/// The outcome of a file.
pub(in crate::reports) enum Routed {
    /// The cluster has computed it.
    Answer(Answer),
    /// It is to be computed elsewhere, for this reason.
    PushDown(String),
    /// Nothing is known of its content, which has to be read here first.
    FirstReading,
    /// It cannot be computed now.
    Failed(FetchError),
}

/// The files of a source on their way.
pub(in crate::reports) struct ClusterRun<'a, F> {
    config: &'a ClusterConfig,
    report: Arc<ReportConfig>,
    place: Place<'a>,
    files: F,
    /// A file that was taken and waits for the next query.
    next: Option<Arc<FileToRead>>,
    done: VecDeque<(Arc<FileToRead>, Routed)>,
    /// Files for the cluster that wait for their query.
    candidates: Vec<Candidate>,
    query: Option<Query>,
    /// The reason why the cluster is of no use, once it is known.
    away: Option<String>,
}

impl<'a, F: Iterator<Item = Arc<FileToRead>>> ClusterRun<'a, F> {
    /// Begins with files of one place.
    pub(in crate::reports) fn new(
        (config, report): (&'a ClusterConfig, Arc<ReportConfig>),
        place: Place<'a>,
        files: F,
    ) -> Self {
        let (done, candidates) = (VecDeque::new(), Vec::new());
        Self { config, report, place, files, next: None, done, candidates, query: None, away: None }
    }

    /// The next file, in no particular order. `lines` creates a buffer for groups; `read_on` is told how much a source has read.
    pub(in crate::reports) async fn next(
        &mut self,
        lines: impl Fn() -> GroupLines,
        read_on: impl Fn(u64),
    ) -> Option<(Arc<FileToRead>, Routed)> {
        loop {
            if let Some(done) = self.done.pop_front() {
                return Some(done);
            }
            if self.query.is_some() {
                self.take_one(lines()).await;
            } else if !self.candidates.is_empty() {
                self.start_query().await;
            } else {
                let files = self.take_files();
                if files.is_empty() {
                    return None;
                }
                self.sort(files, &read_on).await;
            }
        }
    }

    /// Takes files for the next query.
    fn take_files(&mut self) -> Vec<Arc<FileToRead>> {
        let (mut files, mut bytes) = (Vec::new(), 0);
        while files.len() < MAX_FILES {
            let Some(file) = self.next.take().or_else(|| self.files.next()) else { break };
            bytes += file.entry.size;
            if bytes > MAX_BYTES && !files.is_empty() {
                self.next = Some(file);
                break;
            }
            files.push(file);
        }
        files
    }

    async fn sort(&mut self, files: Vec<Arc<FileToRead>>, read_on: impl Fn(u64)) {
        match self.away.clone() {
            // Nobody need read them to know that.
            Some(why) => files.into_iter().for_each(|file| self.leave_out(file, &why)),
            None => {
                let (candidates, others) = sort(&self.place, &self.report, files, read_on).await;
                (self.candidates, self.done) = (candidates, others.into());
            }
        }
    }

    /// Runs a query over as many of the candidates as it has room for.
    async fn start_query(&mut self) {
        let plan = Arc::clone(&self.report.plan);
        let mut query = SqlQuery::new(&plan);
        let fits = self.candidates.iter().take_while(|candidate| query.push(candidate.sql.clone()).is_ok()).count();
        let rest = self.candidates.split_off(fits.max(1));
        let files = std::mem::replace(&mut self.candidates, rest);
        let limits = TimeLimits { query: self.config.time_limit, ..TimeLimits::default() };
        let cluster = match (self.away.clone(), Cluster::new(self.config.url.clone(), limits)) {
            (None, Ok(cluster)) => cluster,
            (away, cluster) => {
                let why = away.or_else(|| cluster.err().map(|error| error.to_string())).unwrap_or_default();
                files.into_iter().for_each(|candidate| self.leave_out(candidate.file, &why));
                return;
            }
        };
        let (opened, files, others) = self.place.open(files, self.config.time_limit + OPEN_BEYOND).await;
        self.done.extend(others);
        let Some(opened) = opened.filter(|_| !files.is_empty()) else { return };
        match Query::run(&cluster, Arc::clone(&self.report), (opened, files)).await {
            Ok(query) => self.query = Some(query),
            Err((error, files)) => self.fail(&error, files.into_iter().map(|candidate| candidate.file).collect()),
        }
    }

    /// Takes the next partial of the query.
    async fn take_one(&mut self, lines: GroupLines) {
        let Some(query) = &mut self.query else { return };
        match query.next(lines).await {
            Ok(Some((file, Ok(answer)))) => self.done.push_back((file, Routed::Answer(answer))),
            Ok(Some((file, Err(why)))) => self.done.push_back((file, Routed::PushDown(why.to_string()))),
            Ok(None) => self.query = None,
            Err(error) => {
                let rest = query.rest().collect();
                self.query = None;
                self.fail(&error, rest);
            }
        }
    }

    /// Decides about files whose query has failed.
    fn fail(&mut self, error: &QueryError, files: Vec<Arc<FileToRead>>) {
        let (report, why) = (&self.report.name, without_secrets(&error.to_string()));
        match error {
            // Without a fallback it is the error of every file, which is logged once.
            QueryError::Cluster(cluster) if cluster.is_away() && !self.config.fallback => {}
            _ => {
                let files = files.len();
                tracing::warn!(report = %report, files, "a query for the report `{report}` failed: {why}");
            }
        }
        match error {
            QueryError::Cluster(cluster) if cluster.is_away() => {
                self.away = Some(why.clone());
                files.into_iter().for_each(|file| self.leave_out(file, &why));
            }
            QueryError::Cluster(_) | QueryError::NotSql(_) => {
                self.done.extend(files.into_iter().map(|file| (file, Routed::PushDown(why.clone()))));
            }
            QueryError::Failed(_) => {
                let failed = || Routed::Failed(FetchError::Failed(anyhow!(why.clone())));
                self.done.extend(files.into_iter().map(|file| (file, failed())));
            }
        }
    }

    /// Decides about a file that the cluster cannot compute now, because it is away.
    fn leave_out(&mut self, file: Arc<FileToRead>, why: &str) {
        let routed = match self.config.fallback {
            true => Routed::PushDown(why.to_owned()),
            false => Routed::Failed(FetchError::Failed(anyhow!(
                "{why}; it is tried again, or set fallback = true in [engine] to do without"
            ))),
        };
        self.done.push_back((file, routed));
    }
}
