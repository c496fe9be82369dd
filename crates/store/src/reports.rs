//! The reports as a whole: what the table of each was written from, and dropping one with all that belongs to it. Its rows are in
//! `report_table`, its files in `report_files`.

use std::collections::BTreeSet;

use diesel::prelude::*;

use crate::{
    Error, Store,
    error::Doing,
    schema::{reported_files, reports::dsl},
};

/// What the table of a report was written from.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = crate::schema::reports)]
pub struct ReportRow {
    /// The report's name.
    pub name: String,
    /// Digest of its specification.
    pub digest: String,
    /// Rows of its table.
    pub groups: i64,
    /// When the table was written, RFC 3339.
    pub computed_at: String,
    /// The sources' versions that it stands at; JSON, and the caller's affair.
    pub standing: String,
}

impl Store {
    /// What the tables of all reports were written from, by name.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn reports(&mut self) -> Result<Vec<ReportRow>, Error> {
        dsl::reports
            .select(ReportRow::as_select())
            .order(dsl::name)
            .load(&mut self.connection)
            .doing(|| "read the reports")
    }

    /// What the table of one report was written from; `None` if it never was.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn report(&mut self, name: &str) -> Result<Option<ReportRow>, Error> {
        dsl::reports
            .find(name)
            .select(ReportRow::as_select())
            .first(&mut self.connection)
            .optional()
            .doing(|| format!("read the report {name:?}"))
    }

    /// Stores what the table of a report was written from. Belongs into the transaction that writes it.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn put_report(&mut self, report: &ReportRow) -> Result<(), Error> {
        let put = (
            dsl::digest.eq(report.digest.as_str()),
            dsl::groups.eq(report.groups),
            dsl::computed_at.eq(report.computed_at.as_str()),
            dsl::standing.eq(report.standing.as_str()),
        );
        let action = || format!("store what the report {:?} stands at", report.name);
        let changed = diesel::update(dsl::reports.find(&report.name)).set(put).execute(&mut self.connection);
        if changed.doing(action)? == 0 {
            let insert = diesel::insert_into(dsl::reports).values((dsl::name.eq(report.name.as_str()), put));
            insert.execute(&mut self.connection).doing(action)?;
        }
        Ok(())
    }

    /// The names of all reports of which something is stored, be it a table or a file, by name.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn report_names(&mut self) -> Result<Vec<String>, Error> {
        let mut names: BTreeSet<String> = self.report_tables()?.into_iter().collect();
        let connection = &mut self.connection;
        let action = || "read the names of the reports";
        names.extend(dsl::reports.select(dsl::name).load::<String>(connection).doing(action)?);
        let of_files = reported_files::table.select(reported_files::report).distinct();
        names.extend(of_files.load::<String>(connection).doing(action)?);
        Ok(names.into_iter().collect())
    }

    /// Deletes a report: its table, its files with their partials and rejects, and what is noted of it. One that is not there is no
    /// error.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn drop_report(&mut self, name: &str) -> Result<(), Error> {
        let action = || format!("drop the report {name:?}");
        self.drop_report_table(name)?;
        let files = reported_files::table.filter(reported_files::report.eq(name)).select(reported_files::id);
        let ids: Vec<i64> = files.load(&mut self.connection).doing(action)?;
        self.delete_report_files(&ids)?;
        diesel::delete(dsl::reports.find(name)).execute(&mut self.connection).doing(action)?;
        Ok(())
    }
}
