//! `GET /api/v1/products`: the list, by sku.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use tributary_engine::ProductFilter;
use utoipa::{IntoParams, ToSchema};

use crate::http::{
    api::{
        csv::{self, Cells},
        views::ProductPage,
    },
    server::{App, error::ApiError, input},
};

/// Selection of products.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProductsQuery {
    /// A part of the sku or of the name, compared exactly.
    q: Option<String>,
    /// Exactly this name, which may be empty.
    name: Option<String>,
    /// The winner comes from this source.
    source: Option<String>,
    /// Rows of this page.
    #[param(minimum = 1, maximum = 10_000, default = 100)]
    limit: Option<i64>,
    /// Only skus behind this one: `next` of the page before.
    after: Option<String>,
    /// `csv`: every match as CSV for people, cells that a spreadsheet would run as formulas escaped.
    #[param(inline, nullable = false)]
    format: Option<Format>,
    /// `1`: with `format=csv`, cells as they are.
    #[param(inline, nullable = false)]
    raw: Option<Raw>,
}

/// Format of a list, for links that people follow.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Json,
    Csv,
}

/// Whether cells are written as they are.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
pub(crate) enum Raw {
    #[serde(rename = "0")]
    No,
    #[serde(rename = "1")]
    Yes,
}

/// The products.
///
/// One page, by sku (bytes). With `Accept: text/csv` all matches as CSV, exactly as stored.
#[utoipa::path(get, path = "/api/v1/products", operation_id = "list_products", tag = "products", params(ProductsQuery), responses(
    (status = 200, content(
        (ProductPage = "application/json"),
        (String = "text/csv"),
    ), description = "A page of the products"),
    (status = 400, description = "The query cannot be understood"),
))]
pub(crate) async fn list(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let query: ProductsQuery = input::query(&request)?;
    let [part, source] = [query.q, query.source].map(input::unless_blank);
    let filter = ProductFilter { sku: None, name: query.name, part, source };
    if let Some(cells) = cells(&request, query.format, query.raw) {
        return csv::products(&app.engine, filter, cells).await;
    }
    let limit = input::limit(query.limit)?;
    Ok(HttpResponse::Ok().json(ProductPage::from(app.engine.products(filter, query.after, limit).await?)))
}

/// Returns how cells are written if the client asks for CSV: with `?format=csv`, which is for people, or with `Accept`.
pub(crate) fn cells(request: &HttpRequest, format: Option<Format>, raw: Option<Raw>) -> Option<Cells> {
    match (format, raw) {
        (Some(Format::Csv), Some(Raw::Yes)) => Some(Cells::Exact),
        (Some(Format::Csv), _) => Some(Cells::Escaped),
        (Some(Format::Json), _) => None,
        (None, _) => input::wants_csv(request).then_some(Cells::Exact),
    }
}
