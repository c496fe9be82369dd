//! The hands that keep changing a few rows, as people and their programs would: a small file of today's changes in each
//! folder, put in place as a whole.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use tokio_util::sync::CancellationToken;
use tributary_csv_gate::write_record;
use tributary_generate::products;
use tributary_store::{DatabaseUrl, Store};

use super::{SOURCES, is_loaded};

/// The time between two changes.
const PAUSE: Duration = Duration::from_secs(2);
/// Rows of a file of today's changes.
const ROWS: u64 = 8;
/// Now and then a row lacks its sku, so that there is a reject to see.
const FAULTY: u64 = 5;

/// Changes one folder after the other, once the feeds are in the database, until it is told to stop.
///
/// # Errors
/// A file cannot be written.
pub(super) async fn keep_changing(
    folder: PathBuf,
    rows: u64,
    database: DatabaseUrl,
    shutdown: CancellationToken,
) -> Result<()> {
    for step in 0.. {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(PAUSE) => {}
        }
        let (folder, database) = (folder.clone(), database.clone());
        let change = move || if are_applied(&database) { put_changes(&folder, rows, step) } else { Ok(()) };
        tokio::task::spawn_blocking(change).await.context("the hands have stopped")??;
    }
    Ok(())
}

/// Whether both feeds are applied; a database that is just being made holds nothing yet.
fn are_applied(database: &DatabaseUrl) -> bool {
    let sources = Store::open_existing(database).and_then(|mut store| store.sources_view());
    sources.is_ok_and(|sources| is_loaded(&sources))
}

/// Today's changes as of this step: of the last rows one is new, and one has gone.
fn put_changes(folder: &Path, rows: u64, step: u64) -> Result<()> {
    let (source, half) = SOURCES[(step % 2) as usize];
    let round = step / 2;
    let mut text = Vec::new();
    write_record(&mut text, ["sku", "name", "description"]);
    for place in round.saturating_sub(ROWS - 1)..=round {
        // A walk through the feed's products that is not in their order.
        let product = half * rows / 2 + place.wrapping_mul(7_919) % rows;
        let description = format!("change {} of today in {source}", place + 1);
        write_record(&mut text, [products::sku(product), products::name(product), description]);
    }
    if round % FAULTY == FAULTY - 1 {
        write_record(&mut text, ["", "somebody forgot the sku", ""]);
    }
    let (path, unfinished) = (folder.join(source).join("today.csv"), folder.join(source).join("today.csv.part"));
    fs::write(&unfinished, text)
        .and_then(|()| fs::rename(&unfinished, &path))
        .with_context(|| format!("failed to write {}", path.display()))
}
