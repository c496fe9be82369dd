//! A list as CSV.

use std::borrow::Cow;

use actix_web::{
    HttpResponse,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    web::Bytes,
};
use futures_util::{StreamExt, stream};
use tributary_csv_gate::write_record;
use tributary_formats::CSV_UTF8_WITH_HEADER;

use super::{Cell, Export, Table};

pub(super) fn answer<R: 'static>(table: Table<R>, export: Export) -> HttpResponse {
    let Table { name, header, rows, cells } = table;
    let mut begin = Vec::new();
    write_record(&mut begin, header.iter().map(|name| text(export, name.into())));
    let body = rows.map(move |batch| {
        let mut out = Vec::new();
        batch?.iter().for_each(|row| write_record(&mut out, cells(row).into_iter().map(|cell| text(export, cell))));
        anyhow::Ok(Bytes::from(out))
    });
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, CSV_UTF8_WITH_HEADER))
        .insert_header((CONTENT_DISPOSITION, format!("inline; filename=\"{name}.csv\"")))
        .streaming(stream::iter([Ok(begin.into())]).chain(body))
}

fn text(export: Export, cell: Cell<'_>) -> Option<Cow<'_, str>> {
    match export {
        Export::ExactCsv => cell.exact(),
        Export::SpreadsheetCsv => cell.without_formula(),
    }
}
