//! Files of sources and their rejects.

use anyhow::Result;
use tributary_config::{PRODUCTS, report_reader};
use tributary_store::{
    FileFilter, FileView, HistorySpan, RejectFilter, RejectPage, RejectView, RejectedFileView, SourceView, Store,
};

use super::{Engine, SourceHealth};
use crate::{
    clock,
    database::{Batch, Batches},
    history::{HistoryPoint, series},
};

/// Rejects in a batch of an export.
const REJECTS_PER_BATCH: i64 = 4_000;
/// Rejects of a file whose reasons are counted.
const MAX_REASONS_COUNTED: i64 = 200;

/// A source with a part of its files, as of one moment.
#[derive(Debug)]
pub struct SourceDetail {
    /// The source.
    pub source: SourceHealth,
    /// Some files of each of its readers, by path, then reader.
    pub files: Vec<FileView>,
    /// Its history over a span, the oldest point first.
    pub points: Vec<HistoryPoint>,
}

/// A file with rejects, and the reasons of the first of them.
#[derive(Debug)]
pub struct RejectedFile {
    /// The file.
    pub file: RejectedFileView,
    /// The reasons of at most the first 200 rejects that are kept.
    pub reasons: Vec<String>,
}

impl Engine {
    /// At most `limit` files of one reader, of one source if it is named, by source and path.
    ///
    /// # Errors
    /// The database fails.
    pub async fn files(&self, reader: String, source: Option<String>, limit: i64) -> Result<Vec<FileView>> {
        let filter = FileFilter { source, ..FileFilter::of_reader(&reader) };
        self.read(move |store| Ok(store.files_view(&filter, 0, limit)?)).await
    }

    /// The same files, in batches from one snapshot.
    ///
    /// # Errors
    /// As [`Engine::export_products`].
    pub async fn export_files(&self, reader: String, source: Option<String>, limit: i64) -> Result<Batches<FileView>> {
        let filter = FileFilter { source, ..FileFilter::of_reader(&reader) };
        let produce = move |store: &mut Store, send: &mut dyn FnMut(Vec<FileView>) -> Result<()>| {
            let mut batch = Batch::new(send);
            store.each_file_view(&filter, (0, limit), |file| {
                let texts = [&file.reason, &file.notes].into_iter().flatten().chain([&file.path]);
                let bytes = texts.map(String::len).sum();
                batch.push(file, bytes)
            })?;
            batch.finish()
        };
        self.0.readers.stream(produce).await
    }

    /// A source with at most `limit` of its files, behind the first `offset`; with `only_rejected` those whose latest content is
    /// rejected, and its history over a span. `None` if there is no such source.
    ///
    /// # Errors
    /// The database fails.
    pub async fn source(
        &self,
        name: String,
        only_rejected: bool,
        (offset, limit): (i64, i64),
        span: HistorySpan,
    ) -> Result<Option<SourceDetail>> {
        let meter = self.0.meter.clone();
        let reports = self.reports();
        let reports = reports.iter().map(|report| report.reader());
        let readers = std::iter::once(PRODUCTS.to_owned()).chain(reports).collect();
        let filter = FileFilter { readers, source: Some(name.clone()), only_rejected };
        let read = move |store: &mut Store| {
            let Some(source) = find(store.sources_view(PRODUCTS)?, &name) else { return Ok(None) };
            let points = series(store, &meter, &name, span, clock::seconds())?;
            Ok(Some((source, store.files_view(&filter, offset, limit)?, points)))
        };
        let Some((stored, files, points)) = self.read(read).await? else { return Ok(None) };
        let source = self.with_health(vec![stored]).pop();
        Ok(source.map(|source| SourceDetail { source, files, points }))
    }

    /// At most `limit` rejects that pass a filter, the newest first, with `before` only older ones than the reject with this id.
    ///
    /// # Errors
    /// The database fails.
    pub async fn rejects(&self, filter: RejectFilter, before: Option<i64>, limit: i64) -> Result<RejectPage> {
        self.read(move |store| Ok(store.newest_rejects(&filter, before, limit)?)).await
    }

    /// All rejects of one file, in the order of its lines. The filter names source and file.
    ///
    /// # Errors
    /// The database fails.
    pub async fn rejects_of_file(&self, filter: RejectFilter) -> Result<Vec<RejectView>> {
        self.read(move |store| Ok(store.rejects_of_file(&filter)?)).await
    }

    /// At most `limit` files with rejects that pass a filter, behind the first `offset`, and a page of the rejects, as of one moment.
    ///
    /// # Errors
    /// The database fails.
    pub async fn rejected_files(
        &self,
        filter: RejectFilter,
        (offset, limit): (i64, i64),
        (before, rows): (Option<i64>, i64),
    ) -> Result<(Vec<RejectedFile>, RejectPage)> {
        let read = move |store: &mut Store| {
            let mut files = Vec::new();
            for file in store.files_with_rejects(&filter, offset, limit)? {
                let reasons = store.reject_reasons(file.id, MAX_REASONS_COUNTED)?;
                files.push(RejectedFile { file, reasons });
            }
            Ok((files, store.newest_rejects(&filter, before, rows)?))
        };
        self.read(read).await
    }

    /// At most `limit` of the same rejects, in batches from one snapshot.
    ///
    /// # Errors
    /// As [`Engine::export_products`].
    pub async fn export_rejects(
        &self,
        filter: RejectFilter,
        before: Option<i64>,
        mut limit: i64,
    ) -> Result<Batches<RejectView>> {
        let mut next = Some(before);
        let batch = move |store: &mut Store| {
            // A page may be empty before the end, if few rejects have the reason that is searched. An empty batch would end the list.
            while let Some(before) = next.filter(|_| limit > 0) {
                let page = store.newest_rejects(&filter, before, limit.min(REJECTS_PER_BATCH))?;
                next = page.next.map(Some);
                limit -= page.rows.len() as i64;
                if !page.rows.is_empty() {
                    return Ok(page.rows);
                }
            }
            Ok(Vec::new())
        };
        self.0.readers.batches(batch).await
    }
}

/// The reader of a report, or of product feeds.
#[must_use]
pub fn reader_named(name: &str) -> String {
    if name == PRODUCTS { PRODUCTS.to_owned() } else { report_reader(name) }
}

fn find(sources: Vec<SourceView>, name: &str) -> Option<SourceView> {
    sources.into_iter().find(|source| source.name == name)
}
