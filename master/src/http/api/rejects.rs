//! `GET /api/v1/rejects`: the rows that could not be used.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::{
    api::{
        export::{Export, Format, Raw, Table},
        views::{Items, Reject},
    },
    server::{App, error::ApiError, input},
};

/// Selection of rejects.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RejectsQuery {
    /// Of this source.
    source: Option<String>,
    /// Of this report.
    report: Option<String>,
    /// Of files with this path.
    file: Option<String>,
    /// Maximum rows: 1 to 10,000 and by default 10,000 for JSON; all by default for CSV.
    #[param(minimum = 1)]
    limit: Option<i64>,
    /// For people: `xlsx`, or `csv` with cells escaped that a spreadsheet would run as formulas.
    #[param(inline, nullable = false)]
    format: Option<Format>,
    /// `1`: with `format=csv`, cells as they are.
    #[param(inline, nullable = false)]
    raw: Option<Raw>,
}

/// The rejects.
///
/// The newest first; at most 1,000 per file are kept.
#[utoipa::path(get, path = "/api/v1/rejects", operation_id = "list_rejects", tag = "sources", params(RejectsQuery), responses(
    (status = 200, content((Items<Reject> = "application/json"), (String = "text/csv")), description = "Rows that could not be used"),
    (status = 400, description = "The query cannot be understood"),
))]
pub(crate) async fn list(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let query: RejectsQuery = input::query(&request)?;
    let [report, source, file] = [query.report, query.source, query.file].map(input::unless_blank);
    if let Some(export) = Export::wanted(&request, query.format, query.raw) {
        let rows = app.engine.export_rejects(report, source, file, input::most(query.limit)?).await?;
        return Table::<Reject>::new("rejects", rows).answer(export).await;
    }
    let limit = input::limit(query.limit.or(Some(10_000)))?;
    let (rows, _) = app.engine.rejects(report, source, file, limit).await?;
    Ok(HttpResponse::Ok().json(Items { items: rows.into_iter().map(Reject::from).collect() }))
}
