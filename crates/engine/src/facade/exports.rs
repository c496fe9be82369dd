//! Exports to S3 or a folder. The engine knows neither: an exit reads here, writes there, and says how far it has got.

use std::{
    fs::File,
    io::{self, Write},
    sync::{Arc, PoisonError},
};

use anyhow::Result;
use tributary_config::ReportConfig;
use tributary_store::{ExportRow, GroupRow, Store};

use super::{Engine, RowRange};
use crate::{
    clock::now,
    database::{Batch, Batches},
    disk::SpaceGuard,
    views::{is_written, summary},
};

/// The state of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportState {
    /// It has all changes.
    Current,
    /// It will be written: now, at its time, or once its report is computed.
    Waiting,
    /// It could not be written, and is tried again.
    Failed,
}

impl ExportState {
    /// The word in answers and on pages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Waiting => "waiting",
            Self::Failed => "failed",
        }
    }
}

/// A list or a report that is written to S3 or a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportStatus {
    /// `products`, `aggr` or `reports/NAME`.
    pub name: String,
    /// The keys of its files, CSV first.
    pub keys: Vec<String>,
    /// The URLs of its files, for people.
    pub urls: Vec<String>,
    /// Its state.
    pub state: ExportState,
    /// When it was last written, RFC 3339; `None`: never to this place.
    pub written_at: Option<String>,
    /// Bytes of its files.
    pub bytes: i64,
    /// Why it fails.
    pub error: Option<String>,
    /// Since when it fails, RFC 3339.
    pub failing_since: Option<String>,
    /// Times that it was written since the start.
    pub written: u64,
    /// Times that writing it failed since the start.
    pub failed: u64,
}

/// A report whose table does not hold what is configured, so it is not worth writing.
#[derive(Debug, thiserror::Error)]
#[error("the report is not computed yet")]
pub struct NotComputed;

/// An unnamed file in the spool for something on its way out. It leaves `keep_free` bytes on its disk, and is gone when it is closed.
#[derive(Debug)]
pub struct SpoolFile {
    file: File,
    guard: SpaceGuard,
}

impl SpoolFile {
    /// The file, complete.
    #[must_use]
    pub fn into_file(self) -> File {
        self.file
    }
}

impl Write for SpoolFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.guard.note(bytes.len())?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Engine {
    /// The exports to S3 or a folder, as last seen; none without a place. Does not read the database.
    #[must_use]
    pub fn exports(&self) -> Arc<[ExportStatus]> {
        Arc::clone(&self.0.exports.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Shows these in place of what was seen before.
    pub fn show_exports(&self, exports: Vec<ExportStatus>) {
        *self.0.exports.write().unwrap_or_else(PoisonError::into_inner) = exports.into();
    }

    /// The exports as they were last written, by name.
    ///
    /// # Errors
    /// The database fails.
    pub async fn stored_exports(&self) -> Result<Vec<ExportRow>> {
        self.read(|store| Ok(store.exports()?)).await
    }

    /// Notes what was written, now, and that `others` have all changes up to the same event. Returns the time.
    ///
    /// # Errors
    /// The database fails.
    pub async fn note_export(&self, row: ExportRow, others: Vec<String>) -> Result<ExportRow> {
        let row = ExportRow { written_at: now(), ..row };
        let stored = row.clone();
        let note = move |store: &mut Store| {
            store.transaction(|store| {
                store.put_export(&stored)?;
                Ok(store.note_exports_current(&others, stored.event_id)?)
            })
        };
        self.0.writer.run_first(note).await?;
        Ok(row)
    }

    /// Notes that these have all changes up to an event.
    ///
    /// # Errors
    /// The database fails.
    pub async fn note_exports_current(&self, names: Vec<String>, event: i64) -> Result<()> {
        let note = move |store: &mut Store| store.transaction(|store| Ok(store.note_exports_current(&names, event)?));
        self.0.writer.run_first(note).await
    }

    /// Creates a file for something on its way out.
    ///
    /// # Errors
    /// The disk has no room, or the file cannot be created.
    pub async fn spool_file(&self) -> Result<SpoolFile> {
        let spool = self.0.spool.clone();
        let create = move || io::Result::Ok(SpoolFile { file: spool.unnamed()?, guard: spool.guard() });
        Ok(tokio::task::spawn_blocking(create).await??)
    }

    /// All rows of a report in order of their groups, in batches from one snapshot. The first item is the error [`NotComputed`] if no source
    /// has contributed to it as it is configured.
    ///
    /// # Errors
    /// The database is busy; other failures are items of the stream.
    pub async fn computed_rows(&self, report: &ReportConfig) -> Result<Batches<GroupRow>> {
        let report = report.clone();
        let produce = move |store: &mut Store, send: &mut dyn FnMut(Vec<GroupRow>) -> Result<()>| {
            if !is_written(store, &report)? || summary(store, &report)?.computed_at.is_none() {
                return Err(NotComputed.into());
            }
            let mut batch = Batch::new(send);
            store.each_report_row(&report.table(), RowRange::ALL.stored(), |row| batch.push_group(row))?;
            batch.finish()
        };
        self.0.readers.stream(produce).await
    }
}
