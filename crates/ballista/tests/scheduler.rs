//! A stand-in for a scheduler: Flight SQL and the REST API on one port, as a stock scheduler has them.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_flight::{
    FlightDescriptor, FlightEndpoint, FlightInfo, HandshakeRequest, HandshakeResponse, Ticket,
    encode::FlightDataEncoderBuilder,
    error::FlightError,
    flight_service_server::{FlightService, FlightServiceServer},
    sql::{
        CommandStatementQuery, CommandStatementUpdate, ProstMessageExt, SqlInfo, TicketStatementQuery,
        server::{FlightSqlService, PeekableFlightDataStream},
    },
};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use prost::Message;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    sync::Notify,
    time::timeout,
};
use tonic::{Request, Response, Status, Streaming, metadata::MetadataMap, service::Routes};
use url::Url;

/// The behaviour of the scheduler.
#[derive(Clone, Copy, Default)]
pub(crate) struct Mood {
    /// A query fails with these words.
    pub(crate) query: Option<&'static str>,
    /// A query is never answered.
    pub(crate) never_answers: bool,
    /// There is no executor.
    pub(crate) has_no_executor: bool,
    /// There is only the REST API.
    pub(crate) has_no_flight: bool,
    /// It does not list its executors.
    pub(crate) lists_no_executors: bool,
    /// The rows break off.
    pub(crate) cuts_rows: bool,
}

#[derive(Default)]
struct Seen {
    statements: Vec<String>,
    tokens: BTreeSet<String>,
    cancelled: Vec<String>,
}

#[derive(Clone)]
struct Shared {
    mood: Mood,
    seen: Arc<Mutex<Seen>>,
    news: Arc<Notify>,
}

pub(crate) struct Scheduler {
    address: SocketAddr,
    shared: Shared,
    /// Its own, so that all connections end with it.
    runtime: Option<Runtime>,
}

type HandshakeStream = Pin<Box<dyn Stream<Item = Result<HandshakeResponse, Status>> + Send>>;

impl Scheduler {
    pub(crate) async fn start(mood: Mood) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.spawn(TcpListener::bind("127.0.0.1:0")).await.unwrap().unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Shared { mood, seen: Arc::default(), news: Arc::default() };
        let rest = Router::new()
            .route("/readyz", get(readyz))
            .route("/api/executors", get(executors))
            .route("/api/jobs", get(jobs))
            .route("/api/job/{id}", axum::routing::patch(cancel))
            .with_state(shared.clone());
        let app = match mood.has_no_flight {
            true => rest.fallback(|| async { StatusCode::NOT_FOUND }),
            false => rest.merge(Routes::new(FlightServiceServer::new(shared.clone())).into_axum_router()),
        };
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { address, shared, runtime: Some(runtime) }
    }

    pub(crate) fn url(&self) -> Url {
        format!("http://{}", self.address).parse().unwrap()
    }

    pub(crate) fn statements(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().statements.clone()
    }

    pub(crate) fn tokens(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().tokens.iter().cloned().collect()
    }

    pub(crate) fn cancelled(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().cancelled.clone()
    }

    /// Waits until a statement ends so.
    pub(crate) async fn wait_for(&self, end: &str) {
        self.wait(|seen| seen.statements.iter().any(|statement| statement.ends_with(end))).await;
    }

    pub(crate) async fn wait_for_cancel(&self, job: &str) {
        self.wait(|seen| seen.cancelled.iter().any(|cancelled| cancelled == job)).await;
    }

    async fn wait(&self, is_so: impl Fn(&Seen) -> bool) {
        let waited = timeout(Duration::from_secs(30), async {
            loop {
                let news = self.shared.news.notified();
                if is_so(&self.shared.seen.lock().unwrap()) {
                    return;
                }
                news.await;
            }
        });
        waited.await.expect("it happens within 30 s");
    }
}

