//! The transport of plain requests: a GET waits for packets, a POST brings some.

use actix_web::{
    HttpRequest, HttpResponse,
    body::SizedStream,
    http::header::{CACHE_CONTROL, ContentType},
    web::{self, Bytes},
};
use futures_util::stream;

use super::{
    MAX_BODY_BYTES, SocketIo, known, packet,
    session::{Carrier, Packet, Session},
};
use crate::http::server::{App, error::ApiError, input};

/// Part of an answer that is copied at a time. The rows are shared by all answers; only these parts are not.
const PIECE_BYTES: usize = 64 << 10;

/// Opens a session.
pub(super) fn open(request: &HttpRequest, app: &App) -> Result<HttpResponse, ApiError> {
    let session = super::open(request, app, Carrier::Polling)?;
    let open = packet::open(session.sid(), &["websocket"]);
    Ok(answer(vec![Packet::Own(open)]))
}

/// Gives a client what waits for it, or the next packets.
pub(super) async fn poll(app: &App, sid: &str) -> Result<HttpResponse, ApiError> {
    let session = known(app, sid)?;
    let Some(_poll) = session.poll() else {
        app.socketio.end(&session);
        return Err(ApiError::BadRequest("this session is polled already, or has a WebSocket".to_owned()));
    };
    Ok(answer(session.polled(&app.socketio.feed).await))
}

/// Takes in packets.
pub(super) async fn receive(app: &App, sid: &str, payload: web::Payload) -> Result<HttpResponse, ApiError> {
    let session = known(app, sid)?;
    let body = input::body(payload, MAX_BODY_BYTES).await?;
    let body = std::str::from_utf8(&body).map_err(|_| ApiError::BadRequest("the body is not UTF-8".to_owned()))?;
    all(&app.socketio, &session, body)?;
    Ok(plain().body("ok"))
}

fn all(socketio: &SocketIo, session: &Session, body: &str) -> Result<(), ApiError> {
    for packet in body.split(packet::SEPARATOR).filter(|packet| !packet.is_empty()) {
        socketio.receive(session, packet)?;
        if session.has_ended() {
            break;
        }
    }
    Ok(())
}

fn answer(packets: Vec<Packet>) -> HttpResponse {
    let separators = packets.len().saturating_sub(1);
    let mut pieces = Vec::with_capacity(packets.len() + separators);
    for packet in packets {
        if !pieces.is_empty() {
            pieces.push(Bytes::from(packet::SEPARATOR.to_string()));
        }
        match packet {
            Packet::Own(text) => pieces.push(text.into()),
            Packet::Shared(text) => pieces.extend(cut(&text, PIECE_BYTES)),
        }
    }
    let length = pieces.iter().map(Bytes::len).sum::<usize>() as u64;
    plain().body(SizedStream::new(length, stream::iter(pieces.into_iter().map(Ok::<_, actix_web::Error>))))
}

/// The pieces of a text, none of them a copy.
pub(super) fn cut(text: &Bytes, length: usize) -> impl Iterator<Item = Bytes> {
    (0..text.len()).step_by(length).map(move |start| text.slice(start..text.len().min(start + length)))
}

fn plain() -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header(ContentType::plaintext()).insert_header((CACHE_CONTROL, "no-store"));
    response
}
