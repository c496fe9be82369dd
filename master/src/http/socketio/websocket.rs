//! The transport of a WebSocket, which is opened at once or takes over from polling.

use std::{sync::Arc, time::Duration};

use actix_web::{HttpRequest, HttpResponse, web};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, Closed, Item};
use tokio::time::timeout;

use super::{
    MAX_BODY_BYTES, known,
    packet::{self, PROBE, PROBED, UPGRADE},
    polling::cut,
    session::{Carrier, Packet, Session},
};
use crate::http::server::{App, error::ApiError};

/// Part of a shared text that is sent as a frame of its own. Frames wait in a queue of 32, so this bounds what a slow client holds.
const PIECE_BYTES: usize = 8 << 10;
/// Longest attempt to go over from polling.
const PROBE_TIME: Duration = Duration::from_secs(10);
/// Time for the last frame.
const CLOSE_TIME: Duration = Duration::from_millis(200);

/// Opens a WebSocket, for a new session or one that polls.
pub(super) fn open(
    request: &HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
    sid: Option<&str>,
) -> Result<HttpResponse, ApiError> {
    let opened = actix_ws::handle(request, payload);
    let (response, out, incoming) =
        opened.map_err(|why| ApiError::BadRequest(format!("this opens no WebSocket: {why}")))?;
    let session = match sid {
        None => super::open(request, &app, Carrier::WebSocket)?,
        Some(sid) => {
            let session = known(&app, sid)?;
            if !session.probe() {
                return Err(ApiError::BadRequest("this session has a WebSocket already".to_owned()));
            }
            session
        }
    };
    let incoming = incoming.max_frame_size(MAX_BODY_BYTES).aggregate_continuations();
    let socket = Socket { app, session, out, incoming: incoming.max_continuation_size(MAX_BODY_BYTES) };
    actix_web::rt::spawn(socket.serve(sid.is_some()));
    Ok(response)
}

struct Socket {
    app: web::Data<App>,
    session: Arc<Session>,
    out: actix_ws::Session,
    incoming: AggregatedMessageStream,
}

impl Socket {
    /// Serves a client until one side goes. `is_probe`: it must show first that it works.
    async fn serve(mut self, is_probe: bool) {
        if is_probe {
            let session = Arc::clone(&self.session);
            let is_upgraded = tokio::select! {
                () = session.ended() => false,
                probed = timeout(PROBE_TIME, self.probe()) => probed.unwrap_or(false),
            };
            session.probed(if is_upgraded { Carrier::WebSocket } else { Carrier::Polling });
            if !is_upgraded {
                return close(self.out).await;
            }
        } else {
            let open = packet::open(self.session.sid(), &[]);
            if self.out.text(open).await.is_err() {
                return self.app.socketio.end(&self.session);
            }
        }
        let Self { app, session, out, incoming } = self;
        tokio::select! {
            () = session.ended() => {}
            () = read(&app, &session, incoming, out.clone()) => {}
            _ = write(&app, &session, out.clone()) => {}
        }
        app.socketio.end(&session);
        close(out).await;
    }

    /// Answers the probe. Returns whether the client goes over.
    async fn probe(&mut self) -> bool {
        while let Some(text) = next(&mut self.incoming, &mut self.out).await {
            match &*text {
                PROBE if self.out.text(PROBED).await.is_ok() => {}
                UPGRADE => return true,
                _ => return false,
            }
        }
        false
    }
}

/// Takes in packets until the client goes or sends something else.
async fn read(app: &App, session: &Session, mut incoming: AggregatedMessageStream, mut out: actix_ws::Session) {
    while let Some(packet) = next(&mut incoming, &mut out).await {
        if app.socketio.receive(session, &packet).is_err() {
            return;
        }
    }
}

/// Waits for the next text; `None` once the client is gone.
async fn next(incoming: &mut AggregatedMessageStream, out: &mut actix_ws::Session) -> Option<String> {
    loop {
        match incoming.recv().await?.ok()? {
            AggregatedMessage::Text(text) => return Some(text.to_string()),
            AggregatedMessage::Ping(data) => out.pong(&data).await.ok()?,
            AggregatedMessage::Binary(_) | AggregatedMessage::Pong(_) => {}
            AggregatedMessage::Close(_) => return None,
        }
    }
}

/// Sends what waits, until the client is gone.
async fn write(app: &App, session: &Session, mut out: actix_ws::Session) -> Result<(), Closed> {
    loop {
        for packet in session.next(&app.socketio.feed, Carrier::WebSocket).await {
            match packet {
                Packet::Own(text) => out.text(text).await?,
                Packet::Shared(text) => {
                    let mut pieces = cut(&text, PIECE_BYTES);
                    out.continuation(Item::FirstText(pieces.next().unwrap_or_default())).await?;
                    for piece in pieces {
                        out.continuation(Item::Continue(piece)).await?;
                    }
                    out.continuation(Item::Last(web::Bytes::new())).await?;
                }
            }
        }
    }
}

async fn close(out: actix_ws::Session) {
    // A client that takes nothing does not take this either.
    let _ = timeout(CLOSE_TIME, out.close(None)).await;
}
