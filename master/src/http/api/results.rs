//! Rows of a report as JSON and as a table, streamed in bounded memory. The JSON is written here, not by serde_json: a sum of 30 digits is a
//! number in it, with all its digits.

use actix_web::{HttpResponse, HttpResponseBuilder, http::header::ContentType, web::Bytes};
use anyhow::Result;
use futures_util::{StreamExt, stream};
use tributary_config::ReportConfig;
use tributary_engine::{Batches, GroupRow, ReportValue};

use super::{
    export::{Cell, Table},
    numbers::exact,
};
use crate::http::server::error::ApiError;

/// Streams `{"items":[…]}`, one object per row, with the columns as members in their order.
pub(crate) fn json(report: &ReportConfig, rows: Batches<GroupRow>) -> Result<HttpResponse, ApiError> {
    let name = |column: &String| Ok(serde_json::to_string(column)? + ":");
    let names: Result<Vec<String>> = report.group_by.iter().chain(&report.metrics).map(name).collect();
    let names = names?;
    let mut is_first = true;
    let each = move |out: &mut Vec<u8>, row: &GroupRow| {
        let keys = row.group.iter().map(serde_json::to_string);
        let cells = keys.chain(row.values.iter().map(json_value));
        let mut between = if std::mem::take(&mut is_first) { "{" } else { ",\n{" };
        for (name, cell) in names.iter().zip(cells) {
            out.extend_from_slice(between.as_bytes());
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(cell?.as_bytes());
            between = ",";
        }
        out.push(b'}');
        Ok(())
    };
    let mut response = HttpResponse::Ok();
    response.insert_header(ContentType::json());
    Ok(stream(response, rows, (b"{\"items\":[".to_vec(), b"]}"), each))
}

fn json_value(value: &ReportValue) -> serde_json::Result<String> {
    match (exact(value), value) {
        (Some(digits), _) => Ok(digits),
        (None, ReportValue::Text(text)) => serde_json::to_string(text),
        (None, _) => Ok("null".to_owned()),
    }
}

/// The rows as a table of texts and numbers.
pub(crate) fn table(report: &ReportConfig, rows: Batches<GroupRow>) -> Table<GroupRow> {
    // A report's name may contain characters that a header may not.
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
    let header = report.group_by.iter().chain(&report.metrics).cloned().collect();
    Table { name: report.name.chars().map(plain).collect(), header, rows, cells }
}

fn cells(row: &GroupRow) -> Vec<Cell<'_>> {
    let values = row.values.iter().map(|value| match (exact(value), value) {
        (Some(digits), _) => Cell::Number(digits.into()),
        (None, ReportValue::Text(text)) => Cell::from(text),
        (None, _) => Cell::Null,
    });
    row.group.iter().map(Cell::from).chain(values).collect()
}

/// Streams `begin`, each row as `each` writes it, and `end`. A failure cuts the body.
fn stream(
    mut response: HttpResponseBuilder,
    rows: Batches<GroupRow>,
    (begin, end): (Vec<u8>, &'static [u8]),
    mut each: impl FnMut(&mut Vec<u8>, &GroupRow) -> Result<()> + 'static,
) -> HttpResponse {
    let part = |bytes: Vec<u8>| stream::iter([Ok(Bytes::from(bytes))]);
    let body = rows.map(move |batch| {
        let mut out = Vec::new();
        batch?.iter().try_for_each(|row| each(&mut out, row))?;
        anyhow::Ok(Bytes::from(out))
    });
    response.streaming(part(begin).chain(body).chain(part(end.to_vec())))
}
