//! `GET /products`, `/names` and `/rejects`: the lists as pages, for people who look for something.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use serde::Deserialize;
use tributary_store::{AggrOrder, ProductFilter};

use super::products;
use crate::{
    app::App,
    web::{
        error::ApiError,
        input,
        pages::{Names, Products, Rejects, answer},
        views::{Aggr, Reject},
    },
};

/// Rows of a page.
const ROWS: i64 = 50;

#[derive(Debug, Deserialize)]
struct ListQuery {
    q: Option<String>,
    name: Option<String>,
    source: Option<String>,
    file: Option<String>,
    report: Option<String>,
    after: Option<String>,
    #[serde(default)]
    offset: i64,
}

/// The products, by sku.
pub(crate) async fn products(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let ListQuery { q, name, source, after, .. } = input::query(&request)?;
    let filter = ProductFilter { sku: None, name, part: input::unless_blank(q), source: input::unless_blank(source) };
    let page = products::page(&app, filter.clone(), after, ROWS).await?;
    answer(&app, StatusCode::OK, &Products::new(filter, page))
}

/// The names, those with the most products first.
pub(crate) async fn names(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let ListQuery { q, offset, .. } = input::query(&request)?;
    let (part, offset) = (input::unless_blank(q), offset.max(0));
    let asked = part.clone();
    let read = app.readers.run(move |store| {
        let rows = store.aggr_list(asked.as_deref(), AggrOrder::MostProducts, ROWS, offset)?;
        Ok((rows, store.aggr_matches(asked.as_deref())?))
    });
    let (rows, total) = read.await?;
    answer(&app, StatusCode::OK, &Names::new(part, rows.into_iter().map(Aggr::from).collect(), offset, total))
}

/// The rejects, the newest first.
pub(crate) async fn rejects(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    const MOST: i64 = 200;
    let ListQuery { source, file, report, .. } = input::query(&request)?;
    let [source, file, report] = [source, file, report].map(input::unless_blank);
    let asked = (source.clone(), file.clone(), report.clone());
    let read = app.readers.run(move |store| {
        let (source, file, report) = asked;
        let rows = store.newest_rejects(report.as_deref(), source.as_deref(), file.as_deref(), MOST)?;
        Ok((rows, store.rejects_count()?))
    });
    let (rows, total) = read.await?;
    let items = rows.into_iter().map(Reject::from).collect();
    answer(&app, StatusCode::OK, &Rejects::new(file.or(source).or(report), items, total))
}
