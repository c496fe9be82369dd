//! A list as CSV.

use std::borrow::Cow;

use actix_web::{
    HttpResponse,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    web::Bytes,
};
use anyhow::Result;
use futures_util::{Stream, StreamExt, stream};
use tributary_csv_gate::write_record;
use tributary_formats::CSV_UTF8_WITH_HEADER;
use tributary_http_common::spilled_once;

use super::{Cell, Export, Table};

/// Without it, spreadsheets read CSV in the encoding of their country.
const BOM: &[u8] = "\u{feff}".as_bytes();

/// Writes a cell.
type Text = for<'a> fn(Cell<'a>) -> Option<Cow<'a, str>>;

/// Streams a table to one client, for whom others do not wait.
pub(super) fn answer<R: Send + 'static>(
    table: Table<R>,
    export: Export,
    others_wait: impl Future<Output = ()> + 'static,
) -> HttpResponse {
    let name = table.name.clone();
    response(&name, spilled_once(others_wait, body(table, export)))
}

/// The text of a table.
pub(super) fn body<R: Send + 'static>(
    table: Table<R>,
    export: Export,
) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    let text: Text = if export == Export::ExactCsv { |cell| cell.exact() } else { |cell| cell.without_formula() };
    let Table { header, rows, cells, .. } = table;
    let mut begin = if export == Export::ExactCsv { Vec::new() } else { BOM.to_vec() };
    write_record(&mut begin, header.iter().map(|name| text(Cell::from(name))));
    let rows = rows.map(move |batch| {
        let mut out = Vec::new();
        batch?.iter().for_each(|row| write_record(&mut out, cells(row).into_iter().map(text)));
        Ok(Bytes::from(out))
    });
    stream::iter([Ok(begin.into())]).chain(rows)
}

/// The answer with the text of the list `name`.
pub(super) fn response(name: &str, body: impl Stream<Item = Result<Bytes>> + 'static) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, CSV_UTF8_WITH_HEADER))
        .insert_header((CONTENT_DISPOSITION, format!("inline; filename=\"{name}.csv\"")))
        .streaming(body)
}
