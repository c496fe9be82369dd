//! What people read of rejects: those of feeds and those of reports, with names in place of ids.

use diesel::prelude::*;

use crate::{
    Error, Store,
    error::Doing,
    schema::{files, rejects, reported_files, reported_rejects, sources},
};

/// A reject with the names of its source and file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RejectView {
    /// Name of the source.
    pub source: String,
    /// Path of the file.
    pub file: String,
    /// The line on which the row begins; the first line is 1.
    pub line: i64,
    /// Why it could not be used.
    pub reason: String,
    /// What stood there, cut at 1 KiB.
    pub raw: String,
    /// The report that could not use the row; `None` where it is no offer.
    pub report: Option<String>,
}

/// A reject with its number, which tells its time.
type Numbered = (i64, RejectView);

/// Source, path, line, number, reason, raw text.
type OfFeed = (String, String, i64, i64, String, String);

/// A query cut down to what is asked for. A macro, because the queries differ in type only.
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
    /// At most `limit` rejects, by source name, path, and place in the file; in a file those of feeds first.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn rejects_view(&mut self, limit: i64) -> Result<Vec<RejectView>, Error> {
        let of_feeds = rejects::table
            .inner_join(files::table.inner_join(sources::table))
            .select((sources::name, files::path, rejects::line, rejects::id, rejects::reason, rejects::raw))
            .order((sources::name, files::path, rejects::line, rejects::id))
            .limit(limit);
        let of_feeds: Vec<OfFeed> = of_feeds.load(&mut self.connection).doing(|| "read the rejects")?;
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
        let of_reports: Vec<(OfFeed, String)> =
            of_reports.load(&mut self.connection).doing(|| "read the rejects of reports")?;
        let mut all = together(of_feeds, of_reports);
        let place = |(id, row): &Numbered| (row.source.clone(), row.file.clone(), row.line, row.report.is_some(), *id);
        all.sort_by_cached_key(place);
        Ok(cut(all, limit))
    }

    /// At most `limit` rejects, the newest first; with `report`, `source` and `file` only those of that report, that source, or
    /// files of that path.
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
        let of_feeds = match report {
            Some(_) => Vec::new(),
            None => self.newest_of_feeds(source, file, limit)?,
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
            .order(reported_rejects::id.desc())
            .limit(limit)
            .into_boxed();
        let mut query = filtered!(query, reported_files, source, file);
        if let Some(report) = report {
            query = query.filter(reported_files::report.eq(report));
        }
        let of_reports: Vec<(OfFeed, String)> =
            query.load(&mut self.connection).doing(|| "read the newest rejects of reports")?;
        let mut all = together(of_feeds, of_reports);
        all.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
        Ok(cut(all, limit))
    }

    fn newest_of_feeds(&mut self, source: Option<&str>, file: Option<&str>, limit: i64) -> Result<Vec<OfFeed>, Error> {
        let query = rejects::table
            .inner_join(files::table.inner_join(sources::table))
            .select((sources::name, files::path, rejects::line, rejects::id, rejects::reason, rejects::raw))
            .order(rejects::id.desc())
            .limit(limit)
            .into_boxed();
        let query = filtered!(query, files, source, file);
        query.load(&mut self.connection).doing(|| "read the newest rejects")
    }

    /// How many rejects are kept.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn rejects_count(&mut self) -> Result<i64, Error> {
        let connection = &mut self.connection;
        let of_feeds: i64 = rejects::table.count().get_result(connection).doing(|| "count the rejects")?;
        let of_reports = reported_rejects::table.count().get_result::<i64>(connection);
        Ok(of_feeds + of_reports.doing(|| "count the rejects of reports")?)
    }
}

fn together(of_feeds: Vec<OfFeed>, of_reports: Vec<(OfFeed, String)>) -> Vec<Numbered> {
    let numbered = |(source, file, line, id, reason, raw): OfFeed, report| {
        (id, RejectView { source, file, line, reason, raw, report })
    };
    let of_feeds = of_feeds.into_iter().map(|row| numbered(row, None));
    of_feeds.chain(of_reports.into_iter().map(|(row, report)| numbered(row, Some(report)))).collect()
}

fn cut(rows: Vec<Numbered>, limit: i64) -> Vec<RejectView> {
    rows.into_iter().map(|(_, row)| row).take(usize::try_from(limit).unwrap_or(usize::MAX)).collect()
}
