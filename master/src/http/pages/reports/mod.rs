//! `GET /reports` and `GET /reports/{name}`: the reports as pages.

mod templates;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use serde::Deserialize;
use tributary_config::ReportConfig;
use tributary_engine::RowRange;

use self::templates::{ReportPage, ReportsPage};
use crate::http::{
    api::reports,
    pages::frame::answer,
    server::{App, error::ApiError, input},
};

/// Maximum rows of the table.
const ROWS: i64 = 200;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PageQuery {
    order: Option<String>,
    metric: Option<String>,
}

/// All reports.
pub(crate) async fn list(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    answer(&app, StatusCode::OK, &ReportsPage::new(&app.engine.report_summaries().await?))
}

/// One report: a chart of its largest groups, and its rows in the order of `?order=`.
pub(crate) async fn show(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let report = reports::named(&request, &app)?;
    let PageQuery { order, metric } = input::query(&request)?;
    let order = input::unless_blank(order).map(|order| reports::order(&report, &order)).transpose()?;
    let range = RowRange { order, part: None, limit: ROWS, offset: 0 };
    let metric = metric_of(&report, input::unless_blank(metric))?;
    let detail = app.engine.report_detail(&report, range.clone(), metric.clone()).await?;
    answer(&app, StatusCode::OK, &ReportPage::new(&report, &range, metric.as_deref(), &detail))
}

/// Returns the metric of the chart.
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
