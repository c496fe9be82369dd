//! Keeps changing a few rows, as people and their programs do: small files of today's changes, which are replaced as a whole.

use std::{path::Path, time::Duration};

use anyhow::Result;
use chrono::{Days, NaiveDate};
use tributary_csv_gate::write_texts;
use tributary_generate::products;

use super::{
    feeds::{FEEDS, replace},
    stage::Stage,
};

/// Interval between two changes.
const CHANGE_INTERVAL: Duration = Duration::from_secs(2);
/// Rows per file of today's changes.
const CHANGED_ROWS: u64 = 8;
/// Every so many changes there is a new day of sales.
const SALE_INTERVAL: u64 = 2;
/// The first day of new sales, which the generated ones lead up to.
const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(2026, 1, 1).expect("1 January exists");
/// Days of new sales: then they begin again.
const MAX_DAYS: u64 = 365;

/// Changes one folder after the other, from when the feeds are applied until shutdown.
///
/// # Errors
/// A file cannot be written.
pub(super) async fn keep_changing(stage: Stage, rows: u64) -> Result<()> {
    if !stage.loaded().await {
        return Ok(());
    }
    for step in 0.. {
        if !stage.pause(CHANGE_INTERVAL).await {
            break;
        }
        let change = move |folder: &Path| {
            put_changes(folder, rows, step)?;
            if step % SALE_INTERVAL == 0 { put_sales(folder, step / SALE_INTERVAL) } else { Ok(()) }
        };
        stage.write(change).await?;
    }
    Ok(())
}

/// Writes the changes of this step: of the last rows one is new, and one is gone.
fn put_changes(folder: &Path, rows: u64, step: u64) -> Result<()> {
    let (source, half) = FEEDS[(step % 2) as usize];
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
    replace(&folder.join(source).join("today.csv"), &text)
}

/// Writes what was sold since the generated rows end: a sale and an order on each day, and one day more than in the round before.
fn put_sales(folder: &Path, round: u64) -> Result<()> {
    let (mut sales, mut orders) = (Vec::new(), Vec::new());
    write_texts(&mut sales, ["Department Name", "Date", "Number of Sales"]);
    write_texts(&mut orders, ["TransactionID", "Date", "Product", "Price", "Quantity", "Customer", "Payment"]);
    for place in 0..=round % MAX_DAYS {
        let day = (FIRST_DAY + Days::new(place)).to_string();
        let number = (4_000 + place * 37 % 20 * 100).to_string();
        write_texts(&mut sales, [products::name(place % 5).as_str(), &day, &number]);
        let (id, price) = (format!("new-{place}"), format!("{}.50", 200 + place * 53 % 200));
        write_texts(&mut orders, [id.as_str(), &day, &products::name(place % 7), &price, "2", "walk-in", "card"]);
    }
    let north = folder.join("north");
    replace(&north.join("sales/2026.csv"), &sales)?;
    replace(&north.join("orders/2026.csv"), &orders)
}
