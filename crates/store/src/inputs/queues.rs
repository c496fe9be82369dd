//! The table `queues`: the queues of the broker as the master last saw them. There are a few.

use diesel::prelude::*;

use crate::{
    Error, Store,
    database::{
        error::OrCannot,
        schema::queues::{self, dsl},
    },
};

/// A queue as it was last seen.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = queues)]
pub struct QueueRow {
    /// Its name.
    pub name: String,
    /// Its place in lists.
    pub position: i64,
    /// Its purpose: `operations`, `documents` or `dead letters`.
    pub role: String,
    /// Messages that wait; `None` if it was never seen.
    pub ready: Option<i64>,
    /// Consumers; `None` if it was never seen.
    pub consumers: Option<i64>,
    /// Messages that the master has in hand; `None` if others take its messages.
    pub unacknowledged: Option<i64>,
    /// Messages that the master has made dead letters.
    pub set_aside: i64,
    /// Why the broker cannot be used.
    pub error: Option<String>,
    /// When one of these changed, RFC 3339.
    pub changed_at: String,
}

impl Store {
    /// All queues, in the order in which they are shown.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn queues(&mut self) -> Result<Vec<QueueRow>, Error> {
        dsl::queues
            .select(QueueRow::as_select())
            .order(dsl::position)
            .load(&mut self.connection)
            .or_cannot(|| "read the queues")
    }

    /// Replaces all queues by these. Call it in a transaction.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn put_queues(&mut self, rows: &[QueueRow]) -> Result<(), Error> {
        diesel::delete(dsl::queues).execute(&mut self.connection).or_cannot(|| "delete the queues")?;
        for row in rows {
            let insert = diesel::insert_into(dsl::queues).values(row);
            insert.execute(&mut self.connection).or_cannot(|| format!("store the queue {:?}", row.name))?;
        }
        Ok(())
    }
}
