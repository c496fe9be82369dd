//! The table `reports`: the inputs that each result table was computed from, and dropping a report with all that belongs to it. Result
//! tables are in `table`, the files that they are computed from in `inputs::files`.

use std::collections::BTreeSet;

use diesel::prelude::*;

use crate::{
    Error, Store,
    database::{
        error::OrCannot,
        schema::{failed_reports, reports::dsl},
    },
};

/// The inputs that the result table of a report was computed from.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = crate::database::schema::reports)]
pub struct ReportRow {
    /// The report's name.
    pub name: String,
    /// Digest of its specification.
    pub digest: String,
    /// Rows of its table.
    pub groups: i64,
    /// Time when the table was written, RFC 3339.
    pub computed_at: String,
    /// The versions of the sources that it was computed from, as JSON that only the caller reads.
    pub standing: String,
}

impl Store {
    /// All computed reports, by name.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn reports(&mut self) -> Result<Vec<ReportRow>, Error> {
        dsl::reports
            .select(ReportRow::as_select())
            .order(dsl::name)
            .load(&mut self.connection)
            .or_cannot(|| "read the reports")
    }

    /// One report; `None` while it has never been computed.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn report(&mut self, name: &str) -> Result<Option<ReportRow>, Error> {
        dsl::reports
            .find(name)
            .select(ReportRow::as_select())
            .first(&mut self.connection)
            .optional()
            .or_cannot(|| format!("read the report {name:?}"))
    }

    /// Stores the inputs that a result table was computed from. Call it in the transaction that writes the table.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn put_report(&mut self, report: &ReportRow) -> Result<(), Error> {
        let values = (
            dsl::digest.eq(report.digest.as_str()),
            dsl::groups.eq(report.groups),
            dsl::computed_at.eq(report.computed_at.as_str()),
            dsl::standing.eq(report.standing.as_str()),
        );
        let action = || format!("store what the report {:?} was computed from", report.name);
        let changed = diesel::update(dsl::reports.find(&report.name)).set(values).execute(&mut self.connection);
        if changed.or_cannot(action)? == 0 {
            let insert = diesel::insert_into(dsl::reports).values((dsl::name.eq(report.name.as_str()), values));
            insert.execute(&mut self.connection).or_cannot(action)?;
        }
        Ok(())
    }

    /// The names of all reports that have a table or a failure, by name.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn report_names(&mut self) -> Result<Vec<String>, Error> {
        let mut names: BTreeSet<String> = self.report_tables()?.into_iter().collect();
        let connection = &mut self.connection;
        let action = || "read the names of the reports";
        names.extend(dsl::reports.select(dsl::name).load::<String>(connection).or_cannot(action)?);
        let of_failures = failed_reports::table.select(failed_reports::report).distinct();
        names.extend(of_failures.load::<String>(connection).or_cannot(action)?);
        Ok(names.into_iter().collect())
    }

    /// Deletes a report: its table, its row and its failures, but not its files. Deleting an unknown report does nothing.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn drop_report(&mut self, name: &str) -> Result<(), Error> {
        let action = || format!("drop the report {name:?}");
        self.drop_report_table(name)?;
        let failures = failed_reports::table.filter(failed_reports::report.eq(name));
        diesel::delete(failures).execute(&mut self.connection).or_cannot(action)?;
        diesel::delete(dsl::reports.find(name)).execute(&mut self.connection).or_cannot(action)?;
        Ok(())
    }
}
