//! The table `reported_files`: the files that each report reads, and which content of each was accepted. A file's partial is in
//! `partials`, its rejects are in `reported_rejects`, and the totals are in `table`.

use diesel::prelude::*;

use crate::{
    Error, FileState, Store,
    database::{
        error::{OrCannot, exactly_one},
        schema::{
            partials,
            reported_files::{self, dsl},
            reported_rejects, sources,
        },
    },
};

/// A file as one report knows it. Its state is never [`FileState::Changing`].
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = crate::database::schema::reported_files)]
pub struct ReportFileRow {
    /// The target of its partial and rejects; 0 in a row that is not stored yet.
    pub id: i64,
    /// The report's name.
    pub report: String,
    /// The file's source.
    pub source_id: i64,
    /// Relative to the source's folder, separated by `/`.
    pub path: String,
    /// Hash of the content whose partial is stored; `None` while none has been accepted.
    pub hash: Option<String>,
    /// Digest of the way that partial was computed; `None` together with `hash`.
    pub reading: Option<String>,
    /// Rows of the accepted content, rejects included.
    pub row_count: i64,
    /// Rows of it that the report's filter skips.
    pub passed_over: i64,
    /// All rejects of it, including those that are not kept as rows.
    pub rejects: i64,
    /// Groups in its partial.
    pub groups: i64,
    /// State of the latest content.
    #[diesel(deserialize_as = String)]
    pub state: FileState,
    /// Hash of the latest content if it was rejected as a whole; `None` if it was accepted.
    pub rejected_hash: Option<String>,
    /// Digest of the way that content was read.
    pub rejected_reading: Option<String>,
    /// The reason why it was rejected.
    pub rejected_reason: Option<String>,
    /// Rows of the accepted content with a stray quote that was read leniently.
    pub repaired: i64,
    /// Notes for people: what was guessed or left out when the accepted content was read.
    pub notes: Option<String>,
}

impl ReportFileRow {
    /// A file without accepted content. [`Store::put_report_file`] stores it.
    pub fn new(report: &str, source_id: i64, path: &str) -> Self {
        Self {
            id: 0,
            report: report.to_owned(),
            source_id,
            path: path.to_owned(),
            hash: None,
            reading: None,
            row_count: 0,
            passed_over: 0,
            rejects: 0,
            groups: 0,
            state: FileState::Applied,
            rejected_hash: None,
            rejected_reading: None,
            rejected_reason: None,
            repaired: 0,
            notes: None,
        }
    }
}

