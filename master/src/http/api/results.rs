//! Rows of a report as JSON and as a table, streamed in bounded memory. The JSON is written here, not by serde_json: a sum of 30 digits is a
//! number in it, with all its digits.

use actix_web::{HttpResponse, HttpResponseBuilder, http::header::ContentType, web::Bytes};
use anyhow::Result;
use futures_util::{StreamExt, stream};
use tributary_config::ReportConfig;
use tributary_engine::{Batches, GroupRow, ReportValue};
use tributary_http_common::spilled;

use super::export::{Cell, Table};
use crate::http::server::error::ApiError;

/// Streams `{"items":[…]}`, one object per row.
pub(crate) fn json(report: &ReportConfig, rows: Batches<GroupRow>) -> Result<HttpResponse, ApiError> {
    let objects = Objects::new(report)?;
    let mut is_first = true;
    let each = move |out: &mut Vec<u8>, row: &GroupRow| {
        if !std::mem::take(&mut is_first) {
            out.extend_from_slice(b",\n");
        }
        objects.write(out, row)
    };
    let mut response = HttpResponse::Ok();
    response.insert_header(ContentType::json());
    Ok(stream(response, rows, (b"{\"items\":[".to_vec(), b"]}"), each))
}

/// Writes rows of a report as objects, with the columns as members in their order.
pub(crate) struct Objects {
    /// Each with the colon behind it.
    names: Vec<String>,
}

impl Objects {
    pub(crate) fn new(report: &ReportConfig) -> Result<Self> {
        let name = |column: &String| Ok(serde_json::to_string(column)? + ":");
        let names = report.group_by.iter().chain(&report.metrics).map(name).collect::<Result<_>>()?;
        Ok(Self { names })
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>, row: &GroupRow) -> Result<()> {
        let keys = row.group.iter().map(serde_json::to_string);
        let cells = keys.chain(row.values.iter().map(json_value));
        let mut between = b'{';
        for (name, cell) in self.names.iter().zip(cells) {
            out.push(between);
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(cell?.as_bytes());
            between = b',';
        }
        out.push(b'}');
        Ok(())
    }
}

fn json_value(value: &ReportValue) -> serde_json::Result<String> {
    match (value.digits(), value) {
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
    let values = row.values.iter().map(|value| match (value.digits(), value) {
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
    response.streaming(spilled(part(begin).chain(body).chain(part(end.to_vec()))))
}
