//! `GET /reports` and `GET /reports/{name}`: the reports as pages.
//!
//! It belongs here if people see it of a report. Drawing is in `plot`, the rows for programs in `api`.

mod bars;
pub(crate) mod exports;
mod facts;
mod files;
mod lines;
mod list;
mod page;
mod period;
mod table;
mod view;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};

use self::{exports::ExportLine, list::ReportsPage, page::ReportPage, view::View};
use crate::http::{
    api::{self, reports},
    pages::frame::answer,
    server::{App, error::ApiError, input},
};

/// All reports.
pub(crate) async fn list(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    answer(&app, StatusCode::OK, &ReportsPage::new(&app.engine.report_summaries().await?))
}

/// One report: its chart, and a part of its rows.
pub(crate) async fn show(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let report = reports::named(&request, &app)?;
    let view = View::new(&report, input::query(&request)?)?;
    let detail = app.engine.report_detail(&report, view.range(), view.metric.clone()).await?;
    let exports = api::exports::of(&app, &format!("reports/{}", report.name)).await;
    let exports = exports.into_iter().map(ExportLine::from).collect();
    answer(&app, StatusCode::OK, &ReportPage::new(&report, &view, &detail, exports))
}
