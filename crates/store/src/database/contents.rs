//! The contents of all tables at once: counting their rows, and deleting them.

use diesel::{dsl::exists, prelude::*, query_dsl::methods::ExecuteDsl};

use super::{
    connection::AnyConnection,
    error::{Error, OrCannot},
    schema::{
        aggr, documents, edits, events, exports, files, held_versions, history, messages, operation_messages, pages,
        partials, plain_files, product_changes, products, published_events, queues, rejects, shadowed, sources,
    },
    store::Store,
};

/// The number of rows in each table that a person may ask about.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    /// Rows of `products`.
    pub products: i64,
    /// Rows of `aggr`: distinct names.
    pub aggr: i64,
    /// Rows of `sources`.
    pub sources: i64,
    /// Rows of `files`, of all readers.
    pub files: i64,
    /// Rows of `rejects`, at most 1,000 per file.
    pub rejects: i64,
    /// Rows of `edits`.
    pub edits: i64,
    /// Rows of `shadowed`.
    pub shadowed: i64,
}

impl Store {
    /// Counts the rows of each table, by reading the whole table.
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
        counts().or_cannot(|| "count the rows")
    }

    /// Whether the database holds nothing that a person, a program or a source has given to it. Sources themselves do not count: they
    /// come from the configuration.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn holds_nothing(&mut self) -> Result<bool, Error> {
        if !self.is_catalog_empty()? {
            return Ok(false);
        }
        let connection = &mut self.connection;
        let mut holds_any = || -> QueryResult<bool> {
            Ok(diesel::select(exists(files::table.select(files::id))).get_result(connection)?
                || diesel::select(exists(documents::table.select(documents::id))).get_result(connection)?
                || diesel::select(exists(messages::table.select(messages::no))).get_result(connection)?
                || diesel::select(exists(operation_messages::table.select(operation_messages::no)))
                    .get_result(connection)?
                || diesel::select(exists(product_changes::table.select(product_changes::id))).get_result(connection)?)
        };
        holds_any().map(|holds_any| !holds_any).or_cannot(|| "look for rows")
    }

    /// Deletes all rows in one transaction, edits included, and drops the reports with their tables. The schema stays.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn empty(&mut self) -> Result<(), Error> {
        self.transaction(|store| {
            store.clear("events", diesel::delete(events::table))?;
            store.clear("history", diesel::delete(history::table))?;
            store.clear("published_events", diesel::delete(published_events::table))?;
            store.clear("exports", diesel::delete(exports::table))?;
            store.clear("queues", diesel::delete(queues::table))?;
            store.clear("documents", diesel::delete(documents::table))?;
            store.clear("messages", diesel::delete(messages::table))?;
            store.clear("operation_messages", diesel::delete(operation_messages::table))?;
            store.clear("product_changes", diesel::delete(product_changes::table))?;
            store.reset_tally()?;
            for report in store.report_names()? {
                store.drop_report(&report)?;
            }
            // From here on in this order: a table that refers to another is emptied first.
            store.clear("rejects", diesel::delete(rejects::table))?;
            store.clear("partials", diesel::delete(partials::table))?;
            store.clear("pages", diesel::delete(pages::table))?;
            store.clear("products", diesel::delete(products::table))?;
            store.clear("shadowed", diesel::delete(shadowed::table))?;
            store.clear("edits", diesel::delete(edits::table))?;
            store.clear("aggr", diesel::delete(aggr::table))?;
            store.clear("held_versions", diesel::delete(held_versions::table))?;
            store.clear("plain_files", diesel::delete(plain_files::table))?;
            store.clear("files", diesel::delete(files::table))?;
            store.clear("sources", diesel::delete(sources::table))
        })
    }

    fn clear<Q: ExecuteDsl<AnyConnection>>(&mut self, table: &str, delete: Q) -> Result<(), Error> {
        Q::execute(delete, &mut self.connection).or_cannot(|| format!("empty {table}"))?;
        Ok(())
    }
}
