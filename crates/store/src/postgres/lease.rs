//! The lock that makes one master of a database active. A session of its own holds it, and the server ends that session 10 s after the last
//! sign of life: a master that is paused or cut off loses the lock. Each new holder counts `active_master.epoch` up, and every transaction of
//! a writer checks it, so that an earlier holder writes nothing more, whatever it believes.

use std::{
    sync::{
        atomic::Ordering,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use diesel::{
    connection::SimpleConnection,
    prelude::*,
    sql_query,
    sql_types::{BigInt, Bool},
};

use super::{
    open::{Session, cannot_open, connect},
    schema::active_master::{self, dsl},
};
use crate::{
    DatabaseUrl, Error, LockWatch, Store,
    database::{
        connection::AnyConnection,
        error::{OrCannot, message},
    },
};

/// The key of the lock has two numbers. The first one is that of this lock among all of the database.
const CLASS: i32 = 1_953_655_138;
/// The second one is that of the schema in use.
const SCHEMA: &str = "hashtext(current_schema())";
/// The interval of its signs of life. The server's patience is in [`Session`].
const PING: Duration = Duration::from_secs(2);
/// The interval of tries to get a lost session back.
const RETRY: Duration = Duration::from_millis(500);
/// The longest wait for the sessions of an earlier holder to end.
const MAX_FAREWELL: Duration = Duration::from_secs(20);
/// The longest time between two looks at them.
const MAX_PAUSE: Duration = Duration::from_millis(20);

/// The lock of a server's database.
#[derive(Debug)]
pub(crate) struct Lease {
    epoch: i64,
    watch: LockWatch,
    /// Dropped to give the lock back.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = Bool)]
    taken: bool,
}

impl Lease {
    /// Takes the lock, brings the schema up to date, and ends the sessions of earlier holders.
    ///
    /// # Errors
    /// [`Error::Locked`] while another process has it; [`Error::Unreachable`]; those of migrations.
    pub(crate) fn acquire(
        url: &DatabaseUrl,
        holder: &str,
        public_url: Option<&str>,
        since: &str,
    ) -> Result<Self, Error> {
        let mut session = connect(url, Session::Lease)?;
        if !try_lock(&mut session).or_cannot(|| "ask for the lock of the database")? {
            return Err(Error::Locked { holder: holder_of(url, &mut session), path: url.to_string().into() });
        }
        let mut session = Store::set_up_over(session, url)?;
        // One that waits for its client would keep the number from being changed, and one that came meanwhile may believe in the old one.
        end_writers(url, &mut session)?;
        let epoch: i64 = diesel::update(active_master::table)
            .set((
                dsl::epoch.eq(dsl::epoch + 1),
                dsl::holder.eq(holder),
                dsl::public_url.eq(public_url),
                dsl::since.eq(since),
            ))
            .returning(dsl::epoch)
            .get_result(&mut session)
            .or_cannot(|| "become the active master")?;
        sign(&mut session, epoch).or_cannot(|| "become the active master")?;
        end_writers(url, &mut session)?;
        let watch = LockWatch::default();
        let (stop, stopped) = mpsc::channel();
        let keeper = Keeper { url: url.clone(), epoch, watch: watch.clone() };
        let thread = thread::Builder::new().name("lease".to_owned()).spawn(move || keeper.run(session, &stopped));
        let thread = thread.map_err(|error| cannot_open(url, &error.to_string()))?;
        Ok(Self { epoch, watch, stop: Some(stop), thread: Some(thread) })
    }

    pub(crate) fn epoch(&self) -> i64 {
        self.epoch
    }

    pub(crate) fn watch(&self) -> LockWatch {
        self.watch.clone()
    }

    /// Whether somebody holds the lock.
    pub(crate) fn is_held(connection: &mut AnyConnection) -> QueryResult<bool> {
        is_locked(connection, &CLASS.to_string(), SCHEMA)
    }

    /// Whether the holder of the lock is the one that has written the row of this epoch. A new holder prepares for up to some seconds first.
    pub(crate) fn is_signed(connection: &mut AnyConnection, epoch: i64) -> QueryResult<bool> {
        is_locked(connection, SCHEMA, &epoch.to_string())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // The thread does nothing that could panic.
            let _ = thread.join();
        }
    }
}

fn try_lock(session: &mut PgConnection) -> QueryResult<bool> {
    let taken: Taken =
        sql_query(format!("SELECT pg_try_advisory_lock({CLASS}, {SCHEMA}) AS taken")).get_result(session)?;
    Ok(taken.taken)
}

/// Takes a second lock, which says that the row of `epoch` is that of this session. Nobody waits for it, because it is shared.
fn sign(session: &mut PgConnection, epoch: i64) -> QueryResult<()> {
    session.batch_execute(&format!("SELECT pg_advisory_lock_shared({SCHEMA}, {epoch})"))
}

/// Whether some session has the advisory lock with this key of two numbers.
fn is_locked(connection: &mut AnyConnection, first: &str, second: &str) -> QueryResult<bool> {
    let AnyConnection::Postgres(postgres) = connection else { return Ok(false) };
    // The halves of a key as the server lists them have no sign.
    let locked: Taken = sql_query(format!(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 \
         AND classid = ({first}::bigint & 4294967295)::oid AND objid = ({second}::bigint & 4294967295)::oid \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS taken"
    ))
    .get_result(postgres)?;
    Ok(locked.taken)
}

/// The words of the holder; it may be writing them right now.
fn holder_of(url: &DatabaseUrl, session: &mut PgConnection) -> String {
    let row = active_master::table.select((dsl::holder, dsl::since)).first::<(Option<String>, Option<String>)>(session);
    match row {
        Ok((Some(holder), since)) => format!("{holder}, since {}", since.unwrap_or_default()),
        Ok((None, _)) => "another process".to_owned(),
        Err(error) => {
            tracing::debug!(%error, "cannot ask who is active in {url}: {error}");
            "another process".to_owned()
        }
    }
}

/// Ends the sessions of those who wrote before, and waits until they are gone: what they had not committed is rolled back.
fn end_writers(url: &DatabaseUrl, session: &mut PgConnection) -> Result<(), Error> {
    #[derive(QueryableByName)]
    struct Ended {
        #[diesel(sql_type = BigInt)]
        sessions: i64,
    }
    // Those of other users may not be ended; their transactions check the epoch all the same.
    let end = format!(
        "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid) IS NOT NULL) AS sessions FROM pg_stat_activity \
         WHERE datname = current_database() AND usename = current_user AND application_name = {}",
        Session::Writer.full_name()
    );
    let (deadline, mut pause) = (Instant::now() + MAX_FAREWELL, Duration::from_millis(1));
    loop {
        let ended: Ended = sql_query(&end).get_result(session).or_cannot(|| "end the sessions of an earlier master")?;
        if ended.sessions == 0 {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(cannot_open(url, "sessions of an earlier master do not end"));
        }
        // Most are gone at once.
        thread::sleep(pause);
        pause = MAX_PAUSE.min(pause * 2);
    }
}

/// Keeps the session of a lock alive.
struct Keeper {
    url: DatabaseUrl,
    epoch: i64,
    watch: LockWatch,
}

impl Keeper {
    /// Pings until it is told to stop, or another holder is there.
    fn run(self, mut session: PgConnection, stopped: &mpsc::Receiver<()>) {
        let (mut wait, mut is_lost) = (PING, false);
        while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
            wait = PING;
            match active_master::table.select(dsl::epoch).first::<i64>(&mut session) {
                Ok(epoch) if epoch == self.epoch => {}
                Ok(_) => return self.depose(),
                Err(error) => {
                    if !std::mem::replace(&mut is_lost, true) {
                        let error = message(&error);
                        tracing::warn!(%error, "the session that holds the lock of {} is lost: {error}; opening another", self.url);
                    }
                    match self.again() {
                        Ok(Some(again)) => {
                            tracing::info!("this master still is the active one of {}", self.url);
                            (session, is_lost) = (again, false);
                        }
                        Ok(None) => return self.depose(),
                        Err(error) => {
                            tracing::debug!(%error, "cannot open another: {error}");
                            wait = RETRY;
                        }
                    }
                }
            }
        }
        let ours = active_master::table.filter(dsl::epoch.eq(self.epoch));
        let free = diesel::update(ours).set((dsl::holder.eq(None::<String>), dsl::public_url.eq(None::<String>)));
        if let Err(error) = free.execute(&mut session) {
            tracing::debug!(%error, "cannot say that nobody is active: {error}");
        }
        // The end of the session frees the lock; asking for it does so before the next statement of others.
        let _ = session.batch_execute(&format!("SELECT pg_advisory_unlock({CLASS}, {SCHEMA})"));
    }

    /// Takes the lock with a new session; `None` if another process has had it since.
    ///
    /// # Errors
    /// The server cannot be used, or the lock is not free: the lost session may still have it there.
    fn again(&self) -> Result<Option<PgConnection>, Error> {
        let mut session = connect(&self.url, Session::Lease)?;
        let taken = try_lock(&mut session).or_cannot(|| "ask for the lock")?;
        let epoch: i64 =
            active_master::table.select(dsl::epoch).first(&mut session).or_cannot(|| "ask which master is active")?;
        match (epoch == self.epoch, taken) {
            (false, _) => Ok(None),
            (true, true) => {
                sign(&mut session, epoch).or_cannot(|| "say that this master is active")?;
                Ok(Some(session))
            }
            (true, false) => Err(cannot_open(&self.url, "the lock is not free yet")),
        }
    }

    fn depose(&self) {
        tracing::error!("another master has taken over {}", self.url);
        self.watch.0.store(true, Ordering::Relaxed);
    }
}
