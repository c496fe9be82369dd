//! The table `published_events`: how far each exchange of a broker has got.

use diesel::{dsl::min, prelude::*};

use crate::{
    Error, Store,
    database::{error::OrCannot, schema::published_events::dsl},
};

impl Store {
    /// The number of the last event that an exchange has; `None` if it has none.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn published(&mut self, exchange: &str) -> Result<Option<i64>, Error> {
        dsl::published_events
            .find(exchange)
            .select(dsl::event_id)
            .first(&mut self.connection)
            .optional()
            .or_cannot(|| format!("read which events {exchange:?} has"))
    }

    /// The number of the last event that all exchanges have; `None` if there are no exchanges.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub(super) fn published_to_all(&mut self) -> Result<Option<i64>, Error> {
        dsl::published_events
            .select(min(dsl::event_id))
            .first(&mut self.connection)
            .or_cannot(|| "read which events the exchanges have")
    }

    /// Forgets all exchanges but one. Events are no longer kept for them.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn publish_only_to(&mut self, exchange: Option<&str>) -> Result<(), Error> {
        let others = dsl::published_events.filter(dsl::exchange.ne(exchange.unwrap_or_default()));
        diesel::delete(others).execute(&mut self.connection).or_cannot(|| "forget exchanges")?;
        Ok(())
    }

    /// Notes the last event that an exchange has. Call it in a transaction.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn note_published(&mut self, exchange: &str, event: i64) -> Result<(), Error> {
        let action = || format!("note which events {exchange:?} has");
        diesel::delete(dsl::published_events.find(exchange)).execute(&mut self.connection).or_cannot(action)?;
        let row = (dsl::exchange.eq(exchange), dsl::event_id.eq(event));
        diesel::insert_into(dsl::published_events).values(row).execute(&mut self.connection).or_cannot(action)?;
        Ok(())
    }
}
