//! The answers of the sources: those of `data-source`, for one file that is in memory.

use std::{
    convert::Infallible,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tributary_protocol::{BodyDigest, CONTENT_DIGEST};

use super::{
    content::PATH,
    fleet::{Illness, Shared, Source},
};

type Answer = Response<Full<Bytes>>;

/// Longest time for which an answer is held, as by `data-source`.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// Answers all connections until `stop`, which also closes them and the port.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        // An error is that of one connection, or that no more files can be opened: the client tries again.
        let Ok((stream, peer)) = accepted else { continue };
        if peer.ip().is_loopback() {
            let (shared, stop) = (Arc::clone(&shared), stop.clone());
            tokio::spawn(async move { stop.run_until_cancelled(connection(stream, &shared)).await });
        }
    }
}

async fn connection(stream: TcpStream, shared: &Arc<Shared>) -> Option<()> {
    let IpAddr::V4(address) = stream.local_addr().ok()?.ip() else { return None };
    let source = shared.source(address)?;
    let _open = shared.connections.acquire().await.ok()?;
    stream.set_nodelay(true).ok()?;
    let service = service_fn(|request| async move { Ok::<_, Infallible>(answer(source, &request).await) });
    // A client that hangs up is no error of ours.
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok()
}

async fn answer(source: &Source, request: &Request<Incoming>) -> Answer {
    let illness = source.state().illness;
    if illness.is_some() && request.uri().path() == "/sense" {
        source.state().asked.sense(Instant::now(), false);
    }
    match illness {
        Some(Illness::Hangs) => std::future::pending().await,
        Some(Illness::Fails | Illness::Refuses) => problem(StatusCode::INTERNAL_SERVER_ERROR, "it was told to be ill"),
        None => match request.uri().path() {
            "/sense" => sense(source, request.uri()).await,
            "/sense/files" => manifest(source, request.uri()),
            path if path.strip_prefix("/read/") == Some(PATH) => read(source, request),
            _ => problem(StatusCode::NOT_FOUND, "there is one file"),
        },
    }
}

/// Answers at once if there is news, and else holds the answer.
async fn sense(source: &Source, uri: &Uri) -> Answer {
    let since = parameter(uri, "since");
    let wait = parameter(uri, "wait").and_then(|wait| wait.parse().ok()).unwrap_or_default();
    let wait = Duration::try_from_secs_f64(wait).unwrap_or_default().min(MAX_WAIT);
    // Made before the version is read, so that no change between the two is missed.
    let changed = source.changed.notified();
    let knows = {
        let mut state = source.state();
        let knows = since == Some(state.offered.version());
        state.asked.sense(Instant::now(), knows);
        knows
    };
    if knows && !wait.is_zero() {
        let _held = Held::new(source);
        // Over time or news, the answer is that of the moment.
        let _ = tokio::time::timeout(wait, changed).await;
    }
    let offered = Arc::clone(&source.state().offered);
    json_answer(&offered.sense(since), offered.version())
}

/// Notes that an answer is held, until this is dropped: also if the client hangs up.
struct Held<'a>(&'a Source);

impl<'a> Held<'a> {
    fn new(source: &'a Source) -> Self {
        source.state().asked.is_held = true;
        Self(source)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.state().asked.is_held = false;
    }
}

fn manifest(source: &Source, uri: &Uri) -> Answer {
    let offered = {
        let mut state = source.state();
        state.asked.manifests += 1;
        Arc::clone(&state.offered)
    };
    json_answer(&offered.manifest(parameter(uri, "since")), offered.version())
}

fn read(source: &Source, request: &Request<Incoming>) -> Answer {
    let offered = Arc::clone(&source.state().offered);
    let tag = format!("\"{}\"", offered.hash);
    if request.headers().get(header::IF_MATCH).is_some_and(|wanted| wanted != tag.as_str()) {
        return problem(StatusCode::PRECONDITION_FAILED, "the file is another one by now");
    }
    source.state().asked.reads += 1;
    built(Response::builder().header(header::CONTENT_TYPE, "text/csv").header(header::ETAG, tag), offered.content.csv())
}

fn json_answer(body: &impl serde::Serialize, version: &str) -> Answer {
    let body = serde_json::to_vec(body).unwrap_or_default();
    let answer = Response::builder()
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ETAG, format!("\"{version}\""))
        .header(CONTENT_DIGEST, BodyDigest::of(&body).header());
    built(answer, body)
}

fn problem(status: StatusCode, detail: &str) -> Answer {
    let body = json!({ "title": status.to_string(), "status": status.as_u16(), "detail": detail }).to_string();
    built(Response::builder().status(status).header(header::CONTENT_TYPE, "application/problem+json"), body)
}

fn built(answer: http::response::Builder, body: impl Into<Bytes>) -> Answer {
    answer.body(Full::new(body.into())).expect("names and values of the headers are plain")
}

/// The value of a parameter. None of those that are asked for is ever encoded: versions are hexadecimal.
fn parameter<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}
