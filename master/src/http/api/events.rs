//! `GET /api/v1/events`: what happens, as server-sent events (HTML standard, section 9.2), resumed by `Last-Event-ID`.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap},
    web::{self, Bytes},
};
use anyhow::Result;
use futures_util::{Stream, StreamExt, stream};
use tributary_engine::{Followed, Resume, StoredEvent};
use tributary_http_common::revoked;

use crate::http::server::{App, error::ApiError};

/// Interval of comments while nothing happens, so that proxies do not close the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Follows all events.
///
/// Server-sent events from now on, or behind `Last-Event-ID`: `applied`, `source`, `held`, `edit`, `report` and `configuration`, whose
/// data are JSON; `reset` where events were missed that are no longer kept: then read again what you follow.
#[utoipa::path(get, path = "/api/v1/events", operation_id = "follow_events", tag = "events",
    params(("Last-Event-ID" = Option<String>, Header, description = "The last event that was seen")),
    responses((status = 200, content((String = "text/event-stream")), description = "Events until one side goes, or the token is revoked")))]
pub(crate) async fn follow(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let follower = app.follower()?;
    let followed = app.engine.follow(resume(request.headers())).await?.boxed();
    let items = stream::unfold(followed, next).map(move |item| {
        // Given back when the client goes.
        let _ = &follower;
        item
    });
    let items = items.take_until(revoked(&app.admission, &request).cancelled_owned());
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .streaming(items))
}

fn resume(headers: &HeaderMap) -> Resume {
    let Some(id) = headers.get("last-event-id") else { return Resume::Now };
    id.to_str().ok().and_then(|id| id.trim().parse().ok()).map_or(Resume::Unknown, Resume::After)
}

async fn next<S: Stream<Item = Result<Followed>> + Unpin>(mut followed: S) -> Option<(Result<Bytes>, S)> {
    let Ok(item) = tokio::time::timeout(KEEP_ALIVE, followed.next()).await else {
        return Some((Ok(Bytes::from_static(b":\n\n")), followed));
    };
    let text = match item? {
        // The first bytes tell the client that it is connected, and where: if it loses the connection before the first event it
        // still comes back with an id.
        Ok(Followed::Start { id, missed }) => {
            let reset = if missed { "event: reset\ndata: {}\n" } else { "" };
            format!("retry: 1000\nid: {id}\n{reset}\n")
        }
        Ok(Followed::Event(StoredEvent { id, kind, data, .. })) => format!("id: {id}\nevent: {kind}\ndata: {data}\n\n"),
        Err(error) => {
            tracing::error!("failed to read events: {error:#}");
            return None;
        }
    };
    Some((Ok(text.into()), followed))
}
