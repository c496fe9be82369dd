//! Keeps changing a few rows, as people and their programs do: each folder has a small file of today's changes, which is
//! replaced as a whole.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use tokio_util::sync::CancellationToken;
use tributary_config::PRODUCTS;
use tributary_csv_gate::write_texts;
use tributary_generate::products;
use tributary_store::{DatabaseUrl, Store};

use super::{SOURCES, is_loaded};

/// Interval between two changes.
const CHANGE_INTERVAL: Duration = Duration::from_secs(2);
/// Rows per file of today's changes.
const CHANGED_ROWS: u64 = 8;
/// Every so many files contain a row without sku, so that there is a reject to see.
const REJECT_INTERVAL: u64 = 5;

/// Changes one folder after the other, from when the feeds are applied until shutdown.
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
            () = tokio::time::sleep(CHANGE_INTERVAL) => {}
        }
        let (folder, database) = (folder.clone(), database.clone());
        let change = move || if are_applied(&database) { put_changes(&folder, rows, step) } else { Ok(()) };
        tokio::task::spawn_blocking(change).await.context("the task that changes the feeds failed")??;
    }
    Ok(())
}

/// Whether both feeds are applied. An error means that the database is still being created.
fn are_applied(database: &DatabaseUrl) -> bool {
    let sources = Store::open_existing(database).and_then(|mut store| store.sources_view(PRODUCTS));
    sources.is_ok_and(|sources| is_loaded(&sources))
}

/// Writes the changes of this step: of the last rows one is new, and one is gone.
fn put_changes(folder: &Path, rows: u64, step: u64) -> Result<()> {
    let (source, half) = SOURCES[(step % 2) as usize];
    let round = step / 2;
    let mut text = Vec::new();
    write_texts(&mut text, ["sku", "name", "description", "price", "stock", "brand"]);
    for place in round.saturating_sub(CHANGED_ROWS - 1)..=round {
        // Visits the products of the feed in a scattered order.
        let product = half * rows / 2 + place.wrapping_mul(7_919) % rows;
        let description = format!("change {} of today in {source}", place + 1);
        let (price, stock) = (format!("{}.{}0", 5 + place % 90, place % 10), (place % 40).to_string());
        let brand = products::brand(place % products::BRANDS);
        write_texts(&mut text, [products::sku(product), products::name(product), description, price, stock, brand]);
    }
    if round % REJECT_INTERVAL == REJECT_INTERVAL - 1 {
        write_texts(&mut text, ["", "somebody forgot the sku", "", "", "", ""]);
    }
    let path = folder.join(source).join("today.csv");
    let unfinished = tributary_formats::unfinished(&path);
    fs::write(&unfinished, text)
        .and_then(|()| fs::rename(&unfinished, &path))
        .with_context(|| format!("failed to write {}", path.display()))
}
