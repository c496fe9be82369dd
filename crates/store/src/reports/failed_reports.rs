//! The table `failed_reports`: the reports that could not be brought up to date with a source, with the error and its time.

use diesel::prelude::*;

use crate::{
    Error, Store,
    database::{error::OrCannot, schema::failed_reports::dsl},
};

/// A report that could not be brought up to date with a source.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = crate::database::schema::failed_reports)]
pub struct FailedReportRow {
    /// The report's name.
    pub report: String,
    /// The source.
    pub source_id: i64,
    /// The error, for people.
    pub error: String,
    /// Time of the first failure with this error, RFC 3339.
    pub failed_at: String,
}

impl Store {
    /// The failures of one report, by source id.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn report_failures(&mut self, report: &str) -> Result<Vec<FailedReportRow>, Error> {
        dsl::failed_reports
            .filter(dsl::report.eq(report))
            .select(FailedReportRow::as_select())
            .order(dsl::source_id)
            .load(&mut self.connection)
            .or_cannot(|| format!("read the failures of the report {report:?}"))
    }

    /// Stores a failure, and returns true if it is news. A failure with the same error as before keeps its time, and nothing is
    /// written: a report that is retried every few seconds must not write every few seconds.
    ///
    /// # Errors
    /// [`Error::Query`], for instance when there is no such source.
    pub fn put_report_failure(&mut self, failure: &FailedReportRow) -> Result<bool, Error> {
        let FailedReportRow { report, source_id, error, failed_at } = failure;
        let action = || format!("store the failure of the report {report:?}");
        let this = dsl::failed_reports.find((report, source_id));
        let known: Option<String> = this.select(dsl::error).first(&mut self.connection).optional().or_cannot(action)?;
        if known.as_ref() == Some(error) {
            return Ok(false);
        }
        let values = (dsl::error.eq(error), dsl::failed_at.eq(failed_at));
        match known {
            Some(_) => diesel::update(this).set(values).execute(&mut self.connection),
            None => diesel::insert_into(dsl::failed_reports)
                .values((dsl::report.eq(report), dsl::source_id.eq(source_id), values))
                .execute(&mut self.connection),
        }
        .or_cannot(action)?;
        Ok(true)
    }

    /// Deletes the failure of a report over a source, and returns true if there was one.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn clear_report_failure(&mut self, report: &str, source_id: i64) -> Result<bool, Error> {
        let deleted = diesel::delete(dsl::failed_reports.find((report, source_id)))
            .execute(&mut self.connection)
            .or_cannot(|| format!("clear the failure of the report {report:?}"))?;
        Ok(deleted > 0)
    }

    /// Deletes the failures of all reports over a source.
    pub(crate) fn delete_report_failures_of(&mut self, source_id: i64) -> Result<(), Error> {
        diesel::delete(dsl::failed_reports.filter(dsl::source_id.eq(source_id)))
            .execute(&mut self.connection)
            .or_cannot(|| format!("delete the failures of reports over source {source_id}"))?;
        Ok(())
    }
}
