//! Lists of names and their counts, for people and programs. Writes are in `aggr`.

use diesel::prelude::*;

use super::aggr::AggrRow;
use crate::{
    Error, Store,
    database::{connection::on_either, error::OrCannot, functions::instr, schema::aggr},
};

/// The order of a list of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AggrOrder {
    /// By name.
    #[default]
    Name,
    /// The names with the most products first; equal counts by name.
    MostProducts,
}

impl Store {
    /// At most `limit` names with their counts after the name `after`, by name; with `name` only that one.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn aggr_page(&mut self, name: Option<&str>, after: Option<&str>, limit: i64) -> Result<Vec<AggrRow>, Error> {
        let mut query = aggr::table.select(AggrRow::as_select()).order(aggr::name).limit(limit).into_boxed();
        if let Some(name) = name {
            query = query.filter(aggr::name.eq(name));
        }
        if let Some(after) = after {
            query = query.filter(aggr::name.gt(after));
        }
        query.load(&mut self.connection).or_cannot(|| "read aggr")
    }

    /// The number of names; with `name`, 1 if that name exists and 0 otherwise.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn aggr_count(&mut self, name: Option<&str>) -> Result<i64, Error> {
        match name {
            Some(name) => aggr::table.filter(aggr::name.eq(name)).count().get_result(&mut self.connection),
            None => return Ok(self.tally()?.names),
        }
        .or_cannot(|| "count aggr")
    }

    /// At most `limit` names with their counts, after skipping `offset`; with `part` only names that contain it.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn aggr_list(
        &mut self,
        part: Option<&str>,
        order: AggrOrder,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<AggrRow>, Error> {
        let mut rows = Vec::new();
        self.each_name(part, order, limit, offset, |row| {
            rows.push(row);
            Ok::<_, Error>(())
        })?;
        Ok(rows)
    }

    /// Passes the rows of [`Store::aggr_list`] to `take` as they are read.
    ///
    /// # Errors
    /// [`Error::Query`], and those of `take`.
    pub fn each_name<E: From<Error>>(
        &mut self,
        part: Option<&str>,
        order: AggrOrder,
        limit: i64,
        offset: i64,
        mut take: impl FnMut(AggrRow) -> Result<(), E>,
    ) -> Result<(), E> {
        on_either!(&mut self.connection, connection, Rows => {
            let mut query = aggr::table.select(AggrRow::as_select()).limit(limit).offset(offset).into_boxed();
            query = match order {
                AggrOrder::Name => query.order(aggr::name),
                AggrOrder::MostProducts => query.order((aggr::no_of_products.desc(), aggr::name)),
            };
            if let Some(part) = part {
                query = query.filter(instr(aggr::name, part).gt(0));
            }
            let rows = query.load_iter::<AggrRow, Rows>(connection);
            for row in rows.or_cannot(|| "read aggr")? {
                take(row.or_cannot(|| "read aggr")?)?;
            }
            Ok(())
        })
    }

    /// The number of names; with `part` only names that contain it.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn aggr_matches(&mut self, part: Option<&str>) -> Result<i64, Error> {
        let Some(part) = part else { return self.aggr_count(None) };
        let query = aggr::table.filter(instr(aggr::name, part).gt(0)).count();
        query.get_result(&mut self.connection).or_cannot(|| "count aggr")
    }

    /// At most `limit` names with their counts that contain `part`, by name: those after the name `after`, up to the name `last`.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn aggr_between(
        &mut self,
        part: Option<&str>,
        after: Option<&str>,
        last: Option<&str>,
        limit: i64,
    ) -> Result<Vec<AggrRow>, Error> {
        let mut query = aggr::table.select(AggrRow::as_select()).order(aggr::name).limit(limit).into_boxed();
        if let Some(part) = part {
            query = query.filter(instr(aggr::name, part).gt(0));
        }
        if let Some(after) = after {
            query = query.filter(aggr::name.gt(after));
        }
        if let Some(last) = last {
            query = query.filter(aggr::name.le(last));
        }
        query.load(&mut self.connection).or_cannot(|| "search aggr")
    }

    /// The name that lies `names` names behind the name `after`, or behind the first one. `None` if there are not so many.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn name_at_distance(&mut self, after: Option<&str>, names: i64) -> Result<Option<String>, Error> {
        let mut query = aggr::table.select(aggr::name).order(aggr::name).offset(names).limit(1).into_boxed();
        if let Some(after) = after {
            query = query.filter(aggr::name.gt(after));
        }
        query.first(&mut self.connection).optional().or_cannot(|| "read aggr")
    }
}
