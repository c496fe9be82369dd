//! Writes one list or report: to unnamed files of the spool first, so that no snapshot is held while a slow server takes it, then to its
//! place.

use std::{fs::File, io::Write};

use anyhow::{Context, Result};
use futures_util::StreamExt;
use tokio::sync::Semaphore;
use tributary_config::ReportConfig;
use tributary_engine::{Engine, SpoolFile};
use tributary_formats::CSV_UTF8_WITH_HEADER;
use tributary_object_storage::ObjectStorage;

use super::{
    parquet,
    target::{Target, columns},
};
use crate::http::{Listed, exact_csv};

const PARQUET: &str = "application/vnd.apache.parquet";

/// Reading of the database for exports: one at a time, since few lists are read at a time, and people wait for the others.
static READING: Semaphore = Semaphore::const_new(1);

/// Writes it, and returns the bytes of its files.
///
/// # Errors
/// The database, the spool or the place fails; a report is not computed yet.
pub(super) async fn deliver(engine: &Engine, storage: &ObjectStorage, target: &Target) -> Result<i64> {
    let listed = match target {
        Target::Products(_) => Listed::Products,
        Target::Aggr => Listed::Names,
        Target::Report(report) => Listed::Report(report),
    };
    let csv = {
        let _turn = READING.acquire().await;
        spooled(engine, listed).await?
    };
    let mut files = vec![(csv, CSV_UTF8_WITH_HEADER)];
    if let Target::Report(report) = target {
        let csv = files[0].0.try_clone().context("failed to open a file of the spool again")?;
        files.push((as_parquet(engine, report, csv).await?, PARQUET));
    }
    let mut bytes = 0;
    for (key, (file, content_type)) in target.keys().iter().zip(files) {
        bytes += file.metadata()?.len();
        storage.replace(key, file, content_type).await?;
    }
    Ok(bytes.cast_signed())
}

/// Reads a list from one snapshot to a file.
async fn spooled(engine: &Engine, listed: Listed<'_>) -> Result<File> {
    let mut text = exact_csv(engine, listed).await?;
    let mut file = engine.spool_file().await.context("failed to write to the spool")?;
    while let Some(piece) = text.next().await {
        let piece = piece?;
        let write = move || file.write_all(&piece).map(|()| file);
        file = tokio::task::spawn_blocking(write).await?.context("failed to write to the spool")?;
    }
    Ok(file.into_file())
}

async fn as_parquet(engine: &Engine, report: &ReportConfig, csv: File) -> Result<File> {
    let (mut file, columns): (SpoolFile, _) = (engine.spool_file().await?, columns(report));
    let convert = move || parquet::write(&csv, &columns, &mut file).map(|()| file.into_file());
    tokio::task::spawn_blocking(convert).await?.context("failed to write a Parquet file to the spool")
}
