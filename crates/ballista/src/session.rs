//! One session: tables that only it sees, and queries over them.

use std::{mem, time::Duration};

use arrow_flight::{HandshakeRequest, sql::client::FlightSqlServiceClient};
use futures_util::stream;
use tokio::{
    runtime::Handle,
    time::{MissedTickBehavior, interval},
};
use tonic::{Request, Status, metadata::MetadataMap, transport::Channel};
use uuid::Uuid;

use crate::{Cluster, CsvTable, Error, Rows, text};

/// Bytes of a message: a batch of rows with long keys.
const MAX_MESSAGE_BYTES: usize = 64 << 20;
/// Time between two looks at the executors while a query runs.
const LOOK: Duration = Duration::from_secs(15);
/// Looks in a row that may find no executor: a lost one may come back.
const MAX_LOOKS_WITHOUT: u32 = 4;

/// A session. What it has declared is forgotten when it is dropped.
#[derive(Debug)]
pub struct Session {
    cluster: Cluster,
    client: FlightSqlServiceClient<Channel>,
    /// Tables that were declared.
    tables: Vec<String>,
}

impl Session {
    /// Opens one over a connection. Clients without a session of their own would share one, and see each other's tables.
    pub(crate) async fn open(cluster: Cluster, channel: Channel) -> Result<Self, Error> {
        let mut client = FlightSqlServiceClient::new(channel);
        let inner = client.inner_mut().clone().max_decoding_message_size(MAX_MESSAGE_BYTES);
        *client.inner_mut() = inner;
        let refused = |status: Status| Error::of_status(&status, cluster.address(), "open a session");
        let hello = Request::new(stream::iter([HandshakeRequest::default()]));
        let answer = client.inner_mut().handshake(hello).await.map_err(refused)?;
        let token = bearer_token(answer.metadata());
        // A server of another kind says only here that it knows no such request.
        answer.into_inner().message().await.map_err(refused)?;
        if let Some(token) = token {
            client.set_token(token);
        }
        Ok(Self { cluster, client, tables: Vec::new() })
    }

    /// A name that no table has, whoever shares the session.
    #[must_use]
    pub fn new_name() -> String {
        format!("tributary_{}", Uuid::new_v4().simple())
    }

    /// Sets an option of the session, such as `s3.endpoint`. `name` stands in the statement as it is.
    ///
    /// # Errors
    /// The scheduler knows no such option, or cannot be reached.
    pub async fn set(&mut self, name: &'static str, value: &str) -> Result<(), Error> {
        update(&self.cluster, &mut self.client, format!("SET {name} = {}", text(value)), "set an option").await
    }

    /// Declares a file as a table.
    ///
    /// # Errors
    /// The file cannot be reached, or the scheduler cannot.
    pub async fn declare(&mut self, table: &CsvTable) -> Result<(), Error> {
        // Even a statement that fails may have been carried out.
        self.tables.push(table.name.clone());
        update(&self.cluster, &mut self.client, table.create(), "declare a table").await
    }

    /// Forgets all tables. The session can be used on.
    ///
    /// # Errors
    /// The scheduler cannot be reached.
    pub async fn forget_tables(&mut self) -> Result<(), Error> {
        forget(&self.cluster, &mut self.client, mem::take(&mut self.tables)).await
    }

    /// Runs a query, and waits until the cluster is done with it. If the result is not waited for, the query is cancelled.
    ///
    /// # Errors
    /// The query fails, takes longer than its limit, or the cluster goes away or loses all executors meanwhile.
    pub async fn query(&mut self, sql: &str) -> Result<Rows, Error> {
        // The scheduler names a job by the beginning of its statement.
        let mark = Self::new_name();
        let cancel = CancelOnDrop { cluster: self.cluster.clone(), mark: Some(mark.clone()) };
        let statement = format!("/* {mark} */ {sql}");
        let (cluster, mut client) = (self.cluster.clone(), self.client.clone());
        let run = async {
            let answered = client.execute(statement, None).await;
            answered.map_err(|error| Error::of_flight(error, cluster.address(), "run a query"))
        };
        let watched = async {
            tokio::select! {
                answered = run => answered,
                lost = watch_executors(&cluster) => Err(lost),
            }
        };
        let info = cluster.within("finish a query", cluster.limits().query, watched).await?;
        cancel.disarm();
        Ok(Rows::new(cluster, self.client.clone(), info))
    }
}

impl Drop for Session {
    /// Forgets the tables beside whatever comes next. What cannot be reached any more ends by itself after half an hour.
    fn drop(&mut self) {
        let (tables, Ok(runtime)) = (mem::take(&mut self.tables), Handle::try_current()) else { return };
        if tables.is_empty() {
            return;
        }
        let (mut client, cluster) = (self.client.clone(), self.cluster.clone());
        runtime.spawn(async move {
            if let Err(error) = forget(&cluster, &mut client, tables).await {
                tracing::debug!("tables of the Ballista cluster are not dropped, and end with their session: {error}");
            }
        });
    }
}

async fn forget(
    cluster: &Cluster,
    client: &mut FlightSqlServiceClient<Channel>,
    tables: Vec<String>,
) -> Result<(), Error> {
    for name in tables {
        update(cluster, client, CsvTable::drop(&name), "forget a table").await?;
    }
    Ok(())
}

/// Runs a statement that has no result.
async fn update(
    cluster: &Cluster,
    client: &mut FlightSqlServiceClient<Channel>,
    sql: String,
    step: &'static str,
) -> Result<(), Error> {
    let run = async {
        let done = client.execute_update(sql, None).await;
        done.map(drop).map_err(|error| Error::of_flight(error, cluster.address(), step))
    };
    cluster.within(step, cluster.limits().step, run).await
}

/// Returns once there has been no executor for a while.
async fn watch_executors(cluster: &Cluster) -> Error {
    let (mut looks, mut without) = (interval(LOOK), 0);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        match cluster.check_executors().await {
            Ok(()) => without = 0,
            Err(lost) => {
                without += 1;
                if without >= MAX_LOOKS_WITHOUT {
                    return lost;
                }
            }
        }
    }
}

fn bearer_token(metadata: &MetadataMap) -> Option<String> {
    Some(metadata.get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")?.to_owned())
}

/// Cancels a query that nobody waits for any more.
struct CancelOnDrop {
    cluster: Cluster,
    mark: Option<String>,
}

impl CancelOnDrop {
    fn disarm(mut self) {
        self.mark = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        let (Some(mark), Ok(runtime)) = (self.mark.take(), Handle::try_current()) else { return };
        let jobs = self.cluster.jobs().clone();
        runtime.spawn(async move { jobs.cancel(&mark).await });
    }
}
