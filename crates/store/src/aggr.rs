//! Moving `aggr`: how many products bear a name. It is moved by differences that the merge computed, never recounted.

use diesel::prelude::*;

use crate::error::{Doing, exactly_one};
use crate::schema::aggr::dsl;
use crate::state::{Lookup, wanted_rows};
use crate::{Error, Store, Tally};

/// One name and its number of products.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = crate::schema::aggr)]
pub struct AggrRow {
    /// The key; the empty name is a name.
    pub name: String,
    /// At least 1.
    pub no_of_products: i64,
}

const AGGR: Lookup<AggrRow> = Lookup {
    key: |row| &row.name,
    range: |connection, first, last, limit| {
        dsl::aggr
            .filter(dsl::name.ge(first).and(dsl::name.le(last)))
            .select(AggrRow::as_select())
            .order(dsl::name)
            .limit(limit)
            .load(connection)
    },
    listed: |connection, names| {
        dsl::aggr.filter(dsl::name.eq_any(names)).select(AggrRow::as_select()).order(dsl::name).load(connection)
    },
};

impl Store {
    /// Adds a difference to the count of each name. The names must be sorted by bytes and unique, the differences not
    /// zero. A name that is new gets a row, one that comes to 0 loses it.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] when a count would fall below 0, which says that `aggr` and `products`
    /// had parted before.
    pub fn move_aggr(&mut self, moves: &[(String, i64)]) -> Result<(), Error> {
        let names: Vec<String> = moves.iter().map(|(name, _)| name.clone()).collect();
        let before = wanted_rows(&mut self.connection, &names, &AGGR).doing(|| "read the counts of names from aggr")?;
        let mut before = before.into_iter().peekable();
        let mut names_moved = 0;
        for (name, difference) in moves {
            let old = before.next_if(|row| row.name == *name).map_or(0, |row| row.no_of_products);
            let new = old + difference;
            self.set_count(name, old, new)?;
            names_moved += i64::from(new > 0) - i64::from(old > 0);
        }
        self.move_tally(Tally { names: names_moved, ..Tally::default() })
    }

    fn set_count(&mut self, name: &str, old: i64, new: i64) -> Result<(), Error> {
        if new < 0 {
            return Err(Error::Corrupt {
                what: format!("`aggr` counts {old} products of the name {name:?}, of which {} go", old - new),
            });
        }
        let action = || format!("move the count of {name:?} in aggr from {old} to {new}");
        // Deleted and inserted where it changes, for the reason given at `update_products`.
        if old > 0 {
            let deleted = self.connection.run(diesel::delete(dsl::aggr.filter(dsl::name.eq(name)))).doing(action)?;
            exactly_one(deleted, || format!("`aggr` has no row for the name {name:?}"))?;
        }
        if new > 0 {
            let values = (dsl::name.eq(name), dsl::no_of_products.eq(new));
            self.connection.run(diesel::insert_into(dsl::aggr).values(values)).doing(action)?;
        }
        Ok(())
    }
}
