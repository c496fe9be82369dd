//! `GET /api/v1/reports` and `GET /api/v1/reports/{name}`: the reports, and the rows of one.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use tributary_config::ReportConfig;
use tributary_engine::{ReportScope, RowOrder, RowRange};
use utoipa::IntoParams;

use crate::http::{
    api::{
        export::{Export, ListQuery, joined},
        exports, results,
        views::{Items, Report},
    },
    server::{App, error::ApiError, input},
};

/// Selection, order and format of the rows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RowsQuery {
    /// Only files of this source.
    source: Option<String>,
    /// Only files with this path.
    file: Option<String>,
    /// `json`, `xlsx` or `csv`; the last two are for people: in `csv` cells that a spreadsheet would run as formulas are escaped.
    format: Option<String>,
    /// `1`: with `format=csv`, cells as they are.
    raw: Option<String>,
    /// Only rows with a group that contains this text; upper and lower case differ.
    q: Option<String>,
    /// A column; with `-` before it the greatest come first. Nulls come last. By key by default.
    order: Option<String>,
    /// Maximum rows; all by default.
    #[param(minimum = 1)]
    limit: Option<i64>,
    /// Rows to skip.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
}

/// The reports.
///
/// As they are configured, with what their tables hold.
#[utoipa::path(get, path = "/api/v1/reports", operation_id = "list_reports", tag = "reports",
    params(ListQuery), responses(
    (status = 200, content((Items<Report> = "application/json"), (String = "text/csv"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")), description = "Every configured report"),
    (status = 400, description = "The query cannot be understood"),
    (status = 422, description = "No Excel file holds the rows"),
))]
pub(crate) async fn list(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let reports = app.engine.report_summaries().await?;
    let mut items = Vec::with_capacity(reports.len());
    for (report, summary) in &reports {
        let result_url = exports::result_url(&app, &report.name).await;
        items.push(Report::new(report, summary, result_url));
    }
    ListQuery::answer(&request, "reports", items).await
}

/// The rows of a report.
///
/// One object per group, its members named as in `group_by` and `metrics`. Integers have all their digits. With
/// `Accept: text/csv` the same as CSV, exactly as stored. If all rows are written to S3, `result_url` is a link to them.
#[utoipa::path(get, path = "/api/v1/reports/{name}", operation_id = "get_report", tag = "reports",
    params(("name" = String, Path, description = "The report's name"), RowsQuery), responses(
    (status = 200, content((Object = "application/json"), (String = "text/csv"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")), description = "Its rows, as `items`"),
    (status = 400, description = "The query cannot be understood"),
    (status = 404, description = "No such report"),
    (status = 422, description = "No such format or column"),
))]
pub(crate) async fn get(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let report = named(&request, &app)?;
    let query: RowsQuery = input::query(&request)?;
    let export = export(&request, query.format.as_deref(), query.raw.as_deref())?;
    let range = RowRange {
        order: query.order.as_deref().map(|order| self::order(&report, order)).transpose()?,
        part: input::unless_blank(query.q),
        limit: at_least("limit", query.limit, 1, RowRange::ALL.limit)?,
        offset: at_least("offset", query.offset, 0, RowRange::ALL.offset)?,
    };
    let [source, file] = [query.source, query.file].map(input::unless_blank);
    let scope = ReportScope { source, file };
    let Some(export) = export else {
        let result_url = exports::result_url(&app, &report.name).await;
        return results::json(&report, result_url, app.engine.report_rows(&report, range, scope).await?);
    };
    let app = app.clone();
    let read = async move { Ok(results::table(&report, app.engine.report_rows(&report, range, scope).await?)) };
    joined(&request, export, read).await
}

/// Returns the name of the report in a request's path.
pub(crate) fn named(request: &HttpRequest, app: &App) -> Result<ReportConfig, ApiError> {
    let name = input::path_name(request)?;
    let found = app.engine.reports().iter().find(|report| report.name == name).cloned();
    found.ok_or_else(|| ApiError::NotFound(format!("there is no report `{name}`; `/api/v1/reports` lists all")))
}

/// Parses an order: the column, and whether the greatest come first.
pub(crate) fn order(report: &ReportConfig, order: &str) -> Result<RowOrder, ApiError> {
    let is_column = |name: &&str| report.group_by.iter().chain(&report.metrics).any(|column| column == name);
    let ascending =
        Some(order).filter(is_column).map(|column| RowOrder { column: column.to_owned(), descending: false });
    let descending = order
        .strip_prefix('-')
        .filter(is_column)
        .map(|column| RowOrder { column: column.to_owned(), descending: true });
    ascending.or(descending).ok_or_else(|| {
        let columns: Vec<_> = report.group_by.iter().chain(&report.metrics).map(|name| format!("`{name}`")).collect();
        let columns = columns.join(", ");
        ApiError::Invalid(format!("`order` must be one of {columns}, or that with `-` before it, not `{order}`"))
    })
}

/// Returns the file that the client asks for; `None` if it asks for JSON.
fn export(request: &HttpRequest, format: Option<&str>, raw: Option<&str>) -> Result<Option<Export>, ApiError> {
    let is_raw = match raw {
        None | Some("" | "0") => false,
        Some("1") => true,
        Some(other) => return Err(ApiError::Invalid(format!("`raw` must be `0` or `1`, not `{other}`"))),
    };
    match format {
        None | Some("") => Ok(input::wants_csv(request).then_some(Export::ExactCsv)),
        Some("json") => Ok(None),
        Some("xlsx") => Ok(Some(Export::Xlsx)),
        Some("csv") => Ok(Some(if is_raw { Export::ExactCsv } else { Export::SpreadsheetCsv })),
        Some(other) => Err(ApiError::Invalid(format!("`format` must be `json`, `csv` or `xlsx`, not `{other}`"))),
    }
}

fn at_least(what: &str, asked: Option<i64>, least: i64, otherwise: i64) -> Result<i64, ApiError> {
    match asked {
        None => Ok(otherwise),
        Some(number) if number >= least => Ok(number),
        Some(number) => Err(ApiError::BadRequest(format!("`{what}` must be {least} or more, not {number}"))),
    }
}

#[cfg(test)]
mod tests;
