//! Lists as CSV, streamed out of one snapshot: as long as the table is, in memory that does not grow with it.

use std::io::Write;

use actix_web::{
    HttpResponse,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
};
use anyhow::Result;
use tributary_csv_gate::write_record;
use tributary_formats::CSV_UTF8_WITH_HEADER;
use tributary_store::{AggrOrder, ProductFilter, Store};

use crate::readers::Readers;

use super::error::ApiError;

/// Rows that are read at a time.
const ROWS: i64 = 5_000;

/// How cells are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cells {
    /// As they are, for programs.
    Exact,
    /// So that a spreadsheet runs none of them as a formula, for people.
    Escaped,
}

impl Cells {
    pub(crate) fn write<'a>(self, text: &'a str) -> std::borrow::Cow<'a, str> {
        // What begins so is a formula to a spreadsheet; some take the wide signs for the narrow ones.
        match text.chars().next() {
            Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') if self == Self::Escaped => {
                format!("'{text}").into()
            }
            _ => text.into(),
        }
    }
}

/// Every product that a filter lets through, by sku.
pub(crate) async fn products(readers: &Readers, filter: ProductFilter, cells: Cells) -> Result<HttpResponse, ApiError> {
    const HEADER: &[&str] = &["sku", "name", "description", "source", "file", "edited"];
    let mut after: Option<String> = None;
    let batch = move |store: &mut Store, out: &mut Vec<u8>| {
        let rows = store.products_page(&filter, after.as_deref(), ROWS)?;
        for row in &rows {
            let texts = [&row.sku, &row.name, &row.description].map(String::as_str);
            let origin = [&row.source, &row.file].map(|text| text.as_deref().unwrap_or_default());
            let edited = if row.edited { "true" } else { "false" };
            let cell = |text| cells.write(text);
            write_record(out, texts.into_iter().chain(origin).chain([edited]).map(cell));
        }
        after = rows.last().map(|row| row.sku.clone());
        Ok(rows.len())
    };
    stream(readers, "products.csv", HEADER, batch).await
}

/// Every name that holds `part`, in order.
pub(crate) async fn aggr(
    readers: &Readers,
    part: Option<String>,
    order: AggrOrder,
    cells: Cells,
) -> Result<HttpResponse, ApiError> {
    let mut offset = 0;
    let batch = move |store: &mut Store, out: &mut Vec<u8>| {
        // One statement walks the whole list where the order is that of an index; else it is sorted again for each batch,
        // so the batches are large.
        let rows = store.aggr_list(part.as_deref(), order, 20 * ROWS, offset)?;
        offset += rows.len() as i64;
        for row in &rows {
            write_record(out, [cells.write(&row.name), row.no_of_products.to_string().into()]);
        }
        Ok(rows.len())
    };
    stream(readers, "aggr.csv", &["name", "no_of_products"], batch).await
}

/// Streams a header and then batches, until one is empty.
async fn stream(
    readers: &Readers,
    name: &str,
    header: &'static [&'static str],
    mut batch: impl FnMut(&mut Store, &mut Vec<u8>) -> Result<usize> + Send + 'static,
) -> Result<HttpResponse, ApiError> {
    let write = move |store: &mut Store, sink: &mut tributary_http_common::Sink| {
        let mut out = Vec::new();
        write_record(&mut out, header);
        loop {
            let rows = batch(store, &mut out)?;
            sink.write_all(&out)?;
            out.clear();
            if rows == 0 {
                return Ok(());
            }
        }
    };
    let body = readers.stream(write).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, CSV_UTF8_WITH_HEADER))
        .insert_header((CONTENT_DISPOSITION, format!("inline; filename=\"{name}\"")))
        .streaming(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_for_people() {
        for (text, escaped) in
            [("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@a", "'@a"), ("\t=1", "'\t=1"), ("＝1", "'＝1")]
        {
            assert_eq!(Cells::Escaped.write(text), escaped);
            assert_eq!(Cells::Exact.write(text), text);
        }
        for plain in ["", "a=1", "1-1", " =1", "'=1"] {
            assert_eq!(Cells::Escaped.write(plain), plain);
        }
    }
}
