//! Rows of a report as JSON and as a table, streamed in bounded memory. The JSON is written here, not by serde_json: a sum of 30 digits is a
//! number in it, with all its digits.

use actix_web::HttpResponse;
use anyhow::Result;
use tributary_config::ReportConfig;
use tributary_engine::{Batches, GroupRow, ReportValue};

use super::{
    export::{Cell, Table},
    json,
};
use crate::http::server::error::ApiError;

/// Streams `{"items":[…]}`, one object per row, and the link to all rows in S3 if there is one.
pub(crate) fn json(
    report: &ReportConfig,
    result_url: Option<String>,
    rows: Batches<GroupRow>,
) -> Result<HttpResponse, ApiError> {
    let objects = Objects::new(report)?;
    let link = result_url.map(|url| format!(",\"result_url\":{}", serde_json::Value::from(url)));
    let end = link.unwrap_or_default() + "}";
    Ok(json::streamed(rows, end.into_bytes(), move |out, row| objects.write(out, &row)))
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
