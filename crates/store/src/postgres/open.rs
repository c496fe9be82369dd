//! Sessions of a PostgreSQL server: opening them, their settings, and whether one is lost.

use diesel::{
    connection::{Connection as _, SimpleConnection},
    pg::PgConnection,
    result::{DatabaseErrorKind, Error as DieselError},
};

use crate::{
    DatabaseUrl, Error,
    database::error::{message, one_line},
};

/// Begins a transaction that may write. One master writes, so no other transaction is in its way.
pub(crate) const WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
/// Begins a transaction that sees the tables as they are at its first query.
pub(crate) const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// The purpose of a session, which the server's list of sessions shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Session {
    /// It writes. Whoever becomes active ends all others of this kind.
    Writer,
    /// The same for the holder of the lock: it writes only in transactions, which check that it still has the lock.
    Holder,
    /// It only reads.
    Reader,
    /// It holds the lock that makes a master active.
    Lease,
}

impl Session {
    /// The beginning of its name in `pg_stat_activity`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Writer | Self::Holder => "tributary writer",
            Self::Reader => "tributary reader",
            Self::Lease => "tributary lease",
        }
    }

    /// The expression for its whole name, which ends in the number of the schema: a database may have several with a master each.
    pub(crate) fn full_name(self) -> String {
        format!("'{} ' || coalesce(current_schema()::regnamespace::oid, 0)", self.name())
    }

    /// The statements that set it up, besides [`SETTINGS`].
    fn settings(self) -> &'static str {
        match self {
            Self::Writer => "SET lock_timeout = '30s'",
            Self::Holder => "SET lock_timeout = '30s'; SET default_transaction_read_only = on",
            Self::Reader => "SET default_transaction_read_only = on",
            // A master that is paused, or whose machine is gone, does not ping any more: the server ends its session.
            Self::Lease => "SET lock_timeout = '30s'; SET idle_session_timeout = '10s'",
        }
    }
}

/// The statements that set up any session: texts are UTF-8 whatever the database's own encoding.
const SETTINGS: &str = "SET client_encoding = 'UTF8'; SET standard_conforming_strings = on";
/// Parameters of a connection that the URL does not set: a server that is gone is noticed within seconds.
const PARAMETERS: &str =
    "connect_timeout=5&keepalives_idle=5&keepalives_interval=2&keepalives_count=3&tcp_user_timeout=10000";

/// Opens a session.
///
/// # Errors
/// [`Error::Unreachable`].
pub(crate) fn connect(url: &DatabaseUrl, session: Session) -> Result<PgConnection, Error> {
    let Some(address) = url.postgres() else { return Err(Error::BadUrl { url: url.to_string() }) };
    let opened = PgConnection::establish(&with_parameters(address, session));
    let mut connection = opened.map_err(|error| cannot_open(url, &error.to_string()))?;
    let name = format!("SELECT set_config('application_name', {}, false)", session.full_name());
    let settings = format!("{SETTINGS}; {}; {name}", session.settings());
    connection.batch_execute(&settings).map_err(|error| cannot_open(url, &message(&error)))?;
    Ok(connection)
}

/// The URL with our parameters before its own, which count if both name one.
fn with_parameters(address: &str, session: Session) -> String {
    let (base, own) = address.split_once('?').unwrap_or((address, ""));
    let name = session.name().replace(' ', "%20");
    let own = if own.is_empty() { String::new() } else { format!("&{own}") };
    format!("{base}?{PARAMETERS}&application_name={name}{own}")
}

pub(super) fn cannot_open(url: &DatabaseUrl, reason: &str) -> Error {
    let mut reason = one_line(reason);
    if reason.contains("SSL support is not compiled in") {
        reason.push_str("; programs built with `cargo build --release --no-default-features` have the system's library, which encrypts");
    }
    Error::Unreachable { database: url.to_string(), reason }
}

/// Whether a session is lost with this error: the server has ended it, or cannot be reached. diesel tells only some of these cases apart.
pub(crate) fn is_lost(error: &DieselError) -> bool {
    const WORDS: [&str; 8] = [
        "server closed the connection",
        "terminating connection",
        "no connection to the server",
        "connection to server",
        "could not receive data",
        "could not send data",
        "SSL connection has been closed",
        "connection not open",
    ];
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, _) | DieselError::BrokenTransactionManager => {
            true
        }
        other => WORDS.iter().any(|words| message(other).contains(words)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_the_url_come_last() {
        let with = |address| with_parameters(address, Session::Reader);
        let ours = format!("?{PARAMETERS}&application_name=tributary%20reader");
        assert_eq!(with("postgres://h/db"), format!("postgres://h/db{ours}"));
        assert_eq!(with("postgres://h/db?sslmode=require"), format!("postgres://h/db{ours}&sslmode=require"));
    }
}
