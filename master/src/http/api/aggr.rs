//! `GET /api/v1/aggr`: the number of products per name.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use tributary_engine::{AggrOrder, AggrRow};
use utoipa::{IntoParams, ToSchema};

use crate::http::{
    api::{
        export::{Export, Format, Raw, Table, joined},
        json,
        views::{Aggr, AggrPage},
    },
    server::{App, error::ApiError, input},
};

/// Rows of an answer that is held as a whole. A name may have 2 KiB, so more rows are streamed.
const MAX_HELD_ROWS: i64 = 1_000;

/// Selection of names.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AggrQuery {
    /// A part of the name, compared exactly.
    q: Option<String>,
    /// Maximum rows: 1 to 10,000 and by default 100 for JSON; all by default for CSV.
    #[param(minimum = 1)]
    limit: Option<i64>,
    /// Rows to skip.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
    /// `name` (the default) or `-no_of_products`: the names with the most products first.
    #[param(inline, nullable = false)]
    order: Option<Order>,
    /// For people: `xlsx`, or `csv` with cells escaped that a spreadsheet would run as formulas.
    #[param(inline, nullable = false)]
    format: Option<Format>,
    /// `1`: with `format=csv`, cells as they are.
    #[param(inline, nullable = false)]
    raw: Option<Raw>,
}

/// The order of the list.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
enum Order {
    #[serde(rename = "name")]
    Name,
    #[serde(rename = "-no_of_products")]
    MostProducts,
}

/// The names.
///
/// The number of products of each. With `Accept: text/csv` as CSV, exactly as stored; all of them without a `limit`.
#[utoipa::path(get, path = "/api/v1/aggr", operation_id = "list_names", tag = "products", params(AggrQuery), responses(
    (status = 200, content((AggrPage = "application/json"), (String = "text/csv"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")), description = "A page of the names"),
    (status = 400, description = "The query cannot be understood"),
    (status = 422, description = "No Excel file holds the rows"),
))]
pub(crate) async fn list(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let query: AggrQuery = input::query(&request)?;
    let order = match query.order {
        None | Some(Order::Name) => AggrOrder::Name,
        Some(Order::MostProducts) => AggrOrder::MostProducts,
    };
    let offset = query.offset.unwrap_or_default();
    if offset < 0 {
        return Err(ApiError::BadRequest(format!("`offset` must be 0 or more, not {offset}")));
    }
    let part = input::unless_blank(query.q);
    if let Some(export) = Export::wanted(&request, query.format, query.raw) {
        let (limit, app) = (input::most(query.limit)?, app.clone());
        let read =
            async move { Ok(Table::<Aggr>::new("aggr", app.engine.export_names(part, order, limit, offset).await?)) };
        return joined(&request, export, read).await;
    }
    let limit = input::limit(query.limit)?;
    if limit > MAX_HELD_ROWS {
        let (rows, total) = app.engine.stream_names(part, order, limit, offset).await?;
        let each = |out: &mut Vec<u8>, row: AggrRow| Ok(serde_json::to_writer(out, &Aggr::from(row))?);
        return Ok(json::streamed(rows, format!(",\"total\":{total}}}").into_bytes(), each));
    }
    let (rows, total) = app.engine.names(part, order, limit, offset).await?;
    Ok(HttpResponse::Ok().json(AggrPage { items: rows.into_iter().map(Aggr::from).collect(), total }))
}
