//! The table `tally`, one row: the numbers of products and names, updated with them. Counting all rows is in
//! `database::contents`.

use diesel::{dsl::exists, prelude::*};

use crate::{
    Error, Store,
    database::{
        error::{OrCannot, exactly_one},
        schema::{edits, shadowed, tally::dsl},
    },
};

/// The numbers of rows in `products` and `aggr`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Queryable, Selectable)]
#[diesel(table_name = crate::database::schema::tally)]
pub struct Tally {
    /// Rows of `products`.
    pub products: i64,
    /// Rows of `aggr`.
    pub names: i64,
}

impl Store {
    /// The numbers of products and names, without counting them.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn tally(&mut self) -> Result<Tally, Error> {
        dsl::tally.select(Tally::as_select()).first(&mut self.connection).or_cannot(|| "read the tally")
    }

    /// True if there is no product, no offer and no edit.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn is_catalog_empty(&mut self) -> Result<bool, Error> {
        if self.tally()?.products > 0 {
            return Ok(false);
        }
        let connection = &mut self.connection;
        let mut has_rows = || -> QueryResult<bool> {
            let offered = diesel::select(exists(shadowed::table.select(shadowed::sku))).get_result(connection)?;
            Ok(offered || diesel::select(exists(edits::table.select(edits::sku))).get_result(connection)?)
        };
        Ok(!has_rows().or_cannot(|| "look for offers and edits")?)
    }

    /// Adds to the tally. Call it wherever rows of `products` or `aggr` are added or deleted.
    pub(crate) fn add_to_tally(&mut self, difference: Tally) -> Result<(), Error> {
        if difference == Tally::default() {
            return Ok(());
        }
        let Tally { products, names } = difference;
        let changed = diesel::update(dsl::tally)
            .set((dsl::products.eq(dsl::products + products), dsl::names.eq(dsl::names + names)))
            .execute(&mut self.connection)
            .or_cannot(|| "update the tally")?;
        exactly_one(changed, no_single_row)
    }

    /// Sets the tally to zero. Call it before deleting all products and names.
    pub(crate) fn reset_tally(&mut self) -> Result<(), Error> {
        let changed = diesel::update(dsl::tally)
            .set((dsl::products.eq(0), dsl::names.eq(0)))
            .execute(&mut self.connection)
            .or_cannot(|| "reset the tally")?;
        exactly_one(changed, no_single_row)
    }
}

fn no_single_row() -> String {
    "`tally` does not have exactly one row".to_owned()
}
