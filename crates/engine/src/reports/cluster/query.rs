//! One query on its way: its files are declared as tables, and the rows of its result become a partial per file. One batch of rows and the
//! groups of one file are in memory.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use tributary_ballista::{Cluster, CsvTable, Error, RowBatch, Rows, Session, TableColumn};
use tributary_config::ReportConfig;
use tributary_protocol::PartialHead;
use tributary_report::{NotSql, SqlColumn, SqlFile, SqlGroups, SqlPart, SqlPartKind, SqlQuery, SqlRow, SqlState};

use super::{
    notes::BY_CLUSTER,
    partitions::{PARTITIONS, partitions},
    place::Opened,
    plan::Candidate,
};
use crate::{
    input::FileToRead,
    source::{Answer, GroupLines},
};

/// Columns of a result before the texts of the key: the number of the file, and the state of the rows.
const FILE: usize = 0;
const STATE: usize = 1;
const KEY: usize = 2;

/// The reason why a query gives no partial.
#[derive(Debug, thiserror::Error)]
pub(super) enum QueryError {
    /// The cluster.
    #[error(transparent)]
    Cluster(#[from] Error),
    /// The result is not what it must be.
    #[error(transparent)]
    NotSql(#[from] NotSql),
    /// This machine, such as its disk.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

/// The partial of a file, or the reason why the kernel has to compute it.
type Found = Result<Answer, NotSql>;

/// A query whose result is being taken.
pub(super) struct Query {
    report: Arc<ReportConfig>,
    session: Session,
    rows: Rows,
    /// Open until the query is done.
    _opened: Opened,
    /// The batch that is being taken, and the next row of it.
    batch: Option<(RowBatch, usize)>,
    /// The files whose partials are yet to come, in order.
    files: VecDeque<(i64, Candidate)>,
    /// Reasons for which what was read of some files does not count, by path.
    changed: HashMap<String, String>,
}

impl Query {
    /// Declares the files as tables, and waits until the cluster has run the query. They must fit into one query.
    pub(super) async fn run(
        cluster: &Cluster,
        report: Arc<ReportConfig>,
        (opened, files): (Opened, Vec<Candidate>),
    ) -> Result<Self, (QueryError, Vec<Candidate>)> {
        match Self::start(cluster, &report, (&opened, &files)).await {
            Ok((session, rows)) => {
                // The scheduler answers once the executors are done, so nothing is read any more.
                let changed = opened.changed().await;
                let files = (0..).zip(files).collect();
                Ok(Self { report, session, rows, _opened: opened, batch: None, files, changed })
            }
            Err(error) => Err((error, files)),
        }
    }

    async fn start(
        cluster: &Cluster,
        report: &ReportConfig,
        (opened, files): (&Opened, &[Candidate]),
    ) -> Result<(Session, Rows), QueryError> {
        let mut session = cluster.session().await?;
        for (option, value) in opened.options() {
            session.set(option, &value).await?;
        }
        let largest = files.iter().map(|candidate| candidate.file.entry.size).max().unwrap_or_default();
        // Without their number the cluster's own setting is as good as any.
        if let Some(slots) = cluster.slots().await {
            session.set(PARTITIONS, &partitions(slots, largest).to_string()).await?;
        }
        let mut query = SqlQuery::new(&report.plan);
        let mut names = Vec::new();
        for Candidate { sql, file, .. } in files {
            let full = |_| NotSql::because("the query has no room for the file");
            query.push(sql.clone()).map_err(full)?;
            let table = table(sql, opened.url(&file.entry));
            session.declare(&table).await?;
            names.push(table.name);
        }
        let rows = session.query(&query.statement(&names)).await?;
        Ok((session, rows))
    }

    /// The files whose partials have not come.
    pub(super) fn rest(&mut self) -> impl Iterator<Item = Arc<FileToRead>> {
        std::mem::take(&mut self.files).into_iter().map(|(_, candidate)| candidate.file)
    }

    /// Takes the partial of the next file, or the reason why it has none; nothing after the last one. After an error the file is one of
    /// the rest.
    pub(super) async fn next(&mut self, lines: GroupLines) -> Result<Option<(Arc<FileToRead>, Found)>, QueryError> {
        let Some((number, candidate)) = self.files.front() else {
            self.end().await?;
            return Ok(None);
        };
        let (file, plan) = (Arc::clone(&candidate.file), Arc::clone(&self.report));
        let groups = SqlGroups::new(&plan.plan, &candidate.sql);
        let number = *number;
        let (head, lines) = self.take(number, groups, lines).await?;
        let Some((_, candidate)) = self.files.pop_front() else { return Ok(None) };
        if let Some(why) = self.changed.remove(&file.entry.path) {
            return Ok(Some((file, Err(NotSql::because(&why)))));
        }
        let head = match head {
            Ok(head) => head,
            Err(why) => return Ok(Some((file, Err(why)))),
        };
        let mut notes = candidate.notes;
        notes.insert(0, BY_CLUSTER.to_owned());
        let head = PartialHead { notes, format: candidate.format, ..head };
        Ok(Some((file, Ok(Answer::Partial(head, lines)))))
    }

    /// Takes the rows of one file.
    async fn take(
        &mut self,
        file: i64,
        mut groups: SqlGroups<'_>,
        mut lines: GroupLines,
    ) -> Result<(Result<PartialHead, NotSql>, GroupLines), QueryError> {
        while self.fill().await? {
            let Some((batch, at)) = &mut self.batch else { break };
            if batch.integer(FILE, *at)? != Some(file) {
                break;
            }
            let row = row(&self.report, batch, *at)?;
            if let Some(group) = groups.take(row)? {
                lines.push(&group).context("failed to keep the groups of a partial")?;
            }
            *at += 1;
        }
        Ok((groups.end(), lines))
    }

    /// Sees to it that there is a next row. Returns false after the last one.
    async fn fill(&mut self) -> Result<bool, QueryError> {
        while self.batch.as_ref().is_none_or(|(batch, at)| *at == batch.rows()) {
            match self.rows.next().await? {
                Some(batch) => self.batch = Some((batch, 0)),
                None => {
                    self.batch = None;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    async fn end(&mut self) -> Result<(), QueryError> {
        if self.fill().await? {
            return Err(NotSql::because("the cluster sends rows of a file that was not asked for").into());
        }
        // The result is there; what the scheduler does not forget now ends with the session.
        if let Err(error) = self.session.forget_tables().await {
            tracing::debug!("tables of a query are not dropped: {error}");
        }
        Ok(())
    }
}

fn table(sql: &SqlFile, location: String) -> CsvTable {
    let column = |column: &SqlColumn| match *column {
        SqlColumn::Text => TableColumn::Text,
        SqlColumn::Decimal { precision, scale } => TableColumn::Decimal { precision, scale },
    };
    CsvTable {
        name: Session::new_name(),
        location,
        delimiter: sql.delimiter,
        has_header: sql.has_header,
        columns: sql.columns.iter().map(column).collect(),
    }
}

/// One row of a result.
fn row(report: &ReportConfig, batch: &RowBatch, at: usize) -> Result<SqlRow, QueryError> {
    let missing = || NotSql::because("a row of the result lacks a value");
    let state = batch.integer(STATE, at)?.and_then(SqlState::of).ok_or_else(missing)?;
    let keys = report.group_by.len();
    let count = |column: usize| -> Result<u64, QueryError> {
        let count = batch.integer(column, at)?.and_then(|count| u64::try_from(count).ok());
        Ok(count.ok_or_else(missing)?)
    };
    let rows = count(KEY + keys)?;
    if state != SqlState::Used {
        return Ok(SqlRow { state, key: Vec::new(), rows, parts: Vec::new() });
    }
    let key = (0..keys).map(|key| Ok(batch.text(KEY + key, at)?.ok_or_else(missing)?.to_owned()));
    let key = key.collect::<Result<Vec<_>, QueryError>>()?;
    let (mut column, mut parts) = (KEY + keys + 1, Vec::new());
    for kind in report.plan.sql_parts() {
        let value = batch.decimal(column, at)?;
        match kind {
            SqlPartKind::Sum => {
                parts.push(SqlPart::Sum(value, count(column + 1)?));
                column += 2;
            }
            SqlPartKind::Extreme => {
                parts.push(SqlPart::Extreme(value));
                column += 1;
            }
        }
    }
    Ok(SqlRow { state, key, rows, parts })
}
