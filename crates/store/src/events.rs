//! The events: what happened, numbered. Each is stored in the transaction that causes it; what is in one is the master's
//! affair.

use diesel::{
    dsl::{max, min},
    prelude::*,
};

use crate::{Error, Store, error::Doing, schema::events::dsl};

/// How many events are kept.
const KEPT: i64 = 10_000;

/// One event.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = crate::schema::events)]
pub struct EventRow {
    /// Its number; later ones are greater, and none comes twice.
    pub id: i64,
    /// When it happened.
    pub at: String,
    /// `applied`, `source`, `edit` or `report`.
    pub kind: String,
    /// JSON.
    pub data: String,
}

impl Store {
    /// Stores an event, and lets go of those that are too old to keep.
    ///
    /// # Errors
    /// [`Error::Query`], for a kind that is not known above all.
    pub fn put_event(&mut self, at: &str, kind: &str, data: &str) -> Result<(), Error> {
        let action = || format!("store an event `{kind}`");
        diesel::insert_into(dsl::events)
            .values((dsl::at.eq(at), dsl::kind.eq(kind), dsl::data.eq(data)))
            .execute(&mut self.connection)
            .doing(action)?;
        let newest: Option<i64> = dsl::events.select(max(dsl::id)).first(&mut self.connection).doing(action)?;
        let too_old = dsl::events.filter(dsl::id.le(newest.unwrap_or_default() - KEPT));
        diesel::delete(too_old).execute(&mut self.connection).doing(action)?;
        Ok(())
    }

    /// Lets go of all events: so much has changed at once that whoever follows must begin anew, and is told so.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn forget_events(&mut self) -> Result<(), Error> {
        diesel::delete(dsl::events).execute(&mut self.connection).doing(|| "forget the events")?;
        Ok(())
    }

    /// The numbers of the oldest and the newest event that are kept; `None` without any.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn event_range(&mut self) -> Result<Option<(i64, i64)>, Error> {
        // Two statements: SQLite walks the whole table where one asks for both ends.
        let action = || "read the numbers of the events";
        let oldest: Option<i64> = dsl::events.select(min(dsl::id)).first(&mut self.connection).doing(action)?;
        let newest: Option<i64> = dsl::events.select(max(dsl::id)).first(&mut self.connection).doing(action)?;
        Ok(oldest.zip(newest))
    }

    /// At most `limit` events behind number `after`, the oldest first.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn events_after(&mut self, after: i64, limit: i64) -> Result<Vec<EventRow>, Error> {
        dsl::events
            .filter(dsl::id.gt(after))
            .select(EventRow::as_select())
            .order(dsl::id)
            .limit(limit)
            .load(&mut self.connection)
            .doing(|| "read the events")
    }

    /// At most `limit` events, the newest first.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn latest_events(&mut self, limit: i64) -> Result<Vec<EventRow>, Error> {
        dsl::events
            .select(EventRow::as_select())
            .order(dsl::id.desc())
            .limit(limit)
            .load(&mut self.connection)
            .doing(|| "read the latest events")
    }
}
