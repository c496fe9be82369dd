//! The files that reports claim: which content of each was accepted, the partial that it gave and its rejects. Not the totals, which
//! are in `report_table`, and not what the bytes of a partial mean, which only the caller knows.

use diesel::prelude::*;

use crate::{
    Error, FileState, RejectRow, Store,
    error::{Doing, exactly_one},
    rejects::next_reject_id,
    schema::{partials, reported_files::dsl, reported_rejects},
};

/// A file as one report has it. Its state is never [`FileState::Changing`].
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = crate::schema::reported_files)]
pub struct ReportFileRow {
    /// What the partial and the rejects belong to; 0 in a row that is not stored yet.
    pub id: i64,
    /// The report's name.
    pub report: String,
    /// The source that has it.
    pub source_id: i64,
    /// Relative to the source's folder, `/`-separated.
    pub path: String,
    /// The content whose partial is kept; `None` while none ever was.
    pub hash: Option<String>,
    /// How that partial was computed; `None` with `hash`.
    pub reading: Option<String>,
    /// Rows of the accepted content, rejects included.
    pub row_count: i64,
    /// Rows of it that the report's filter leaves out.
    pub passed_over: i64,
    /// All rejects of it, also those that are not kept as rows.
    pub rejects: i64,
    /// Groups of its partial.
    pub groups: i64,
    /// Whether the latest content is the accepted one.
    #[diesel(deserialize_as = String)]
    pub state: FileState,
    /// The latest content that was rejected as a whole; `None` when the latest was accepted.
    pub rejected_hash: Option<String>,
    /// How that content was read.
    pub rejected_reading: Option<String>,
    /// Why it was rejected.
    pub rejected_reason: Option<String>,
}

impl ReportFileRow {
    /// A file of which no content was accepted yet. It is stored by [`Store::put_report_file`].
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
            .doing(|| format!("read the files of the report {report:?}"))
    }

    /// Stores every column of a file anew, found by report, source and path, or adds it. Sets and returns its id.
    ///
    /// # Errors
    /// [`Error::Query`], without that source above all.
    pub fn put_report_file(&mut self, file: &mut ReportFileRow) -> Result<i64, Error> {
        let action = || format!("store the file {:?} of the report {:?}", file.path, file.report);
        let key =
            (dsl::report.eq(file.report.as_str()), dsl::source_id.eq(file.source_id), dsl::path.eq(file.path.as_str()));
        let put = (
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
        );
        let this = dsl::report.eq(&file.report).and(dsl::source_id.eq(file.source_id)).and(dsl::path.eq(&file.path));
        let changed = diesel::update(dsl::reported_files.filter(this)).set(put).execute(&mut self.connection);
        if changed.doing(action)? == 0 {
            let insert = diesel::insert_into(dsl::reported_files).values((key, put));
            insert.execute(&mut self.connection).doing(action)?;
        }
        let found = dsl::reported_files.filter(this).select(dsl::id).first(&mut self.connection);
        file.id = found.doing(action)?;
        Ok(file.id)
    }

    /// Deletes a file of a report with its partial and its rejects.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] without that file.
    pub fn delete_report_file(&mut self, id: i64) -> Result<(), Error> {
        let deleted = self.delete_report_files(&[id])?;
        exactly_one(deleted, || format!("`reported_files` has no row with the id {id}"))
    }

    /// Deletes the files that all reports have of a source.
    pub(crate) fn delete_report_files_of(&mut self, source_id: i64) -> Result<(), Error> {
        let found = dsl::reported_files.filter(dsl::source_id.eq(source_id)).select(dsl::id);
        let ids: Vec<i64> =
            found.load(&mut self.connection).doing(|| format!("read the reports' files of source {source_id}"))?;
        self.delete_report_files(&ids)?;
        Ok(())
    }

    /// Deletes these files with all that belongs to them, and returns how many were there.
    pub(crate) fn delete_report_files(&mut self, ids: &[i64]) -> Result<usize, Error> {
        let connection = &mut self.connection;
        let mut deleted = 0;
        for id in ids {
            let action = || format!("delete file {id} of a report");
            let of_partial = partials::table.filter(partials::reported_file_id.eq(id));
            diesel::delete(of_partial).execute(connection).doing(action)?;
            let of_rejects = reported_rejects::table.filter(reported_rejects::reported_file_id.eq(id));
            diesel::delete(of_rejects).execute(connection).doing(action)?;
            deleted += diesel::delete(dsl::reported_files.filter(dsl::id.eq(id))).execute(connection).doing(action)?;
        }
        Ok(deleted)
    }

    /// Deletes the partial of a file.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn clear_partial(&mut self, id: i64) -> Result<(), Error> {
        diesel::delete(partials::table.filter(partials::reported_file_id.eq(id)))
            .execute(&mut self.connection)
            .doing(|| format!("delete the partial of file {id}"))?;
        Ok(())
    }

    /// Stores a piece of the partial of a file; its pieces come back in the order of their numbers, which begin at 0.
    ///
    /// # Errors
    /// [`Error::Query`], if there is such a piece already above all.
    pub fn add_partial_piece(&mut self, id: i64, part_no: i64, piece: &[u8]) -> Result<(), Error> {
        let values = (partials::reported_file_id.eq(id), partials::part_no.eq(part_no), partials::body.eq(piece));
        let insert = diesel::insert_into(partials::table).values(values);
        self.connection.run(insert).doing(|| format!("store the partial of file {id}"))?;
        Ok(())
    }

    /// Gives each piece of a file's partial in turn to `take`, and returns how many there were; one is in memory at a time.
    ///
    /// # Errors
    /// Those of `take`; [`Error::Query`].
    pub fn partial<E: From<Error>>(&mut self, id: i64, mut take: impl FnMut(&[u8]) -> Result<(), E>) -> Result<i64, E> {
        for part_no in 0_i64.. {
            let piece: Option<Vec<u8>> = partials::table
                .find((id, part_no))
                .select(partials::body)
                .first(&mut self.connection)
                .optional()
                .doing(|| format!("read the partial of file {id}"))?;
            let Some(piece) = piece else { return Ok(part_no) };
            take(&piece)?;
        }
        Ok(i64::MAX)
    }

    /// As [`Store::replace_rejects`], for the file of a report.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn replace_report_rejects(&mut self, id: i64, whole_file: bool, rows: &[RejectRow]) -> Result<(), Error> {
        use reported_rejects::dsl;
        let action = || format!("replace the rejects of file {id} of a report");
        let before = dsl::reported_file_id.eq(id).and(dsl::whole_file.eq(whole_file));
        diesel::delete(dsl::reported_rejects.filter(before)).execute(&mut self.connection).doing(action)?;
        let first = next_reject_id(&mut self.connection).doing(action)?;
        for (number, row) in (first..).zip(rows) {
            let values = (
                dsl::id.eq(number),
                dsl::reported_file_id.eq(id),
                dsl::whole_file.eq(whole_file),
                dsl::line.eq(row.line),
                dsl::byte_offset.eq(row.byte_offset),
                dsl::reason.eq(&row.reason),
                dsl::raw.eq(&row.raw),
            );
            self.connection.run(diesel::insert_into(dsl::reported_rejects).values(values)).doing(action)?;
        }
        Ok(())
    }
}
