//! `GET /products`: a table of products, searched, filtered and sorted.

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
    let mut asked = Asked::take(&mut input::pairs(&request)?, &[])?;
    // A form sends what was left blank.
    asked.leave_blank_ones();
    asked.check(|column| catalog.has(column), &[])?;
    if let Some(unknown) = asked.columns.iter().find(|column| !is_column(column, &catalog)) {
        return Err(ApiError::BadRequest(format!(
            "the query cannot be understood: products have no column `{unknown}`"
        )));
    }
    let page = app.engine.products(asked.query.clone(), ROWS).await?;
    answer(&app, StatusCode::OK, &Products::new(&asked, page.into(), &catalog))
}
