//! `GET /api/v1/rejects`: the rows that could not be used.

use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use tributary_config::report_reader;
use tributary_engine::RejectFilter;
use utoipa::{IntoParams, ToSchema};

use crate::http::{
    api::{
        export::{Export, Format, Raw, Table, joined},
        source_views::Reject,
    },
    server::{App, error::ApiError, input},
};

/// Order of rejects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RejectOrder {
    /// The newest first.
    Newest,
    /// As in the file.
    Line,
}

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
    /// With this text in the reason, compared by bytes.
    reason: Option<String>,
    /// `newest` (default), or `line`: as in the file, for one `file` of one `source`.
    #[param(inline, nullable = false)]
    order: Option<RejectOrder>,
    /// Only those behind this place, the `next` of the page before.
    after: Option<String>,
}

/// A page of the rejects.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RejectsPage {
    /// The newest first. There may be fewer than `limit` before the end, if `reason` is rare.
    items: Vec<Reject>,
    /// The place where the next page begins; null at the end.
    next: Option<i64>,
}

/// The rejects.
///
/// The newest first; at most 1,000 per file are kept.
#[utoipa::path(get, path = "/api/v1/rejects", operation_id = "list_rejects", tag = "sources", params(RejectsQuery), responses(
    (status = 200, content((RejectsPage = "application/json"), (String = "text/csv"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")), description = "Rows that could not be used"),
    (status = 400, description = "The query cannot be understood"),
    (status = 422, description = "No Excel file holds the rows"),
))]
pub(crate) async fn list(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let query: RejectsQuery = input::query(&request)?;
    let after = place(query.after)?;
    let filter = filter(query.source, query.file, query.report, query.reason);
    let export = Export::wanted(&request, query.format, query.raw);
    if query.order == Some(RejectOrder::Line) {
        return in_file_order(&app, filter, after, query.limit, export).await;
    }
    if let Some(export) = export {
        let (limit, app) = (input::most(query.limit)?, app.clone());
        let read =
            async move { Ok(Table::<Reject>::new("rejects", app.engine.export_rejects(filter, after, limit).await?)) };
        return joined(&request, export, read).await;
    }
    let limit = input::limit(query.limit.or(Some(10_000)))?;
    let page = app.engine.rejects(filter, after, limit).await?;
    let items = page.rows.into_iter().map(Reject::from).collect();
    Ok(HttpResponse::Ok().json(RejectsPage { items, next: page.next }))
}

/// The filter that these parameters ask for. A blank one asks for nothing, as an empty field of a form.
pub(crate) fn filter(
    source: Option<String>,
    file: Option<String>,
    report: Option<String>,
    reason: Option<String>,
) -> RejectFilter {
    let [source, file, report, reason] = [source, file, report, reason].map(input::unless_blank);
    RejectFilter { reader: report.as_deref().map(report_reader), source, file, reason }
}

/// The place behind which a page begins. A blank one is none.
pub(crate) fn place(after: Option<String>) -> Result<Option<i64>, ApiError> {
    let read = |after: String| {
        after.parse().map_err(|_| ApiError::BadRequest(format!("`after` must be the `next` of a page, not `{after}`")))
    };
    input::unless_blank(after).map(read).transpose()
}

/// Answers with the rejects of one file, which are few enough to be sorted.
async fn in_file_order(
    app: &App,
    filter: RejectFilter,
    after: Option<i64>,
    limit: Option<i64>,
    export: Option<Export>,
) -> Result<HttpResponse, ApiError> {
    if filter.source.is_none() || filter.file.is_none() || after.is_some() {
        let why = "`order=line` is for one file: it needs `source` and `file`, and takes no `after`";
        return Err(ApiError::BadRequest(why.to_owned()));
    }
    let limit = input::most(limit)?;
    let mut rows: Vec<_> = app.engine.rejects_of_file(filter).await?.into_iter().map(Reject::from).collect();
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    match export {
        Some(export) => Table::<Reject>::new("rejects", stream::iter([Ok(rows)]).boxed()).answer(export).await,
        None => Ok(HttpResponse::Ok().json(RejectsPage { items: rows, next: None })),
    }
}
