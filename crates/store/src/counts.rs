//! How much the tables hold, and emptying them.

use diesel::{prelude::*, query_dsl::methods::ExecuteDsl};

use crate::{
    Error, Store, Tally,
    connection::AnyConnection,
    error::Doing,
    schema::{aggr, edits, events, files, pages, products, rejects, shadowed, sources, uploads},
};

/// The number of rows of each table that a person may ask for.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    /// Rows of `products`.
    pub products: i64,
    /// Rows of `aggr`: distinct names.
    pub aggr: i64,
    /// Rows of `sources`.
    pub sources: i64,
    /// Rows of `files`.
    pub files: i64,
    /// Rows of `rejects`, at most 1,000 a file.
    pub rejects: i64,
    /// Rows of `edits`.
    pub edits: i64,
    /// Rows of `shadowed`.
    pub shadowed: i64,
}

impl Store {
    /// Counts the rows of every table. Reads each table through.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn counts(&mut self) -> Result<Counts, Error> {
        let connection = &mut self.connection;
        let mut counts = || -> QueryResult<Counts> {
            Ok(Counts {
                products: products::table.count().get_result(connection)?,
                aggr: aggr::table.count().get_result(connection)?,
                sources: sources::table.count().get_result(connection)?,
                files: files::table.count().get_result(connection)?,
                rejects: rejects::table.count().get_result(connection)?,
                edits: edits::table.count().get_result(connection)?,
                shadowed: shadowed::table.count().get_result(connection)?,
            })
        };
        counts().doing(|| "count the rows")
    }

    /// Deletes every row of every table, edits included, and the reports with their tables, in one transaction. The schema stays.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn empty(&mut self) -> Result<(), Error> {
        self.transaction(|store| {
            // What points to other tables goes before what it points to.
            store.clear("events", diesel::delete(events::table))?;
            store.clear("uploads", diesel::delete(uploads::table))?;
            let tally = store.tally()?;
            store.move_tally(Tally { products: -tally.products, names: -tally.names })?;
            for report in store.report_names()? {
                store.drop_report(&report)?;
            }
            store.clear("rejects", diesel::delete(rejects::table))?;
            store.clear("pages", diesel::delete(pages::table))?;
            store.clear("products", diesel::delete(products::table))?;
            store.clear("shadowed", diesel::delete(shadowed::table))?;
            store.clear("edits", diesel::delete(edits::table))?;
            store.clear("aggr", diesel::delete(aggr::table))?;
            store.clear("files", diesel::delete(files::table))?;
            store.clear("sources", diesel::delete(sources::table))
        })
    }

    fn clear<Q: ExecuteDsl<AnyConnection>>(&mut self, table: &str, delete: Q) -> Result<(), Error> {
        Q::execute(delete, &mut self.connection).doing(|| format!("empty {table}"))?;
        Ok(())
    }
}
