//! `GET /api/v1/events`: what happens, as server-sent events (HTML standard, section 9.2), resumed by `Last-Event-ID`.

use std::{convert::Infallible, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap},
    web::{self, Bytes},
};
use anyhow::Result;
use futures_util::stream;
use tokio::sync::watch;
use tributary_store::{EventRow, Store};

use crate::{app::App, web::error::ApiError};

/// Events that are read at a time.
const BATCH: i64 = 500;
/// A comment is sent so often where nothing happens, so that whoever stands in between does not think the connection dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Where a follower is.
struct Follower {
    app: web::Data<App>,
    /// Changes after every job of the writer. Asked before the database is read, so that nothing falls between.
    done: watch::Receiver<u64>,
    /// The last event that was sent.
    last: i64,
    /// What is to be sent before anything else.
    first: Option<String>,
}

/// What happens.
///
/// Server-sent events from now on, or behind `Last-Event-ID`: `applied`, `source`, `edit` and `report`, whose data are JSON; `reset`
/// where events were missed that are no longer kept: then read again what you follow.
#[utoipa::path(get, path = "/api/v1/events", operation_id = "follow_events", tag = "events",
    params(("Last-Event-ID" = Option<String>, Header, description = "The last event that was seen")),
    responses((status = 200, content((String = "text/event-stream")), description = "Events until one side goes")))]
pub(crate) async fn follow(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let done = app.writer.done();
    let seen = last_event_id(request.headers());
    let (last, is_reset) = app.readers.run(move |store| begin(store, seen)).await?;
    let reset = if is_reset { "event: reset\ndata: {}\n" } else { "" };
    // The first bytes tell the client that it is connected, and where: who loses the connection before the first event still
    // comes back with a number.
    let follower = Follower { app, done, last, first: Some(format!("retry: 1000\nid: {last}\n{reset}\n")) };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .streaming(stream::unfold(follower, next)))
}

/// The id that the caller saw last; one that is no number of ours is `Some(None)`.
fn last_event_id(headers: &HeaderMap) -> Option<Option<i64>> {
    headers.get("last-event-id").map(|id| id.to_str().ok().and_then(|id| id.trim().parse().ok()))
}

/// Behind which event to begin, and whether some were missed.
fn begin(store: &mut Store, seen: Option<Option<i64>>) -> Result<(i64, bool)> {
    let (oldest, newest) = store.event_range()?.unwrap_or_default();
    Ok(match seen {
        None => (newest, false),
        Some(Some(seen)) if (oldest - 1..=newest).contains(&seen) => (seen, false),
        Some(_) => (newest, true),
    })
}

async fn next(mut follower: Follower) -> Option<(Result<Bytes, Infallible>, Follower)> {
    if let Some(first) = follower.first.take() {
        return Some((Ok(first.into()), follower));
    }
    loop {
        follower.done.borrow_and_update();
        let last = follower.last;
        let events = follower.app.readers.run(move |store| Ok(store.events_after(last, BATCH)?)).await;
        match events {
            Ok(events) if events.is_empty() => {}
            Ok(events) => {
                follower.last = events.last().map_or(last, |event| event.id);
                let text: String = events.iter().map(as_sent).collect();
                return Some((Ok(text.into()), follower));
            }
            Err(error) => {
                tracing::error!("failed to read events for a follower: {error:#}");
                return None;
            }
        }
        tokio::select! {
            () = follower.app.shutdown.cancelled() => return None,
            changed = follower.done.changed() => changed.ok()?,
            () = tokio::time::sleep(KEEP_ALIVE) => return Some((Ok(Bytes::from_static(b":\n\n")), follower)),
        }
    }
}

fn as_sent(EventRow { id, at: _, kind, data }: &EventRow) -> String {
    format!("id: {id}\nevent: {kind}\ndata: {data}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_back_gets_what_it_missed_or_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("database.db").to_str().unwrap().parse().unwrap()).unwrap();
        let check = |store: &mut Store, seen, expect| assert_eq!(begin(store, seen).unwrap(), expect, "{seen:?}");
        check(&mut store, None, (0, false));
        check(&mut store, Some(Some(0)), (0, false));
        check(&mut store, Some(Some(7)), (0, true));
        store.transaction(|store| (0..10_003).try_for_each(|_| store.put_event("t", "edit", "{}"))).unwrap();
        check(&mut store, None, (10_003, false));
        check(&mut store, Some(Some(10_003)), (10_003, false));
        check(&mut store, Some(Some(3)), (3, false));
        check(&mut store, Some(Some(2)), (10_003, true));
        check(&mut store, Some(Some(10_004)), (10_003, true));
        check(&mut store, Some(None), (10_003, true));
        assert_eq!(store.events_after(3, i64::MAX).unwrap().len(), 10_000);
    }
}
