//! `/api/v1/documents/{path}`: what a path of the source `uploads` stands for. Queues send, replace and take back documents here; a
//! repeated message changes nothing.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use serde::{Deserialize, Serialize};
use tributary_engine::{Arrived, Document, Offer, Removal, Removed, Stage};
use utoipa::{IntoParams, ToSchema};

use crate::http::{
    api::{
        upload::{apart, is_plain, length},
        upload_view::{ResultLink, results},
    },
    server::{App, error::ApiError, input, sender},
};

/// Longest wait until a document is applied.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// Parameters of sending or taking back a document.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DocumentQuery {
    /// The sender's id of the message, 1 to 255 bytes. A message that is known changes nothing.
    message: Option<String>,
    /// Its number among the messages of its path. The greatest counts; without one the order of arrival does.
    sequence: Option<i64>,
    /// `applied`: the response is sent once the document is applied, rejected or superseded, after 60 seconds, or when the master stops.
    #[param(inline, nullable = false)]
    wait: Option<Wait>,
}

/// The event that a response waits for.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Wait {
    /// All that read the document have committed it.
    Applied,
}

/// A document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Document)]
pub(crate) struct DocumentView {
    /// Its path in the source `uploads`.
    path: String,
    /// 32 hex digits, by which `/api/v1/uploads` knows it too; null if its message was superseded or took a document back.
    id: Option<String>,
    /// `receiving`, `queued`, `processing`, `complete`, `failed` or `superseded`.
    state: &'static str,
    /// Its length.
    bytes: u64,
    /// Its hash.
    hash: Option<String>,
    /// Its number among the messages of its path.
    sequence: Option<i64>,
    /// Rows read.
    rows: u64,
    /// Rows that could not be used.
    rejects: u64,
    /// Why it failed.
    error: Option<String>,
    /// Links to its results.
    results: Vec<ResultLink>,
    /// When it began, RFC 3339; null if nothing more than its state is known.
    created_at: Option<String>,
    /// When it ended, RFC 3339; null before that.
    finished_at: Option<String>,
    /// The sender; null: not known.
    sent_by: Option<String>,
}

impl DocumentView {
    fn new(app: &App, document: Document) -> Self {
        let results = results(&document, &app.engine.reports());
        let Document { id, path, stage, bytes, hash, sequence, rows, rejects, error, created_at, finished_at, .. } =
            document.clone();
        Self {
            path,
            id: Some(id),
            state: stage.as_str(),
            bytes,
            hash,
            sequence,
            rows,
            rejects,
            error,
            results,
            created_at: Some(created_at),
            finished_at,
            sent_by: document.sent_by,
        }
    }

    /// A message of which only this is known.
    fn of_message(path: &str, sequence: Option<i64>, stage: Stage) -> Self {
        Self {
            path: path.to_owned(),
            id: None,
            state: stage.as_str(),
            bytes: 0,
            hash: None,
            sequence,
            rows: 0,
            rejects: 0,
            error: None,
            results: Vec::new(),
            created_at: None,
            finished_at: None,
            sent_by: None,
        }
    }
}

/// Sends a document.
///
/// Its path stands for it from now on, in place of an earlier document. The response is sent once it is on disk and stored, or with
/// `wait=applied` once it is applied.
#[utoipa::path(put, path = "/api/v1/documents/{path}", operation_id = "put_document", tag = "documents",
    params(("path" = String, Path, description = "Its path; folders are separated by `/`"), DocumentQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, body = DocumentView, description = "Applied; or the message is known, or superseded, and nothing has changed"),
        (status = 202, body = DocumentView, description = "Stored; it will be read"),
        (status = 400, description = "The query cannot be understood, or the body ended early"),
        (status = 408, description = "Nothing more of it came for 30 seconds"),
        (status = 409, description = "It was deleted while it came"),
        (status = 413, description = "It is larger than `max_size`"),
        (status = 415, description = "The body is encoded"),
        (status = 422, description = "The path or the message is not allowed; or the document cannot be used, and what its path stood for before is back"),
        (status = 503, description = "Too many large ones are being received"),
        (status = 507, description = "The disk has no room for it"),
    ))]
