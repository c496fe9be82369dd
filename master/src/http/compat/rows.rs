//! The rows of a table as a list in JSON.

use anyhow::{Context, Result};
use serde::{Serialize, Serializer, ser::SerializeMap};
use tributary_config::{CompatConfig, CompatData};
use tributary_engine::{Engine, Product, ProductQuery, RowRange};

use crate::http::api::results::Objects;

/// Longest list, in bytes.
const MAX_LIST_BYTES: usize = 16 << 20;

/// The first rows of a table.
pub(crate) struct RowList {
    /// A list of objects.
    pub(crate) json: Vec<u8>,
    /// Whether rows were left out because the list would be too long.
    pub(crate) is_cut: bool,
}

/// Reads the configured rows.
///
/// # Errors
/// The database fails.
pub(crate) async fn read(engine: &Engine, config: &CompatConfig) -> Result<RowList> {
    match &config.data {
        CompatData::Products => {
            let page = engine.products(ProductQuery::default(), config.limit).await?;
            list(page.products, |out, product| Ok(serde_json::to_writer(out, &ProductRow(product))?)).await
        }
        CompatData::Report(name) => {
            let report = engine.reports().iter().find(|report| report.name == *name).cloned();
            // A reload may have dropped it.
            let Some(report) = report else { return list(Vec::<()>::new(), |_, ()| Ok(())).await };
            let range = RowRange { limit: config.limit, ..RowRange::ALL };
            let rows = engine.report_detail(&report, range, None).await?.rows;
            let objects = Objects::new(&report)?;
            list(rows, move |out, row| objects.write(out, row)).await
        }
    }
}

/// Writes rows as a list. Thousands of rows take longer than an async worker may be kept.
async fn list<T: Send + 'static>(
    rows: Vec<T>,
    write: impl Fn(&mut Vec<u8>, &T) -> Result<()> + Send + 'static,
) -> Result<RowList> {
    let written = tokio::task::spawn_blocking(move || written(&rows, MAX_LIST_BYTES, write));
    written.await.context("writing rows as JSON panicked; this is a bug, and the log says where")?
}

fn written<T>(rows: &[T], max: usize, write: impl Fn(&mut Vec<u8>, &T) -> Result<()>) -> Result<RowList> {
    let mut json = b"[".to_vec();
    for row in rows {
        let complete = json.len();
        if complete > 1 {
            json.push(b',');
        }
        write(&mut json, row)?;
        if json.len() >= max {
            json.truncate(complete);
            json.push(b']');
            return Ok(RowList { json, is_cut: true });
        }
    }
    json.push(b']');
    Ok(RowList { json, is_cut: false })
}

/// A product as its columns alone.
struct ProductRow<'a>(&'a Product);

impl Serialize for ProductRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Product { sku, name, description, own, .. } = self.0;
        let mut members = serializer.serialize_map(None)?;
        for (column, text) in [("sku", sku), ("name", name), ("description", description)].into_iter().chain(own.iter())
        {
            members.serialize_entry(column, text)?;
        }
        members.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_would_be_too_long_ends_after_a_row() {
        let check = |rows: &[&str], expect: &str, is_cut: bool| {
            let list = written(rows, 12, |out, row| {
                out.extend_from_slice(row.as_bytes());
                Ok(())
            });
            let list = list.unwrap();
            assert_eq!((std::str::from_utf8(&list.json).unwrap(), list.is_cut), (expect, is_cut), "{rows:?}");
        };
        check(&[], "[]", false);
        check(&["{}", "{}"], "[{},{}]", false);
        check(&["{\"a\":1}", "{}"], "[{\"a\":1},{}]", false);
        check(&["{\"a\":1}", "{\"b\":2}", "{}"], "[{\"a\":1}]", true);
        check(&["{\"a\":123456789}"], "[]", true);
    }
}
