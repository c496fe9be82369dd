//! The rows of a table as a list in JSON.

use std::sync::Arc;

use anyhow::{Context, Result};
use futures_util::StreamExt;
use serde::{Serialize, Serializer, ser::SerializeMap};
use tributary_config::{CompatConfig, CompatData};
use tributary_engine::{Batches, Engine, Product, ProductQuery, ReportScope, RowRange};

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
            let (_, rows) = engine.export_products(ProductQuery::default(), config.limit).await?;
            list(rows, |out, product| Ok(serde_json::to_writer(out, &ProductRow(product))?)).await
        }
        CompatData::Report(name) => {
            let report = engine.reports().iter().find(|report| report.name == *name).cloned();
            // A reload may have dropped it.
            let Some(report) = report else { return Ok(Writing::new(MAX_LIST_BYTES).finish()) };
            let range = RowRange { limit: config.limit, ..RowRange::ALL };
            let rows = engine.report_rows(&report, range, ReportScope::default()).await?;
            let objects = Objects::new(&report)?;
            list(rows, move |out, row| objects.write(out, row)).await
        }
    }
}

/// Writes rows as a list, batch by batch. Thousands of rows take longer than an async worker may be kept.
async fn list<T: Send + 'static>(
    mut rows: Batches<T>,
    write: impl Fn(&mut Vec<u8>, &T) -> Result<()> + Send + Sync + 'static,
) -> Result<RowList> {
    let (mut list, write) = (Writing::new(MAX_LIST_BYTES), Arc::new(write));
    while let Some(batch) = rows.next().await {
        let (batch, write) = (batch?, Arc::clone(&write));
        let writing = tokio::task::spawn_blocking(move || list.add(&batch, &*write));
        list = writing.await.context("writing rows as JSON panicked; this is a bug, and the log says where")??;
        if list.is_cut {
            break;
        }
    }
    Ok(list.finish())
}

/// A list that is being written.
struct Writing {
    json: Vec<u8>,
    max: usize,
    is_cut: bool,
}

impl Writing {
    fn new(max: usize) -> Self {
        Self { json: b"[".to_vec(), max, is_cut: false }
    }

    fn add<T>(mut self, rows: &[T], write: impl Fn(&mut Vec<u8>, &T) -> Result<()>) -> Result<Self> {
        for row in rows {
            let complete = self.json.len();
            if complete > 1 {
                self.json.push(b',');
            }
            write(&mut self.json, row)?;
            if self.json.len() >= self.max {
                self.json.truncate(complete);
                self.is_cut = true;
                break;
            }
        }
        Ok(self)
    }

    fn finish(mut self) -> RowList {
        self.json.push(b']');
        RowList { json: self.json, is_cut: self.is_cut }
    }
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
            let add = |list: Writing, row: &&str| {
                let write = |out: &mut Vec<u8>, row: &&str| {
                    out.extend_from_slice(row.as_bytes());
                    Ok(())
                };
                if list.is_cut { list } else { list.add(&[*row], write).unwrap() }
            };
            let list = rows.iter().fold(Writing::new(12), add).finish();
            assert_eq!((std::str::from_utf8(&list.json).unwrap(), list.is_cut), (expect, is_cut), "{rows:?}");
        };
        check(&[], "[]", false);
        check(&["{}", "{}"], "[{},{}]", false);
        check(&["{\"a\":1}", "{}"], "[{\"a\":1},{}]", false);
        check(&["{\"a\":1}", "{\"b\":2}", "{}"], "[{\"a\":1}]", true);
        check(&["{\"a\":123456789}"], "[]", true);
    }
}