pub(crate) async fn put(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let DocumentQuery { message, sequence, wait } = input::query(&request)?;
    is_plain(&request)?;
    let path = input::path_document(&request)?;
    let size = length(&request);
    let offer = Offer {
        path: path.clone(),
        may_replace: true,
        size,
        at_least: size.unwrap_or_default(),
        message,
        sequence,
        sent_by: sender::user(&request),
        ..Offer::default()
    };
    let inbox = app.engine.inbox().clone();
    let arrived = apart(async move { Ok(inbox.admit(offer).await?.receive(payload).await?) }).await?;
    let (id, known) = match arrived {
        Arrived::Superseded => return Ok(only(&path, sequence, Stage::Superseded)),
        Arrived::Known(None, stage) => return Ok(only(&path, sequence, stage)),
        Arrived::Known(Some(id), stage) => (id, Some(stage)),
        Arrived::Stored(id) => (id, None),
    };
    let limit = if wait.is_some() { MAX_WAIT } else { Duration::ZERO };
    let document = app.engine.inbox().wait(&id, limit).await?;
    match (document, known) {
        (Some(document), None) => answer(&app, document),
        (Some(document), Some(_)) => Ok(HttpResponse::Ok().json(DocumentView::new(&app, document))),
        // It was taken back meanwhile, or is long forgotten.
        (None, stage) => Ok(only(&path, sequence, stage.unwrap_or(Stage::Complete))),
    }
}

fn answer(app: &App, document: Document) -> Result<HttpResponse, ApiError> {
    let status = match document.stage {
        Stage::Failed => {
            let why = document.error.unwrap_or_default();
            return Err(ApiError::Invalid(format!("the document cannot be used: {why}")));
        }
        Stage::Complete | Stage::Superseded => StatusCode::OK,
        Stage::Receiving | Stage::Queued | Stage::Processing => StatusCode::ACCEPTED,
    };
    Ok(HttpResponse::build(status).json(DocumentView::new(app, document)))
}

fn only(path: &str, sequence: Option<i64>, stage: Stage) -> HttpResponse {
    HttpResponse::Ok().json(DocumentView::of_message(path, sequence, stage))
}

/// The document of a path.
///
/// The one that the path stands for, or else the last one that was sent to it, if that failed.
#[utoipa::path(get, path = "/api/v1/documents/{path}", operation_id = "get_document", tag = "documents",
    params(("path" = String, Path, description = "Its path; folders are separated by `/`")),
    responses((status = 200, body = DocumentView), (status = 404, description = "The path stands for no document")))]
pub(crate) async fn get(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let path = input::path_document(&request)?;
    let document = app.engine.inbox().at(&path).await?.ok_or_else(|| unknown(&path))?;
    Ok(HttpResponse::Ok().json(DocumentView::new(&app, document)))
}

/// Takes a document back.
///
/// Its path stands for nothing from now on, and its rows go. One that was not read yet is cancelled. A path that ends in `/` is a
/// folder: all documents below it are taken back at once, if there are any.
#[utoipa::path(delete, path = "/api/v1/documents/{path}", operation_id = "delete_document", tag = "documents",
    params(("path" = String, Path, description = "Its path; folders are separated by `/`"), DocumentQuery),
    responses(
        (status = 200, body = DocumentView, description = "The message is known or superseded, and nothing has changed"),
        (status = 204, description = "Taken back"),
        (status = 400, description = "The query cannot be understood"),
        (status = 404, description = "The path stands for no document; never for a folder"),
        (status = 422, description = "The folder is not allowed, or has a `sequence`"),
    ))]
pub(crate) async fn delete(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let DocumentQuery { message, sequence, wait: _ } = input::query(&request)?;
    let path = input::path_document(&request)?;
    let is_folder = path.ends_with('/');
    let removal = Removal { message, sequence, by: sender::user(&request) };
    let removed = if !is_folder {
        app.engine.inbox().remove(&path, removal).await?
    } else if sequence.is_none() {
        app.engine.inbox().remove_below(&path, removal).await?
    } else {
        return Err(ApiError::Invalid("`sequence` counts for one path, not for a folder: leave it out".to_owned()));
    };
    match removed {
        Removed::Nothing if !is_folder => Err(unknown(&path)),
        Removed::Done | Removed::Nothing => Ok(HttpResponse::NoContent().finish()),
        Removed::Repeated(Arrived::Known(_, stage)) => Ok(only(&path, sequence, stage)),
        Removed::Repeated(Arrived::Superseded | Arrived::Stored(_)) => Ok(only(&path, sequence, Stage::Superseded)),
    }
}

fn unknown(path: &str) -> ApiError {
    ApiError::NotFound(format!("`{path}` stands for no document"))
}
