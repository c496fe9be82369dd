//! `GET /reports` and `GET /reports/{name}`: the reports as pages.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use serde::Deserialize;
use tributary_store::{ReportOrder, Store};

use super::reports;
use crate::{
    app::App,
    config::ReportConfig,
    summary::{is_written, summary},
    web::{
        error::ApiError,
        input,
        pages::answer,
        report_pages::{Report, Reports, Shown},
        results::Part,
    },
};

/// Rows of the table on a page.
const ROWS: i64 = 200;
/// Groups that are drawn.
const BARS: i64 = 20;

#[derive(Debug, Deserialize)]
struct PageQuery {
    order: Option<String>,
    metric: Option<String>,
}

/// All reports.
pub(crate) async fn list(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let asked = app.reports.clone();
    let read = app.readers.run(move |store| asked.iter().map(|report| summary(store, report)).collect());
    let summaries: Vec<_> = read.await?;
    answer(&app, StatusCode::OK, &Reports::new(&app.reports, &summaries))
}

/// One report: the largest groups as a picture, and its rows in the order of `?order=`.
pub(crate) async fn show(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let report = reports::named(&request, &app)?;
    let PageQuery { order, metric } = input::query(&request)?;
    let order = input::unless_blank(order).map(|order| reports::order(report, &order)).transpose()?;
    let part = Part { order, limit: ROWS, offset: 0 };
    let metric = metric_of(report, input::unless_blank(metric))?;
    let (asked, asked_part, asked_metric) = (report.clone(), part.clone(), metric.clone());
    let read = app.readers.run(move |store| shown(store, &asked, &asked_part, asked_metric.as_deref()));
    let page = Report::new(report, &part, metric.as_deref(), &read.await?);
    answer(&app, StatusCode::OK, &page)
}

/// The metric that is drawn.
fn metric_of(report: &ReportConfig, asked: Option<String>) -> Result<Option<String>, ApiError> {
    match asked {
        None => Ok(report.main_metric().map(str::to_owned)),
        Some(asked) if report.metrics.contains(&asked) => Ok(Some(asked)),
        Some(asked) => {
            let metrics = report.metrics.join("`, `");
            Err(ApiError::Invalid(format!("`metric` must be one of `{metrics}`, not `{asked}`")))
        }
    }
}

fn shown(store: &mut Store, report: &ReportConfig, part: &Part, metric: Option<&str>) -> anyhow::Result<Shown> {
    let sources = store.sources()?.into_iter().map(|source| (source.id, source.name)).collect();
    let summary = summary(store, report)?;
    let (mut rows, mut largest) = (Vec::new(), Vec::new());
    if is_written(store, report)? {
        let table = report.table();
        rows = store.report_rows(&table, part.order(), (part.limit, part.offset))?;
        if let Some(metric) = metric.filter(|_| !report.group_by.is_empty()) {
            largest = store.report_rows(&table, ReportOrder::Descending(metric), (BARS, 0))?;
        }
    }
    Ok(Shown { summary, rows, largest, sources })
}
