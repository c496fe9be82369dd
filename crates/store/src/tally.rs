//! The tally: how many products and names there are, moved with them. Counting every row is in `counts`.

use diesel::prelude::*;

use crate::{
    Error, Store,
    error::{Doing, exactly_one},
    schema::tally::dsl,
};

/// The number of rows of `products` and of `aggr`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Queryable, Selectable)]
#[diesel(table_name = crate::schema::tally)]
pub struct Tally {
    /// Rows of `products`.
    pub products: i64,
    /// Rows of `aggr`.
    pub names: i64,
}

impl Store {
    /// How many products and names there are, without counting them.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn tally(&mut self) -> Result<Tally, Error> {
        dsl::tally.select(Tally::as_select()).first(&mut self.connection).doing(|| "read the tally")
    }

    /// Adds a difference to the tally, for what adds and deletes the rows.
    pub(crate) fn move_tally(&mut self, by: Tally) -> Result<(), Error> {
        if by == Tally::default() {
            return Ok(());
        }
        let changed = diesel::update(dsl::tally)
            .set((dsl::products.eq(dsl::products + by.products), dsl::names.eq(dsl::names + by.names)))
            .execute(&mut self.connection)
            .doing(|| "move the tally")?;
        exactly_one(changed, || "`tally` has not one row".to_owned())
    }
}
