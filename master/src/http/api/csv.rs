//! Lists as CSV, streamed from one snapshot in bounded memory. A list is every match; `limit` and `after` are for pages of JSON.

use std::borrow::Cow;

use actix_web::{
    HttpResponse,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
};
use futures_util::StreamExt;
use tributary_csv_gate::{write_record, write_texts};
use tributary_engine::{AggrOrder, AggrRow, Batches, Engine, ProductFilter, ProductView};
use tributary_formats::CSV_UTF8_WITH_HEADER;

use crate::http::server::error::ApiError;

/// Format of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cells {
    /// As they are, for programs.
    Exact,
    /// Escaped so that a spreadsheet runs none as a formula, for people.
    Escaped,
}

impl Cells {
    pub(crate) fn write<'a>(self, text: &'a str) -> Cow<'a, str> {
        // Spreadsheets treat these as the start of a formula; some accept the full-width signs, too.
        match text.chars().next() {
            Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') if self == Self::Escaped => {
                format!("'{text}").into()
            }
            _ => text.into(),
        }
    }
}

/// Streams all products that pass a filter, by sku.
pub(crate) async fn products(engine: &Engine, filter: ProductFilter, cells: Cells) -> Result<HttpResponse, ApiError> {
    const HEADER: &[&str] = &["sku", "name", "description", "source", "file", "edited"];
    let row = move |out: &mut Vec<u8>, row: &ProductView| {
        let texts = [&row.sku, &row.name, &row.description].map(String::as_str);
        let origin = [&row.source, &row.file].map(Option::as_deref);
        let edited = if row.edited { "true" } else { "false" };
        let fields = texts.map(Some).into_iter().chain(origin).chain([Some(edited)]);
        write_record(out, fields.map(|field| field.map(|text| cells.write(text))));
    };
    Ok(stream("products.csv", HEADER, engine.export_products(filter).await?, row))
}

/// Streams all names that contain `part`, in order.
pub(crate) async fn aggr(
    engine: &Engine,
    part: Option<String>,
    order: AggrOrder,
    cells: Cells,
) -> Result<HttpResponse, ApiError> {
    let row = move |out: &mut Vec<u8>, row: &AggrRow| {
        write_texts(out, [cells.write(&row.name), row.no_of_products.to_string().into()]);
    };
    Ok(stream("aggr.csv", &["name", "no_of_products"], engine.export_names(part, order).await?, row))
}

/// Streams a header and then batches of rows. A failure cuts the body.
fn stream<T: 'static>(
    name: &str,
    header: &[&str],
    batches: Batches<T>,
    row: impl Fn(&mut Vec<u8>, &T) + 'static,
) -> HttpResponse {
    let mut begin = Vec::new();
    write_texts(&mut begin, header);
    let begin = futures_util::stream::iter([anyhow::Ok(begin.into())]);
    let body = batches.map(move |batch| {
        let mut out = Vec::new();
        batch?.iter().for_each(|item| row(&mut out, item));
        Ok(out.into())
    });
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, CSV_UTF8_WITH_HEADER))
        .insert_header((CONTENT_DISPOSITION, format!("inline; filename=\"{name}\"")))
        .streaming(begin.chain(body))
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
