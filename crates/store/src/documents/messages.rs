//! The table `messages`: the messages that brought or took back documents, kept for a bounded time and number.

use diesel::{dsl::max, prelude::*};

use super::rows::{DocumentState, Place};
use crate::{
    Error, Store,
    database::{
        error::OrCannot,
        last_old,
        schema::{
            documents,
            messages::{self, dsl},
        },
    },
};

/// A message that was taken in.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = messages)]
pub struct MessageRow {
    /// The sender's id; `None` if only a sequence was sent.
    pub id: Option<String>,
    /// The path of the document.
    pub path: String,
    /// The number of the document among those of its path.
    pub sequence: Option<i64>,
    /// Id of the document; `None` if the message took one back.
    pub document: Option<String>,
    /// The last state of its document.
    pub state: String,
    /// Time of its arrival, RFC 3339.
    pub received_at: String,
}

impl Store {
    /// The message with this id.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn message(&mut self, id: &str) -> Result<Option<MessageRow>, Error> {
        dsl::messages
            .filter(dsl::id.eq(id))
            .select(MessageRow::as_select())
            .first(&mut self.connection)
            .optional()
            .or_cannot(|| format!("read the message {id:?}"))
    }

    /// Stores a message.
    ///
    /// # Errors
    /// [`Error::Query`], for instance when there is one with this id.
    pub fn insert_message(&mut self, row: &MessageRow) -> Result<(), Error> {
        let insert = diesel::insert_into(dsl::messages).values(row);
        insert.execute(&mut self.connection).or_cannot(|| format!("store the message {:?}", row.id))?;
        Ok(())
    }

    /// Notes the state of the document that a message brought. A message that is forgotten stays so.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn set_message_state(&mut self, id: &str, state: DocumentState) -> Result<(), Error> {
        let update = diesel::update(dsl::messages.filter(dsl::id.eq(id))).set(dsl::state.eq(state.as_str()));
        update.execute(&mut self.connection).or_cannot(|| format!("change the message {id:?}"))?;
        Ok(())
    }

    /// The greatest sequence among the documents of a path, as far as it is remembered.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn greatest_sequence(&mut self, path: &str) -> Result<Option<i64>, Error> {
        let action = || format!("read the sequence of {path:?}");
        let connection = &mut self.connection;
        let of_messages: Option<i64> = dsl::messages
            .filter(dsl::path.eq(path).and(dsl::sequence.is_not_null()))
            .select(max(dsl::sequence))
            .first(connection)
            .or_cannot(action)?;
        let places = [Place::Current, Place::Next].map(Place::as_str);
        let of_documents: Option<i64> = documents::table
            .filter(documents::path.eq(path).and(documents::place.eq_any(places)))
            .select(max(documents::sequence))
            .first(connection)
            .or_cannot(action)?;
        Ok(of_messages.max(of_documents))
    }

    /// Deletes all but the newest `keep` messages, and those that arrived before `oldest`, at most `limit` at a time.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn delete_old_messages(&mut self, keep: i64, oldest: &str, limit: i64) -> Result<(), Error> {
        let action = || "delete old messages";
        let connection = &mut self.connection;
        let newest: Option<i64> = dsl::messages.select(max(dsl::no)).first(connection).or_cannot(action)?;
        let Some(newest) = newest else { return Ok(()) };
        let first: Vec<(i64, String)> = dsl::messages
            .select((dsl::no, dsl::received_at))
            .order(dsl::no)
            .limit(limit)
            .load(connection)
            .or_cannot(action)?;
        let Some(last) = last_old(&first, newest.saturating_sub(keep), oldest) else { return Ok(()) };
        diesel::delete(dsl::messages.filter(dsl::no.le(last))).execute(connection).or_cannot(action)?;
        Ok(())
    }
}
