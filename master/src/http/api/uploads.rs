//! `/api/v1/uploads`: lists uploads, follows them as server-sent events, and cancels them. They are received
//! by `upload`.

use std::{convert::Infallible, sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    web::{self, Bytes},
};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use tokio_util::sync::CancellationToken;
use tributary_config::ReportConfig;
use tributary_engine::{Document, Inbox};
use tributary_http_common::revoked;
use utoipa::IntoParams;

use crate::http::{
    api::{
        export::{self, Export, Format, Raw},
        upload_view::UploadView,
        views::Items,
    },
    server::{App, error::ApiError, input, sender},
};

/// Minimum time between two events of an upload.
const MIN_INTERVAL: Duration = Duration::from_millis(100);
/// Interval of comments while nothing happens.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Selection of uploads.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UploadsQuery {
    /// Of this file.
    filename: Option<String>,
    /// Maximum rows; all by default.
    #[param(minimum = 1)]
    limit: Option<i64>,
    /// For people: `xlsx`, or `csv` with cells escaped that a spreadsheet would run as formulas.
    #[param(inline, nullable = false)]
    format: Option<Format>,
    /// `1`: with `format=csv`, cells as they are.
    #[param(inline, nullable = false)]
    raw: Option<Raw>,
}

/// The uploads.
///
/// The newest first; the last 1,000 are kept.
#[utoipa::path(get, path = "/api/v1/uploads", operation_id = "list_uploads", tag = "uploads", params(UploadsQuery), responses(
    (status = 200, content((Items<UploadView> = "application/json"), (String = "text/csv"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")), description = "Uploads that are under way, and those that have ended"),
    (status = 400, description = "The query cannot be understood"),
    (status = 422, description = "No Excel file holds the rows"),
))]
pub(crate) async fn list(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let UploadsQuery { filename, limit, format, raw } = input::query(&request)?;
    let (limit, export) = (input::most(limit)?, Export::wanted(&request, format, raw));
    let reports = app.engine.reports();
    let view = move |batch: anyhow::Result<Vec<Document>>| {
        Ok(batch?.into_iter().map(|document| UploadView::new(document, &reports)).collect())
    };
    let uploads = app.engine.inbox().export(input::unless_blank(filename), limit).await?.map(view).boxed();
    export::streamed("uploads", uploads, export).await
}

/// The newest uploads as they are shown.
pub(crate) async fn newest(app: &App, limit: i64) -> Result<Vec<UploadView>, ApiError> {
    let reports = app.engine.reports();
    let documents = app.engine.inbox().list(limit).await?;
    Ok(documents.into_iter().map(|document| UploadView::new(document, &reports)).collect())
}

/// One upload.
///
/// With its progress: `bytes` while it is received, `percent` and `rows` while it is read.
#[utoipa::path(get, path = "/api/v1/uploads/{id}", operation_id = "get_upload", tag = "uploads",
    params(("id" = String, Path, description = "32 hex digits")),
    responses((status = 200, body = UploadView), (status = 404, description = "No such upload")))]
pub(crate) async fn get(app: web::Data<App>, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let upload = known(&app, &id).await?;
    Ok(HttpResponse::Ok().json(UploadView::new(upload, &app.engine.reports())))
}

/// Cancels or undoes an upload.
///
/// A transfer is aborted. A file that is being read is deleted, and the file that it replaced is restored. The file of a
/// complete upload is deleted with its rows.
#[utoipa::path(delete, path = "/api/v1/uploads/{id}", operation_id = "delete_upload", tag = "uploads",
    params(("id" = String, Path, description = "32 hex digits")),
    responses((status = 204, description = "Its file is gone"), (status = 404, description = "No such upload")))]
pub(crate) async fn cancel(
    request: HttpRequest,
    app: web::Data<App>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    if app.engine.inbox().cancel(&id.to_ascii_lowercase(), sender::user(&request)).await? {
        return Ok(HttpResponse::NoContent().finish());
    }
    Err(unknown())
}

/// Follows an upload.
///
/// Server-sent events `upload`, whose data are the upload as JSON: now, and whenever it has changed, until it has ended.
#[utoipa::path(get, path = "/api/v1/uploads/{id}/events", operation_id = "follow_upload", tag = "uploads",
    params(("id" = String, Path, description = "32 hex digits")),
    responses(
        (status = 200, content((String = "text/event-stream")), description = "Events until the upload has ended, or the token is revoked"),
        (status = 404, description = "No such upload"),
    ))]
pub(crate) async fn follow(
    request: HttpRequest,
    app: web::Data<App>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let place = app.follower()?;
    let upload = known(&app, &id).await?;
    let (inbox, reports, stop) = (app.engine.inbox().clone(), app.engine.reports(), app.engine.shutdown().clone());
    let follower = Follower { inbox, upload, reports, told: None, stop, _place: place };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .streaming(stream::unfold(follower, next).take_until(revoked(&app.admission, &request).cancelled_owned())))
}

async fn known(app: &App, id: &str) -> Result<Document, ApiError> {
    app.engine.inbox().get(&id.to_ascii_lowercase()).await?.ok_or_else(unknown)
}

fn unknown() -> ApiError {
    ApiError::NotFound("there is no such upload; `/api/v1/uploads` lists them".to_owned())
}

/// State of a subscriber.
struct Follower {
    inbox: Inbox,
    /// As the last event said.
    upload: Document,
    /// Those that may claim its file.
    reports: Arc<[ReportConfig]>,
    /// When the last event was sent; `None` before the first.
    told: Option<Instant>,
    stop: CancellationToken,
    _place: OwnedSemaphorePermit,
}

async fn next(mut follower: Follower) -> Option<(Result<Bytes, Infallible>, Follower)> {
    if let Some(told) = follower.told {
        if follower.upload.stage.is_final() {
            return None;
        }
        let news = async {
            tokio::time::sleep_until(told + MIN_INTERVAL).await;
            follower.inbox.news(&follower.upload).await
        };
        let news = tokio::select! {
            () = follower.stop.cancelled() => return None,
            news = news => news,
            () = tokio::time::sleep(KEEP_ALIVE) => return Some((Ok(Bytes::from_static(b":\n\n")), follower)),
        };
        match news {
            Ok(news) => follower.upload = news?,
            Err(error) => {
                tracing::error!("a follower of an upload was cut off: {error:#}");
                return None;
            }
        }
    }
    follower.told = Some(Instant::now());
    // A view of plain texts and numbers can always be written.
    let data = serde_json::to_string(&UploadView::new(follower.upload.clone(), &follower.reports)).ok()?;
    Some((Ok(format!("event: upload\ndata: {data}\n\n").into()), follower))
}
