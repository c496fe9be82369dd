//! `GET /api/v1/products`: the list, by sku.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use tributary_engine::ProductFilter;
use utoipa::IntoParams;

use crate::http::{
    api::{
        export::{Export, Format, Raw, Table},
        views::{Product, ProductPage},
    },
    server::{App, error::ApiError, input},
};

/// Selection of products.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProductsQuery {
    /// A part of the sku or of the name, compared exactly.
    q: Option<String>,
    /// Exactly this name, which may be empty.
    name: Option<String>,
    /// The winner comes from this source.
    source: Option<String>,
    /// Maximum rows: 1 to 10,000 and by default 100 for JSON; all by default for CSV.
    #[param(minimum = 1)]
    limit: Option<i64>,
    /// Only skus behind this one: `next` of the page before.
    after: Option<String>,
    /// For people: `xlsx`, or `csv` with cells escaped that a spreadsheet would run as formulas.
    #[param(inline, nullable = false)]
    format: Option<Format>,
    /// `1`: with `format=csv`, cells as they are.
    #[param(inline, nullable = false)]
    raw: Option<Raw>,
}

/// The products.
///
/// One page, by sku (bytes). With `Accept: text/csv` as CSV, exactly as stored; all matches without a `limit`.
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
    if let Some(export) = Export::wanted(&request, query.format, query.raw) {
        let limit = input::most(query.limit)?;
        let rows = app.engine.export_products(filter, query.after, limit).await?;
        return Table::<Product>::new("products", rows).answer(export).await;
    }
    let limit = input::limit(query.limit)?;
    Ok(HttpResponse::Ok().json(ProductPage::from(app.engine.products(filter, query.after, limit).await?)))
}
