//! Socket.IO 5 over Engine.IO 4, as far as its clients need it to follow the rows of a table and the events.
//!
//! It belongs here if it speaks that protocol. What a route of [`super::api`] answers does not.

mod feed;
mod packet;
mod polling;
mod session;
mod sessions;
mod websocket;

use std::{sync::Arc, time::Duration};

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior},
};
use tributary_config::CompatConfig;
use tributary_engine::Engine;
use tributary_http_common::revoked;

use self::{
    feed::Feed,
    session::{Carrier, Session},
    sessions::{MAX_SESSIONS, Sessions},
};
use crate::http::server::{App, error::ApiError, input};

/// The path, as all clients have it.
pub(crate) const PATH: &str = "/socket.io/";
/// Version of Engine.IO.
const VERSION: &str = "4";
/// Largest body of a `POST`, and largest message over a WebSocket, in bytes.
const MAX_BODY_BYTES: usize = 1_000_000;
/// Interval in which all clients are looked at.
const PULSE: Duration = Duration::from_secs(1);

/// Interval of pings. Clients are told both, and end a session themselves by them.
const PING_INTERVAL: Duration = Duration::from_secs(25);
/// Time that a client has to answer a ping.
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// All clients, and what they are sent.
pub(crate) struct SocketIo {
    sessions: Sessions,
    feed: Feed,
    /// A client has come, has asked for something, or has gone.
    stirred: Notify,
}

impl SocketIo {
    /// No client yet. `data`: the rows that they get.
    pub(crate) fn new(data: CompatConfig) -> Self {
        Self { sessions: Sessions::default(), feed: Feed::new(data), stirred: Notify::new() }
    }

    /// The number of clients.
    pub(crate) fn clients(&self) -> usize {
        self.sessions.count()
    }

    /// Adds a session.
    fn add(&self, session: Session) -> Result<Arc<Session>, ApiError> {
        let session = self.sessions.add(session).ok_or(ApiError::TooManyClients { limit: MAX_SESSIONS })?;
        self.stirred.notify_one();
        Ok(session)
    }

    /// Sends clients what changes, and drops those that are silent. Never ends.
    pub(crate) async fn run(&self, engine: &Engine) {
        let mut pulse = tokio::time::interval(PULSE);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let keep = async {
            loop {
                pulse.tick().await;
                self.look_after();
            }
        };
        tokio::join!(keep, self.feed.run(engine, &self.sessions, &self.stirred));
    }

    fn look_after(&self) {
        for session in self.sessions.all() {
            if session.is_revoked() || !session.pulse(Instant::now()) {
                self.end(&session);
            }
        }
    }

    /// Ends a session.
    fn end(&self, session: &Session) {
        session.end();
        self.sessions.remove(session.sid());
        self.stirred.notify_one();
    }

    /// Takes in a packet. One that cannot be understood ends the session.
    fn receive(&self, session: &Session, packet: &str) -> Result<(), ApiError> {
        let received = session.receive(packet, &self.feed);
        if received.is_err() || session.has_ended() {
            self.end(session);
        }
        self.stirred.notify_one();
        received.map_err(ApiError::BadRequest)
    }
}

/// The parameters of a request. Clients add others, which mean nothing here.
#[derive(Debug, Deserialize)]
struct Query {
    #[serde(rename = "EIO")]
    version: Option<String>,
    transport: Option<Transport>,
    sid: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Transport {
    Polling,
    WebSocket,
}

impl Query {
    fn of(request: &HttpRequest) -> Result<(Transport, Option<String>), ApiError> {
        let Self { version, transport, sid } = input::query(request)?;
        if version.as_deref() != Some(VERSION) {
            let why = format!("`EIO` must be {VERSION}: clients of Socket.IO 3 and later are served");
            return Err(ApiError::BadRequest(why));
        }
        let transport = transport.ok_or_else(|| {
            ApiError::BadRequest("`transport` is missing; it must be `polling` or `websocket`".to_owned())
        })?;
        Ok((transport, sid))
    }
}

/// Opens a session, or gives a client what waits for it.
pub(crate) async fn get(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let (transport, sid) = Query::of(&request)?;
    match (transport, sid) {
        (Transport::WebSocket, sid) => websocket::open(&request, app, payload, sid.as_deref()),
        (Transport::Polling, None) => polling::open(&request, &app),
        (Transport::Polling, Some(sid)) => polling::poll(&app, &sid).await,
    }
}

/// Takes in packets of a client that polls.
pub(crate) async fn post(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    match Query::of(&request)? {
        (Transport::Polling, Some(sid)) => polling::receive(&app, &sid, payload).await,
        _ => Err(ApiError::BadRequest("a POST needs `transport=polling` and a `sid`".to_owned())),
    }
}

/// Opens a session for the sender of a request.
fn open(request: &HttpRequest, app: &App, carrier: Carrier) -> Result<Arc<Session>, ApiError> {
    let revoked = revoked(&app.admission, request);
    app.socketio.add(Session::new(carrier, revoked, app.engine.shutdown()))
}

/// The session with this id. After a restart of the server no client's is known, and each connects again.
fn known(app: &App, sid: &str) -> Result<Arc<Session>, ApiError> {
    app.socketio
        .sessions
        .get(sid)
        .ok_or_else(|| ApiError::BadRequest("no session has this `sid`; connect again".to_owned()))
}

#[cfg(test)]
mod tests;
