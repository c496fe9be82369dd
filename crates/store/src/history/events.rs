//! The table `events`: what happened, numbered. Each event is stored in the transaction that causes it.

use diesel::{
    dsl::{max, min},
    prelude::*,
};

use crate::{
    Error, Store,
    database::{
        bulk::{Bulk, Change, Values},
        error::OrCannot,
        schema::events::dsl,
    },
};

/// The newest events, which are kept; older ones are deleted.
const MAX_EVENTS: i64 = 10_000;
/// The newest events that are kept if an exchange does not have them yet.
const MAX_UNPUBLISHED: i64 = 1_000_000;

/// One event.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = crate::database::schema::events)]
pub struct EventRow {
    /// Its number. Later events have greater numbers, and no number is used twice.
    pub id: i64,
    /// Time of the event.
    pub at: String,
    /// `applied`, `source`, `edit` or `report`.
    pub kind: String,
    /// JSON.
    pub data: String,
}

impl Store {
    /// Stores an event, and deletes events that are too old.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn put_event(&mut self, at: &str, kind: &str, data: &str) -> Result<(), Error> {
        self.put_events(at, &[(kind, data)])
    }

    /// Stores events, each of a kind and its data, in this order, and deletes events that are too old.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn put_events<T: AsRef<str>>(&mut self, at: &str, events: &[(T, T)]) -> Result<(), Error> {
        let rows: Vec<_> =
            events.iter().map(|(kind, data)| Inserted { at, kind: kind.as_ref(), data: data.as_ref() }).collect();
        self.bulk(&rows, |Inserted { kind, .. }| format!("store an event `{kind}`"))?;
        let action = || "delete old events";
        let newest: Option<i64> = dsl::events.select(max(dsl::id)).first(&mut self.connection).or_cannot(action)?;
        let newest = newest.unwrap_or_default();
        let published = self.published_to_all()?.unwrap_or(newest);
        let last = published.min(newest - MAX_EVENTS).max(newest - MAX_UNPUBLISHED);
        let too_old = dsl::events.filter(dsl::id.le(last));
        diesel::delete(too_old).execute(&mut self.connection).or_cannot(action)?;
        Ok(())
    }

    /// Deletes all events, after a change that no event describes. A subscriber notices the gap in the numbers and reads
    /// everything again.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn forget_events(&mut self) -> Result<(), Error> {
        diesel::delete(dsl::events).execute(&mut self.connection).or_cannot(|| "delete the events")?;
        Ok(())
    }

    /// The number of events that an exchange does not have yet; 0 if none was published to it.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn unpublished_events(&mut self, exchange: &str) -> Result<i64, Error> {
        let Some(published) = self.published(exchange)? else { return Ok(0) };
        let newest: Option<i64> =
            dsl::events.select(max(dsl::id)).first(&mut self.connection).or_cannot(|| "read the newest event")?;
        Ok(newest.map_or(0, |newest| newest - published))
    }

    /// The numbers of the oldest and the newest event; `None` if there are no events.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn event_range(&mut self) -> Result<Option<(i64, i64)>, Error> {
        // Two statements, because SQLite scans the whole table if one asks for both ends.
        let action = || "read the numbers of the events";
        let oldest: Option<i64> = dsl::events.select(min(dsl::id)).first(&mut self.connection).or_cannot(action)?;
        let newest: Option<i64> = dsl::events.select(max(dsl::id)).first(&mut self.connection).or_cannot(action)?;
        Ok(oldest.zip(newest))
    }

    /// At most `limit` events after number `after`, the oldest first.
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
            .or_cannot(|| "read the events")
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
            .or_cannot(|| "read the latest events")
    }
}

/// An event to insert.
struct Inserted<'a> {
    at: &'a str,
    kind: &'a str,
    data: &'a str,
}

impl Bulk for Inserted<'_> {
    type Kind = Inserted<'static>;
    const CHANGE: Change =
        Change::Insert { table: "events", columns: &["kind", "data", "at"], on_conflict: "", scattered: true };

    fn push<'b>(&'b self, out: &mut impl Values<'b>) -> QueryResult<()> {
        out.text(self.kind)?;
        out.text(self.data)
    }

    fn push_shared<'b>(&'b self, out: &mut impl Values<'b>) -> QueryResult<()> {
        out.text(self.at)
    }
}
