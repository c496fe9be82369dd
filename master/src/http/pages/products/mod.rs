//! `GET /products`: a table of products, searched, filtered and sorted.

mod links;
mod table;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};

use self::table::{Products, is_column};
use crate::http::{
    api::product_query::Asked,
    pages::frame::answer,
    server::{App, error::ApiError, input},
};

/// Rows per page.
const ROWS: i64 = 50;

/// The products.
pub(crate) async fn show(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let catalog = app.engine.catalog();
    let mut asked = Asked::take(&mut input::pairs(&request)?, &[], |column| catalog.has(column))?;
    // A form sends what was left blank.
    asked.leave_blank_ones();
    asked.check(|column| catalog.has(column), &[])?;
    if let Some(unknown) = asked.columns.iter().find(|column| !is_column(column, &catalog)) {
        return Err(ApiError::BadRequest(format!(
            "the query cannot be understood: products have no column `{unknown}`"
        )));
    }
    let search = app.engine.search_products(asked.query.clone(), ROWS).await?;
    let sources = app.engine.source_names();
    answer(&app, StatusCode::OK, &Products::new(&asked, search, sources, &catalog))
}
