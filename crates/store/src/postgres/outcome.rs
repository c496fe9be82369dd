//! The session that writes, once it is lost: another takes its place, and the server tells how the last transaction ended.

use std::{
    thread,
    time::{Duration, Instant},
};

use diesel::{
    connection::SimpleConnection,
    prelude::*,
    sql_query,
    sql_types::{BigInt, Bool, Nullable, Text},
};

use super::{
    open::{Session, cannot_open, connect},
    schema::active_master::{self, dsl},
};
use crate::{
    Error, Store,
    database::{connection::AnyConnection, error::OrCannot},
};

/// The longest search for the outcome of a transaction. The writer waits as long: it must not begin another one before it knows.
const MAX_SEARCH: Duration = Duration::from_secs(10);
/// The interval of tries.
const RETRY: Duration = Duration::from_millis(50);

/// Takes a megabyte: a small row finds room on a full disk.
const ROOM: &str =
    "CREATE TEMPORARY TABLE room_of_a_probe ON COMMIT DROP AS SELECT md5(n::text) FROM generate_series(1, 16384) AS n";

/// A session as the server knows it.
#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct Backend {
    #[diesel(sql_type = BigInt)]
    pid: i64,
    #[diesel(sql_type = Text)]
    since: String,
}

/// The number of a running transaction, by which its outcome can be asked for later.
#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct Transaction {
    #[diesel(sql_type = BigInt)]
    pub(crate) epoch: i64,
    #[diesel(sql_type = Text)]
    number: String,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    epoch: i64,
    #[diesel(sql_type = Nullable<Text>)]
    status: Option<String>,
    #[diesel(sql_type = Bool)]
    has_locked: bool,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

impl Backend {
    fn of(session: &mut PgConnection) -> QueryResult<Self> {
        let query = "SELECT pid::bigint AS pid, backend_start::text AS since FROM pg_stat_activity WHERE pid = pg_backend_pid()";
        sql_query(query).get_result(session)
    }

    /// Ends it, if the server still has it: it would keep its locks, and might commit later. Returns whether it is gone.
    fn end(&self, session: &mut PgConnection) -> QueryResult<bool> {
        let query = "SELECT count(pg_terminate_backend(pid)) AS count FROM pg_stat_activity WHERE pid = $1 AND backend_start::text = $2";
        let left: Count =
            sql_query(query).bind::<BigInt, _>(self.pid).bind::<Text, _>(&self.since).get_result(session)?;
        Ok(left.count == 0)
    }
}

impl Transaction {
    /// The running one, and the epoch of the active master, which stays the same until it ends.
    pub(crate) fn running(session: &mut PgConnection) -> QueryResult<Self> {
        sql_query("SELECT epoch, pg_current_xact_id()::text AS number FROM active_master FOR SHARE").get_result(session)
    }

    /// Whether it was committed, once its session is gone; `None` if the server does not know.
    fn was_committed(&self, session: &mut PgConnection) -> QueryResult<Option<bool>> {
        // After a crash, numbers of transactions that had not reached the disk are given out again. The lock on the row is written before
        // the commit: one who has the number and not the lock is another.
        let query =
            "SELECT epoch, pg_xact_status($1::xid8) AS status, xmax = $1::xid8::xid AS has_locked FROM active_master";
        let found = sql_query(query).bind::<Text, _>(&self.number).get_result::<Found>(session);
        let found = match found {
            Err(error) if error.to_string().contains("is in the future") => return Ok(Some(false)),
            found => found?,
        };
        Ok(match found.status.as_deref() {
            Some("aborted") => Some(false),
            Some("committed") if found.has_locked && found.epoch == self.epoch => Some(true),
            _ => None,
        })
    }
}

impl Store {
    /// Opens a session in place of one that is lost. That of a writer is ended on the server, too.
    ///
    /// # Errors
    /// [`Error::Unreachable`]; [`Error::Query`].
    pub(crate) fn replace_session(&mut self) -> Result<(), Error> {
        let session = self.session.unwrap_or(Session::Reader);
        let mut connection = connect(&self.url, session)?;
        if let Some(backend) = &self.backend {
            let deadline = Instant::now() + MAX_SEARCH;
            while !backend.end(&mut connection).or_cannot(|| "end a lost session")? {
                if Instant::now() >= deadline {
                    return Err(cannot_open(&self.url, "a lost session does not end"));
                }
                thread::sleep(RETRY);
            }
        }
        self.connection = AnyConnection::Postgres(connection);
        self.name_session(session)
    }

    /// Notes the purpose of its session, and by what the server knows it.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub(crate) fn name_session(&mut self, session: Session) -> Result<(), Error> {
        self.session = Some(session);
        self.backend = match &mut self.connection {
            AnyConnection::Postgres(connection) if session != Session::Reader => {
                Some(Backend::of(connection).or_cannot(|| "ask for the own session")?)
            }
            _ => None,
        };
        Ok(())
    }

    /// Finds out whether a transaction was committed whose session was lost meanwhile; `None` if the server does not tell.
    pub(crate) fn was_committed(&mut self, transaction: &Transaction) -> Option<bool> {
        let deadline = Instant::now() + MAX_SEARCH;
        loop {
            let asked = self.replace_session().and_then(|()| {
                let AnyConnection::Postgres(session) = &mut self.connection else { return Ok(None) };
                transaction.was_committed(session).or_cannot(|| "ask how a transaction has ended")
            });
            match asked {
                Ok(outcome) => return outcome,
                Err(error) if Instant::now() >= deadline => {
                    tracing::warn!(%error, "cannot ask how a transaction has ended: {error}");
                    return None;
                }
                Err(_) => thread::sleep(RETRY),
            }
        }
    }

    /// Writes something as it is, and something that is gone at the end, as the holder of the lock. A lost session is opened anew.
    pub(crate) fn probe_server(&mut self) -> Result<(), Error> {
        let cannot = || "write to the database";
        self.transaction(|store| {
            let write = diesel::update(active_master::table).set(dsl::id.eq(dsl::id));
            write.execute(&mut store.connection).or_cannot(cannot)?;
            let room = store.savepoint(|store| store.connection.batch_execute(ROOM).or_cannot(cannot));
            // Not everybody may have tables of this kind.
            if room.as_ref().is_err_and(|error| error.unwritable().is_none()) { Ok(()) } else { room }
        })
    }
}