impl Store {
    /// The files of one report, by source id, then path.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn report_files(&mut self, report: &str) -> Result<Vec<ReportFileRow>, Error> {
        dsl::reported_files
            .filter(dsl::report.eq(report))
            .select(ReportFileRow::as_select())
            .order((dsl::source_id, dsl::path))
            .load(&mut self.connection)
            .or_cannot(|| format!("read the files of the report {report:?}"))
    }

    /// The files that one report has of one source, by path.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn report_files_of(&mut self, report: &str, source_id: i64) -> Result<Vec<ReportFileRow>, Error> {
        dsl::reported_files
            .filter(dsl::report.eq(report).and(dsl::source_id.eq(source_id)))
            .select(ReportFileRow::as_select())
            .order(dsl::path)
            .load(&mut self.connection)
            .or_cannot(|| format!("read the files that the report {report:?} has of source {source_id}"))
    }

    /// One file of one report, of the source of this name.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn report_file(&mut self, report: &str, source: &str, path: &str) -> Result<Option<ReportFileRow>, Error> {
        reported_files::table
            .inner_join(sources::table)
            .filter(dsl::report.eq(report).and(sources::name.eq(source)).and(dsl::path.eq(path)))
            .select(ReportFileRow::as_select())
            .first(&mut self.connection)
            .optional()
            .or_cannot(|| format!("read the file {path:?} of the report {report:?}"))
    }

    /// The names of the sources that one report has files of, by name.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn report_sources(&mut self, report: &str) -> Result<Vec<String>, Error> {
        let of_source = dsl::reported_files.filter(dsl::report.eq(report).and(dsl::source_id.eq(sources::id)));
        sources::table
            .filter(diesel::dsl::exists(of_source))
            .select(sources::name)
            .order(sources::name)
            .load(&mut self.connection)
            .or_cannot(|| format!("read the sources of the report {report:?}"))
    }

    /// Stores a file, or replaces all columns of the one with this report, source and path. Sets its id and returns it.
    ///
    /// # Errors
    /// [`Error::Query`], for instance when there is no such source.
    pub fn put_report_file(&mut self, file: &mut ReportFileRow) -> Result<i64, Error> {
        let action = || format!("store the file {:?} of the report {:?}", file.path, file.report);
        let key =
            (dsl::report.eq(file.report.as_str()), dsl::source_id.eq(file.source_id), dsl::path.eq(file.path.as_str()));
        let values = (
            dsl::hash.eq(file.hash.as_deref()),
            dsl::reading.eq(file.reading.as_deref()),
            dsl::row_count.eq(file.row_count),
            dsl::passed_over.eq(file.passed_over),
            dsl::rejects.eq(file.rejects),
            dsl::groups.eq(file.groups),
            dsl::state.eq(file.state.as_str()),
            dsl::rejected_hash.eq(file.rejected_hash.as_deref()),
            dsl::rejected_reading.eq(file.rejected_reading.as_deref()),
            dsl::rejected_reason.eq(file.rejected_reason.as_deref()),
            dsl::repaired.eq(file.repaired),
            dsl::notes.eq(file.notes.as_deref()),
        );
        let this = dsl::report.eq(&file.report).and(dsl::source_id.eq(file.source_id)).and(dsl::path.eq(&file.path));
        let changed = diesel::update(dsl::reported_files.filter(this)).set(values).execute(&mut self.connection);
        if changed.or_cannot(action)? == 0 {
            let insert = diesel::insert_into(dsl::reported_files).values((key, values));
            insert.execute(&mut self.connection).or_cannot(action)?;
        }
        let found = dsl::reported_files.filter(this).select(dsl::id).first(&mut self.connection);
        file.id = found.or_cannot(action)?;
        Ok(file.id)
    }

    /// Deletes a file of a report with its partial and rejects.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] if there is no such file.
    pub fn delete_report_file(&mut self, id: i64) -> Result<(), Error> {
        let deleted = self.delete_report_files(&[id])?;
        exactly_one(deleted, || format!("`reported_files` has no row with the id {id}"))
    }

    /// Deletes the files that all reports have of a source.
    pub(crate) fn delete_report_files_of(&mut self, source_id: i64) -> Result<(), Error> {
        let found = dsl::reported_files.filter(dsl::source_id.eq(source_id)).select(dsl::id);
        let ids: Vec<i64> =
            found.load(&mut self.connection).or_cannot(|| format!("read the reports' files of source {source_id}"))?;
        self.delete_report_files(&ids)?;
        Ok(())
    }

    /// Deletes files with their partials and rejects, and returns how many of them existed.
    pub(crate) fn delete_report_files(&mut self, ids: &[i64]) -> Result<usize, Error> {
        let connection = &mut self.connection;
        let mut deleted = 0;
        for id in ids {
            let action = || format!("delete file {id} of a report");
            let pieces = partials::table.filter(partials::reported_file_id.eq(id));
            diesel::delete(pieces).execute(connection).or_cannot(action)?;
            let rejects = reported_rejects::table.filter(reported_rejects::reported_file_id.eq(id));
            diesel::delete(rejects).execute(connection).or_cannot(action)?;
            deleted +=
                diesel::delete(dsl::reported_files.filter(dsl::id.eq(id))).execute(connection).or_cannot(action)?;
        }
        Ok(deleted)
    }
}
