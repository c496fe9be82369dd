//! `GET /api/v1/history`: what happened per stretch of time, for plots.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};
use tributary_engine::{Amounts, HistoryPoint, HistorySpan};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{Object, ObjectBuilder, Type},
};

use crate::http::{
    api::{
        export::{Export, Format, Raw, whole},
        views::Items,
    },
    server::{App, error::ApiError, input},
};

/// Selection of a series.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// `hour` (the default), by minutes; `day`, by quarters of an hour; `week`, by two hours; or `year`, by days.
    #[param(schema_with = spans)]
    span: Option<HistorySpan>,
    /// Of this source; by default of the master as a whole.
    source: Option<String>,
    /// For people: `xlsx`, or `csv` with cells escaped that a spreadsheet would run as formulas.
    #[param(inline, nullable = false)]
    format: Option<Format>,
    /// `1`: with `format=csv`, cells as they are.
    #[param(inline, nullable = false)]
    raw: Option<Raw>,
}

fn spans() -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(HistorySpan::ALL.map(HistorySpan::as_str))).build()
}

/// Amounts of one step.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HistoryView {
    /// When the step begins, RFC 3339.
    pub(crate) at: String,
    /// Products at its end; null: not known, or of a source.
    pub(crate) products: Option<i64>,
    /// Versions that changed anything.
    pub(crate) versions: i64,
    /// Products that versions added.
    pub(crate) added: i64,
    /// Products that versions changed.
    pub(crate) updated: i64,
    /// Products that versions removed.
    pub(crate) removed: i64,
    /// Rejects of the files that were read.
    pub(crate) rejected: i64,
    /// Edits that were set, changed or cleared.
    pub(crate) edits: i64,
    /// Seconds from asking for a version to its commit, of all versions.
    pub(crate) apply_seconds: f64,
    /// The longest of them.
    pub(crate) max_apply_seconds: f64,
    /// Passes over sources, good and bad.
    pub(crate) polls: i64,
    /// Passes that failed.
    pub(crate) failed_polls: i64,
    /// Seconds of all passes.
    pub(crate) poll_seconds: f64,
    /// The longest of them.
    pub(crate) max_poll_seconds: f64,
    /// Requests with GET or HEAD.
    pub(crate) requests: i64,
    /// Seconds until their answers began.
    pub(crate) request_seconds: f64,
    /// The longest of them.
    pub(crate) max_request_seconds: f64,
}

impl From<HistoryPoint> for HistoryView {
    fn from(HistoryPoint { at, amounts }: HistoryPoint) -> Self {
        let at = DateTime::from_timestamp(at, 0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true);
        let Amounts {
            products,
            versions,
            added,
            updated,
            removed,
            rejected,
            edits,
            apply_seconds,
            max_apply_seconds,
            polls,
            failed_polls,
            poll_seconds,
            max_poll_seconds,
            requests,
            request_seconds,
            max_request_seconds,
        } = amounts;
        Self {
            at,
            products,
            versions,
            added,
            updated,
            removed,
            rejected,
            edits,
            apply_seconds,
            max_apply_seconds,
            polls,
            failed_polls,
            poll_seconds,
            max_poll_seconds,
            requests,
            request_seconds,
            max_request_seconds,
        }
    }
}

/// The history.
///
/// The amounts of the last hour, day, week or year, in steps of equal length, the oldest first.
#[utoipa::path(get, path = "/api/v1/history", operation_id = "list_history", tag = "sources",
    params(HistoryQuery), responses(
    (status = 200, content((Items<HistoryView> = "application/json"), (String = "text/csv"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")), description = "Every step"),
    (status = 400, description = "The query cannot be understood"),
    (status = 422, description = "No Excel file holds the rows"),
))]
pub(crate) async fn list(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let HistoryQuery { span, source, format, raw } = input::query(&request)?;
    let points = app.engine.history(input::unless_blank(source), span.unwrap_or_default()).await?;
    let rows: Vec<HistoryView> = points.into_iter().map(HistoryView::from).collect();
    whole("history", rows, i64::MAX, Export::wanted(&request, format, raw)).await
}
