//! `GET /api/v1/products`: the list, in any order.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Map, Value};
use tributary_engine::{Engine, ProductQuery};
use utoipa::IntoParams;

use crate::http::{
    api::{
        export::{Export, Format, Raw, Table, joined},
        json,
        product_query::Asked,
        product_views::{Product, ProductPage},
    },
    server::{App, error::ApiError, input},
};

/// Selection of products. Any other parameter is the name of a column, and a condition on it: a text, or `=`, `!=`, `<`, `<=`, `>` or
/// `>=` and a text.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes the parameters that `Asked` takes")]
pub(crate) struct ProductsQuery {
    /// A part of the sku or of the name, compared exactly.
    q: Option<String>,
    /// Exactly this name, which may be empty.
    name: Option<String>,
    /// The winner comes from this source.
    source: Option<String>,
    /// Whether an edit applies.
    edited: Option<bool>,
    /// The column to sort by, with `-` in front the greatest first. By default `sku`.
    sort: Option<String>,
    /// The columns that are wanted, separated by commas. By default all for JSON; for CSV all but `first_seen` and `changed_at`.
    columns: Option<String>,
    /// Only those behind this place: `next` of the page before. By sku it is a sku.
    after: Option<String>,
    /// The last ones before this place: `previous` of a page. A file needs a `limit` of at most 5,000 then.
    before: Option<String>,
}

/// Size and form of the answer.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Form {
    /// Maximum rows: 1 to 10,000 and by default 100 for JSON; all by default for CSV.
    #[param(minimum = 1)]
    limit: Option<i64>,
    /// For people: `xlsx`, or `csv` with cells escaped that a spreadsheet would run as formulas.
    #[param(inline, nullable = false)]
    format: Option<Format>,
    /// `1`: with `format=csv`, cells as they are.
    #[param(inline, nullable = false)]
    raw: Option<Raw>,
}

/// The parameters of [`Form`].
const FORM: [&str; 3] = ["limit", "format", "raw"];

/// The products.
///
/// One page, by sku (bytes) or in the requested order. With `Accept: text/csv` as CSV, exactly as stored; all matches without a
/// `limit`.
#[utoipa::path(get, path = "/api/v1/products", operation_id = "list_products", tag = "products", params(ProductsQuery, Form), responses(
    (status = 200, content((ProductPage = "application/json"), (String = "text/csv"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")), description = "A page of the products"),
    (status = 400, description = "The query cannot be understood"),
    (status = 422, description = "No Excel file holds the rows"),
))]
pub(crate) async fn list(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let mut fields = input::pairs(&request)?;
    let asked = Asked::take(&mut fields, &FORM, |column| app.engine.catalog().has(column))?;
    let Form { limit, format, raw } = input::of_pairs(&fields)?;
    asked.check(|column| app.engine.catalog().has(column), &FORM)?;
    let Asked { query, columns, .. } = asked;
    if let Some(export) = Export::wanted(&request, format, raw) {
        let (limit, app) = (input::most(limit)?, app.clone());
        let read = async move { table(&app.engine, query, limit, columns).await };
        return joined(&request, export, read).await;
    }
    let page = app.engine.products(query, input::limit(limit)?).await?;
    let columns = known(columns, &page.own)?;
    let page = ProductPage::from(page);
    if columns.is_empty() {
        let (texts, places) = (page.items.iter().map(Product::text_bytes).sum(), page.places());
        return Ok(json::page(page.items, texts, &places)?);
    }
    let items = page.items.iter().map(|product| chosen(product, &columns)).collect::<Result<Vec<_>, _>>()?;
    Ok(json::page(items, 0, &page.places())?)
}

/// The products with these columns, or with all of them.
pub(crate) async fn table(
    engine: &Engine,
    query: ProductQuery,
    limit: i64,
    columns: Vec<String>,
) -> Result<Table<Chosen>, ApiError> {
    let (own, rows) = engine.export_products(query, limit).await?;
    let columns: Arc<[String]> = if columns.is_empty() { Product::columns(&own) } else { known(columns, &own)? }.into();
    let header = columns.to_vec();
    let chosen = move |product| Chosen { product: Product::from(product), columns: Arc::clone(&columns) };
    let rows = rows.map(move |batch| Ok(batch?.into_iter().map(&chosen).collect())).boxed();
    Ok(Table { name: "products".to_owned(), header, rows, cells: Chosen::cells })
}

/// Refuses a column that products do not have.
fn known(columns: Vec<String>, own: &[String]) -> Result<Vec<String>, ApiError> {
    match columns.iter().find(|column| !Product::has(column, own)) {
        Some(unknown) => {
            let all = Product::columns(own).into_iter().chain(["first_seen".to_owned(), "changed_at".to_owned()]);
            let all: Vec<_> = all.map(|name| format!("`{name}`")).collect();
            Err(ApiError::BadRequest(format!("`columns` has no `{unknown}`; there are {}", all.join(", "))))
        }
        None => Ok(columns),
    }
}

/// A product as a row of certain columns.
pub(crate) struct Chosen {
    product: Product,
    columns: Arc<[String]>,
}

impl Chosen {
    fn cells(&self) -> Vec<crate::http::api::export::Cell<'_>> {
        self.columns.iter().map(|column| self.product.cell(column)).collect()
    }
}

/// The chosen members of a product.
fn chosen(product: &Product, columns: &[String]) -> Result<Map<String, Value>, ApiError> {
    let all = serde_json::to_value(product).map_err(anyhow::Error::from)?;
    let member = |column: &String| (column.clone(), all.get(column).cloned().unwrap_or_default());
    Ok(columns.iter().map(member).collect())
}
