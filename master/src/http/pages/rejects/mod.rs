//! `GET /rejects`: the rows that were set aside, first how many of which file and why, then the rows.

mod template;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use serde::Deserialize;

use self::template::{Filter, Rejects};
use crate::http::{
    api::rejects::{filter, place},
    pages::frame::answer,
    server::{App, error::ApiError, input},
};

/// Files per page.
const FILES: i64 = 25;
/// Rows per page.
const ROWS: i64 = 100;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RejectsQuery {
    source: Option<String>,
    file: Option<String>,
    report: Option<String>,
    reason: Option<String>,
    /// The place in the files.
    #[serde(default)]
    offset: i64,
    /// The place in the rows.
    after: Option<String>,
}

/// Shows files with rejects, and the rejects, the newest first.
pub(crate) async fn show(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let RejectsQuery { source, file, report, reason, offset, after } = input::query(&request)?;
    let [source, file, report, reason] = [source, file, report, reason].map(input::unless_blank);
    let after = place(after)?;
    let asked = Filter { source, file, report, reason, offset: offset.max(0), after };
    let wanted = filter(asked.source.clone(), asked.file.clone(), asked.report.clone(), asked.reason.clone());
    let (files, page) = app.engine.rejected_files(wanted, (asked.offset, FILES + 1), (after, ROWS)).await?;
    let sources = app.engine.source_names();
    let reports = app.engine.reports().iter().map(|report| report.name.clone()).collect();
    answer(&app, StatusCode::OK, &Rejects::new(asked, files, page, (sources, reports)))
}
