//! `GET /api/v1/aggr`: the number of products per name.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use tributary_engine::AggrOrder;
use utoipa::{IntoParams, ToSchema};

use crate::http::{
    api::{
        csv,
        products::{Format, Raw, cells},
        views::{Aggr, AggrPage},
    },
    server::{App, error::ApiError, input},
};

/// Selection of names.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AggrQuery {
    /// A part of the name, compared exactly.
    q: Option<String>,
    /// Rows of this page.
    #[param(minimum = 1, maximum = 10_000, default = 100)]
    limit: Option<i64>,
    /// Rows to skip.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
    /// `name` (the default) or `-no_of_products`: the names with the most products first.
    #[param(inline, nullable = false)]
    order: Option<Order>,
    /// `csv`: all of it as CSV for people, cells that a spreadsheet would run as formulas escaped.
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
/// The number of products of each. With `Accept: text/csv` all of them as CSV, exactly as stored.
#[utoipa::path(get, path = "/api/v1/aggr", operation_id = "list_names", tag = "products", params(AggrQuery), responses(
    (status = 200, content((AggrPage = "application/json"), (String = "text/csv")), description = "A page of the names"),
    (status = 400, description = "The query cannot be understood"),
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
    if let Some(cells) = cells(&request, query.format, query.raw) {
        return csv::aggr(&app.engine, part, order, cells).await;
    }
    let limit = input::limit(query.limit)?;
    let (rows, total) = app.engine.names(part, order, limit, offset).await?;
    Ok(HttpResponse::Ok().json(AggrPage { items: rows.into_iter().map(Aggr::from).collect(), total }))
}
