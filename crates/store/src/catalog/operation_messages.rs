//! The table `operation_messages`: the messages whose operations became edits, kept for a bounded time and number.

use diesel::{dsl::max, prelude::*};

use crate::{
    Error, Store,
    database::{
        bulk::{Bulk, Change, Values},
        error::OrCannot,
        keys::KEYS_PER_STATEMENT,
        last_old,
        schema::operation_messages::dsl,
    },
};

impl Store {
    /// Those of some ids of messages that are known, in no particular order.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn known_operation_messages(&mut self, ids: &[&str]) -> Result<Vec<String>, Error> {
        let mut known = Vec::new();
        for ids in ids.chunks(KEYS_PER_STATEMENT) {
            let query = dsl::operation_messages.filter(dsl::id.eq_any(ids)).select(dsl::id);
            let found: Vec<String> =
                query.load(&mut self.connection).or_cannot(|| "read the messages of operations")?;
            known.extend(found);
        }
        Ok(known)
    }

    /// Stores messages that arrived at one time, in this order.
    ///
    /// # Errors
    /// [`Error::Query`], for instance when one of the ids is known.
    pub fn insert_operation_messages<T: AsRef<str>>(&mut self, ids: &[T], received_at: &str) -> Result<(), Error> {
        let rows: Vec<_> = ids.iter().map(|id| Inserted { id: id.as_ref(), received_at }).collect();
        self.bulk(&rows, |Inserted { id, .. }| format!("store the message {id:?}")).map(drop)
    }

    /// Deletes all but the newest `keep` messages, and those that arrived before `oldest`, at most `limit` at a time.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn delete_old_operation_messages(&mut self, keep: i64, oldest: &str, limit: i64) -> Result<(), Error> {
        let action = || "delete old messages of operations";
        let connection = &mut self.connection;
        let newest: Option<i64> = dsl::operation_messages.select(max(dsl::no)).first(connection).or_cannot(action)?;
        let Some(newest) = newest else { return Ok(()) };
        let first: Vec<(i64, String)> = dsl::operation_messages
            .select((dsl::no, dsl::received_at))
            .order(dsl::no)
            .limit(limit)
            .load(connection)
            .or_cannot(action)?;
        let Some(last) = last_old(&first, newest.saturating_sub(keep), oldest) else { return Ok(()) };
        let delete = diesel::delete(dsl::operation_messages.filter(dsl::no.le(last)));
        delete.execute(connection).or_cannot(action)?;
        Ok(())
    }
}

/// A message to insert. The time is bound once per statement.
struct Inserted<'a> {
    id: &'a str,
    received_at: &'a str,
}

impl Bulk for Inserted<'_> {
    type Kind = Inserted<'static>;
    const CHANGE: Change = Change::Insert {
        table: "operation_messages",
        columns: &["id", "received_at"],
        on_conflict: "",
        scattered: true,
    };

    fn push<'b>(&'b self, out: &mut impl Values<'b>) -> QueryResult<()> {
        out.text(self.id)
    }

    fn push_shared<'b>(&'b self, out: &mut impl Values<'b>) -> QueryResult<()> {
        out.text(self.received_at)
    }
}