impl Drop for Scheduler {
    /// Stops it, and closes all connections.
    fn drop(&mut self) {
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

async fn readyz(State(shared): State<Shared>) -> StatusCode {
    if shared.mood.has_no_executor { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
}

async fn executors(State(shared): State<Shared>) -> Result<Json<Value>, StatusCode> {
    let executor = |vcores: u32| json!({"id": "1", "host": "127.0.0.1", "port": 1, "specification": {"vcores": vcores}, "metrics": []});
    match shared.mood.lists_no_executors {
        true => Err(StatusCode::NOT_FOUND),
        false => Ok(Json([4, 12].map(executor).into_iter().collect())),
    }
}

async fn jobs(State(shared): State<Shared>) -> Json<Value> {
    let seen = shared.seen.lock().unwrap();
    let queries = seen.statements.iter().filter(|statement| statement.starts_with("/*"));
    let job = |(at, name): (usize, &String)| json!({"job_id": format!("job-{}", at + 1), "job_name": name, "status": "Running", "num_stages": 2});
    Json(queries.enumerate().map(job).collect())
}

async fn cancel(State(shared): State<Shared>, Path(id): Path<String>) -> Json<Value> {
    shared.note(|seen| seen.cancelled.push(id));
    Json(json!({"cancelled": true}))
}

impl Shared {
    fn note(&self, note: impl FnOnce(&mut Seen)) {
        note(&mut self.seen.lock().unwrap());
        self.news.notify_waiters();
    }

    fn check_token(&self, metadata: &MetadataMap) -> Result<(), Status> {
        let token = metadata.get("authorization").ok_or_else(|| Status::unauthenticated("no token"))?;
        let token = token.to_str().unwrap().to_owned();
        self.note(|seen| {
            seen.tokens.insert(token);
        });
        Ok(())
    }
}

#[tonic::async_trait]
impl FlightSqlService for Shared {
    type FlightService = Self;

    async fn do_handshake(&self, _: Request<Streaming<HandshakeRequest>>) -> Result<Response<HandshakeStream>, Status> {
        let answer = HandshakeResponse::default();
        let mut response = Response::new(Box::pin(stream::iter([Ok(answer)])) as HandshakeStream);
        let token = format!("Bearer {}", uuid::Uuid::new_v4());
        response.metadata_mut().insert("authorization", token.parse().unwrap());
        Ok(response)
    }

    async fn get_flight_info_statement(
        &self,
        query: CommandStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.check_token(request.metadata())?;
        self.note(|seen| seen.statements.push(query.query));
        if self.mood.never_answers {
            std::future::pending::<()>().await;
        }
        if let Some(why) = self.mood.query {
            return Err(Status::internal(format!("query execution failed: {why}")));
        }
        // A result comes in parts, one of which is empty.
        let part = |name: &'static str| {
            let ticket = TicketStatementQuery { statement_handle: name.into() };
            FlightEndpoint::new().with_ticket(Ticket::new(ticket.as_any().encode_to_vec()))
        };
        let info = FlightInfo::new().try_with_schema(&batch(&[]).schema()).unwrap();
        Ok(Response::new(info.with_endpoint(part("first")).with_endpoint(part("none")).with_endpoint(part("last"))))
    }

    async fn do_get_statement(
        &self,
        ticket: TicketStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        self.check_token(request.metadata())?;
        let rows = match &ticket.statement_handle[..] {
            b"first" => vec![Ok(batch(&[Some("a"), None]))],
            b"last" if self.mood.cuts_rows => vec![Err(FlightError::from(Status::unavailable("the executor is gone")))],
            b"last" => vec![Ok(batch(&[Some("b")]))],
            _ => vec![Ok(batch(&[]))],
        };
        let data = FlightDataEncoderBuilder::new().with_schema(batch(&[]).schema()).build(stream::iter(rows));
        Ok(Response::new(data.map_err(Status::from).boxed()))
    }

    async fn do_put_statement_update(
        &self,
        update: CommandStatementUpdate,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        self.check_token(request.metadata())?;
        self.note(|seen| seen.statements.push(update.query));
        Ok(0)
    }

    async fn register_sql_info(&self, _: i32, _: &SqlInfo) {}
}

fn batch(texts: &[Option<&str>]) -> RecordBatch {
    let column: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
    RecordBatch::try_from_iter_with_nullable([("c0", column, true)]).unwrap()
}
