//! `GET /products`, `/names` and `/rejects`: the lists as pages.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use serde::Deserialize;
use tributary_engine::AggrOrder;

use crate::http::{
    api::{
        product_query::Asked,
        views::{Aggr, Reject},
    },
    pages::{
        product_list::{Products, is_column},
        templates::{Names, Rejects, answer},
    },
    server::{App, error::ApiError, input},
};

/// Rows per page.
const ROWS: i64 = 50;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NamesQuery {
    q: Option<String>,
    #[serde(default)]
    offset: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RejectsQuery {
    source: Option<String>,
    file: Option<String>,
    report: Option<String>,
}

/// The products.
pub(crate) async fn products(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
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

/// The names, those with the most products first.
pub(crate) async fn names(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let NamesQuery { q, offset } = input::query(&request)?;
    let (part, offset) = (input::unless_blank(q), offset.max(0));
    let (rows, total) = app.engine.names(part.clone(), AggrOrder::MostProducts, ROWS, offset).await?;
    answer(
        &app,
        StatusCode::OK,
        &Names::new(part, rows.into_iter().map(Aggr::from).collect(), offset, total, &app.engine.catalog()),
    )
}

/// The rejects, the newest first.
pub(crate) async fn rejects(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    const MOST: i64 = 200;
    let RejectsQuery { source, file, report } = input::query(&request)?;
    let [source, file, report] = [source, file, report].map(input::unless_blank);
    let (rows, total) = app.engine.rejects(report.clone(), source.clone(), file.clone(), MOST).await?;
    let items = rows.into_iter().map(Reject::from).collect();
    let query = [("source", &source), ("file", &file), ("report", &report)];
    let of = file.as_ref().or(source.as_ref()).or(report.as_ref()).cloned();
    answer(&app, StatusCode::OK, &Rejects::new(of, items, total, &query))
}
