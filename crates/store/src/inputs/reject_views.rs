//! Rejects of product feeds and of reports, with names in place of ids, for people and programs.

use diesel::prelude::*;

use crate::{
    Error, Store,
    database::{
        error::OrCannot,
        schema::{files, rejects, reported_files, reported_rejects, sources},
    },
};

/// A reject with the names of its source and file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RejectView {
    /// Name of the source.
    pub source: String,
    /// Path of the file.
    pub file: String,
    /// The line where the row begins, counted from 1.
    pub line: i64,
    /// The reason why it could not be used.
    pub reason: String,
    /// The raw text, cut at 1 KiB.
    pub raw: String,
    /// The report that could not use the row; `None` if it was rejected as an offer.
    pub report: Option<String>,
}

/// The place of a reject in the list of the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RejectCursor {
    id: i64,
    of_report: bool,
}

/// A reject with its id, which orders rejects by time.
type Numbered = (i64, RejectView);

/// Source, path, line, id, reason, raw text.
type FeedReject = (String, String, i64, i64, String, String);

/// Adds the conditions that are set to a query. A macro, because the queries have different types.
macro_rules! filtered {
    ($query:expr, $files:ident, $source:expr, $file:expr) => {{
        let mut query = $query;
        if let Some(source) = $source {
            query = query.filter(sources::name.eq(source));
        }
        if let Some(file) = $file {
            query = query.filter($files::path.eq(file));
        }
        query
    }};
}

impl Store {
    /// At most `limit` rejects, by source name, path and line; on the same line, those of feeds first.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn rejects_view(&mut self, limit: i64) -> Result<Vec<RejectView>, Error> {
        let of_feeds = rejects::table
            .inner_join(files::table.inner_join(sources::table))
            .select((sources::name, files::path, rejects::line, rejects::id, rejects::reason, rejects::raw))
            .order((sources::name, files::path, rejects::line, rejects::id))
            .limit(limit);
        let of_feeds: Vec<FeedReject> = of_feeds.load(&mut self.connection).or_cannot(|| "read the rejects")?;
        let of_reports = reported_rejects::table
            .inner_join(reported_files::table.inner_join(sources::table))
            .select((
                (
                    sources::name,
                    reported_files::path,
                    reported_rejects::line,
                    reported_rejects::id,
                    reported_rejects::reason,
                    reported_rejects::raw,
                ),
                reported_files::report,
            ))
            .order((sources::name, reported_files::path, reported_rejects::line, reported_rejects::id))
            .limit(limit);
        let of_reports: Vec<(FeedReject, String)> =
            of_reports.load(&mut self.connection).or_cannot(|| "read the rejects of reports")?;
        let mut all = merge_kinds(of_feeds, of_reports);
        let place = |(id, row): &Numbered| (row.source.clone(), row.file.clone(), row.line, row.report.is_some(), *id);
        all.sort_by_cached_key(place);
        Ok(first_rows(all, limit))
    }

    /// At most `limit` rejects, the newest first; with `report`, `source` or `file` only those of that report, of that source, or of
    /// files with that path.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn newest_rejects(
        &mut self,
        report: Option<&str>,
        source: Option<&str>,
        file: Option<&str>,
        limit: i64,
    ) -> Result<Vec<RejectView>, Error> {
        Ok(self.rejects_before((report, source, file), None, limit)?.0)
    }

    /// Like [`Store::newest_rejects`], but only rejects behind a place in that list. Also returns the place of the last one.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn rejects_before(
        &mut self,
        (report, source, file): (Option<&str>, Option<&str>, Option<&str>),
        cursor: Option<RejectCursor>,
        limit: i64,
    ) -> Result<(Vec<RejectView>, Option<RejectCursor>), Error> {
        // The two kinds count their ids apart. Of equal ids the feed's comes first.
        let of_feeds_below = cursor.map_or(i64::MAX, |cursor| cursor.id);
        let of_reports_below = cursor.map_or(i64::MAX, |cursor| cursor.id + i64::from(!cursor.of_report));
        let of_feeds = match report {
            Some(_) => Vec::new(),
            None => self.newest_of_feeds(source, file, of_feeds_below, limit)?,
        };
        let query = reported_rejects::table
            .inner_join(reported_files::table.inner_join(sources::table))
            .select((
                (
                    sources::name,
                    reported_files::path,
                    reported_rejects::line,
                    reported_rejects::id,
                    reported_rejects::reason,
                    reported_rejects::raw,
                ),
                reported_files::report,
            ))
            .filter(reported_rejects::id.lt(of_reports_below))
            .order(reported_rejects::id.desc())
            .limit(limit)
            .into_boxed();
        let mut query = filtered!(query, reported_files, source, file);
        if let Some(report) = report {
            query = query.filter(reported_files::report.eq(report));
        }
        let of_reports: Vec<(FeedReject, String)> =
            query.load(&mut self.connection).or_cannot(|| "read the newest rejects of reports")?;
        let mut all = merge_kinds(of_feeds, of_reports);
        all.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
        all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let last = all.last().map(|(id, row)| RejectCursor { id: *id, of_report: row.report.is_some() });
        Ok((first_rows(all, limit), last))
    }

    fn newest_of_feeds(
        &mut self,
        source: Option<&str>,
        file: Option<&str>,
        below: i64,
        limit: i64,
    ) -> Result<Vec<FeedReject>, Error> {
        let query = rejects::table
            .inner_join(files::table.inner_join(sources::table))
            .select((sources::name, files::path, rejects::line, rejects::id, rejects::reason, rejects::raw))
            .filter(rejects::id.lt(below))
            .order(rejects::id.desc())
            .limit(limit)
            .into_boxed();
        let query = filtered!(query, files, source, file);
        query.load(&mut self.connection).or_cannot(|| "read the newest rejects")
    }

    /// The number of rejects that are kept.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn rejects_count(&mut self) -> Result<i64, Error> {
        let connection = &mut self.connection;
        let of_feeds: i64 = rejects::table.count().get_result(connection).or_cannot(|| "count the rejects")?;
        let of_reports = reported_rejects::table.count().get_result::<i64>(connection);
        Ok(of_feeds + of_reports.or_cannot(|| "count the rejects of reports")?)
    }
}

/// Both kinds in one list, unsorted.
fn merge_kinds(of_feeds: Vec<FeedReject>, of_reports: Vec<(FeedReject, String)>) -> Vec<Numbered> {
    let numbered = |(source, file, line, id, reason, raw): FeedReject, report| {
        (id, RejectView { source, file, line, reason, raw, report })
    };
    let of_feeds = of_feeds.into_iter().map(|row| numbered(row, None));
    of_feeds.chain(of_reports.into_iter().map(|(row, report)| numbered(row, Some(report)))).collect()
}

fn first_rows(rows: Vec<Numbered>, limit: i64) -> Vec<RejectView> {
    rows.into_iter().map(|(_, row)| row).take(usize::try_from(limit).unwrap_or(usize::MAX)).collect()
}
