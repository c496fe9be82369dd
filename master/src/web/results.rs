//! The rows of a report as JSON and as CSV, streamed: a million groups are never in memory for it.

use std::{cmp::Ordering, io::Write};

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, ContentType},
};
use anyhow::Result;
use tributary_csv_gate::write_record;
use tributary_formats::CSV_UTF8_WITH_HEADER;
use tributary_http_common::Sink;
use tributary_store::{GroupRow, ReportOrder, ReportValue};

use super::{
    csv::Cells,
    error::ApiError,
    numbers::{approximate, exact},
};
use crate::{config::ReportConfig, readers::Readers, summary::is_written};

/// Bytes that are handed on at a time.
const BATCH: usize = 64 << 10;

/// In which order rows are wanted, and which of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// A column and whether the greatest come first; none: by key.
    pub(crate) order: Option<(String, bool)>,
    /// The most rows; -1: all.
    pub(crate) limit: i64,
    /// Rows to pass over.
    pub(crate) offset: i64,
}

impl Part {
    /// Every row, by key.
    pub(crate) const ALL: Part = Part { order: None, limit: -1, offset: 0 };

    /// The order as the store knows it.
    pub(crate) fn order(&self) -> ReportOrder<'_> {
        match &self.order {
            None => ReportOrder::Key,
            Some((column, false)) => ReportOrder::Ascending(column),
            Some((column, true)) => ReportOrder::Descending(column),
        }
    }

    /// This part of rows that are not in the database, as the store would give it.
    pub(crate) fn of(&self, report: &ReportConfig, mut rows: Vec<GroupRow>) -> Vec<GroupRow> {
        rows.sort_by(|a, b| a.group.cmp(&b.group));
        if let Some((column, descends)) = &self.order {
            let turn = |ordering: Ordering| if *descends { ordering.reverse() } else { ordering };
            if let Some(place) = report.group_by.iter().position(|key| key == column) {
                rows.sort_by(|a, b| turn(a.group[place].cmp(&b.group[place])));
            } else if let Some(place) = report.metrics.iter().position(|metric| metric == column) {
                let size = |row: &GroupRow| row.values.get(place).and_then(approximate);
                rows.sort_by(|a, b| match (size(a), size(b)) {
                    (Some(a), Some(b)) => turn(a.total_cmp(&b)),
                    (a, b) => b.is_some().cmp(&a.is_some()),
                });
            }
        }
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        rows.into_iter().skip(usize::try_from(self.offset).unwrap_or_default()).take(limit).collect()
    }
}

/// Where the rows come from.
pub(crate) enum Rows {
    /// Out of the report's table; none where it is not written yet.
    Stored(Part),
    /// From elsewhere, in the order that is wanted.
    Given(Vec<GroupRow>),
}

/// The rows as `{"items":[…]}`, an object each, its members named as the columns are and in their order.
pub(crate) async fn json(readers: &Readers, report: &ReportConfig, rows: Rows) -> Result<HttpResponse, ApiError> {
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
    stream((response, readers), report, rows, (b"{\"items\":[".to_vec(), b"]}"), each).await
}

fn json_value(value: &ReportValue) -> serde_json::Result<String> {
    match (exact(value), value) {
        (Some(digits), _) => Ok(digits),
        (None, ReportValue::Text(text)) => serde_json::to_string(text),
        (None, _) => Ok("null".to_owned()),
    }
}

/// The rows as CSV under the names of their columns. A number is never a formula.
pub(crate) async fn csv(
    readers: &Readers,
    report: &ReportConfig,
    rows: Rows,
    cells: Cells,
) -> Result<HttpResponse, ApiError> {
    let mut begin = Vec::new();
    write_record(&mut begin, report.group_by.iter().chain(&report.metrics).map(|name| cells.write(name)));
    let each = move |out: &mut Vec<u8>, row: &GroupRow| {
        let keys = row.group.iter().map(|text| cells.write(text));
        let values = row.values.iter().map(|value| match (exact(value), value) {
            (Some(digits), _) => digits.into(),
            (None, ReportValue::Text(text)) => cells.write(text),
            (None, _) => "".into(),
        });
        write_record(out, keys.chain(values));
        Ok(())
    };
    // A report's name may have letters that a header may not.
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
    let name: String = report.name.chars().map(plain).collect();
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, CSV_UTF8_WITH_HEADER))
        .insert_header((CONTENT_DISPOSITION, format!("inline; filename=\"{name}.csv\"")));
    stream((response, readers), report, rows, (begin, b""), each).await
}

/// An answer with what stands before the rows, each row, and what stands behind them.
async fn stream(
    (mut response, readers): (HttpResponseBuilder, &Readers),
    report: &ReportConfig,
    rows: Rows,
    (begin, end): (Vec<u8>, &'static [u8]),
    mut each: impl FnMut(&mut Vec<u8>, &GroupRow) -> Result<()> + Send + 'static,
) -> Result<HttpResponse, ApiError> {
    let report = report.clone();
    let write = move |store: &mut tributary_store::Store, sink: &mut Sink| {
        let mut out = begin;
        let mut take = |row: GroupRow| -> Result<()> {
            each(&mut out, &row)?;
            if out.len() >= BATCH {
                sink.write_all(&out)?;
                out.clear();
            }
            Ok(())
        };
        match rows {
            Rows::Given(rows) => rows.into_iter().try_for_each(take)?,
            Rows::Stored(part) if is_written(store, &report)? => {
                let table = report.table();
                store.each_report_row(&table, part.order(), (part.limit, part.offset), &mut take)?;
            }
            Rows::Stored(_) => {}
        }
        out.extend_from_slice(end);
        Ok(sink.write_all(&out)?)
    };
    Ok(response.streaming(readers.stream(write).await?))
}
