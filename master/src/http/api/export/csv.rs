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
use tributary_http_common::spilled;

use super::{Cell, Table};

/// Streams `begin` and the table, each cell as `text` writes it.
pub(super) fn answer<R: 'static>(
    table: Table<R>,
    text: impl for<'a> Fn(Cell<'a>) -> Option<Cow<'a, str>> + Copy + 'static,
    begin: &[u8],
) -> HttpResponse {
    let Table { name, header, rows, cells } = table;
    let mut begin = begin.to_vec();
    write_record(&mut begin, header.iter().map(|name| text(Cell::from(name))));
    let body = rows.map(move |batch| {
        let mut out = Vec::new();
        batch?.iter().for_each(|row| write_record(&mut out, cells(row).into_iter().map(text)));
        anyhow::Ok(Bytes::from(out))
    });
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, CSV_UTF8_WITH_HEADER))
        .insert_header((CONTENT_DISPOSITION, format!("inline; filename=\"{name}.csv\"")))
        .streaming(spilled(stream::iter([Ok(begin.into())]).chain(body)))
}
