//! Prints what happens: what to open once both feeds are applied, then a line per change.

use std::{
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tributary_config::PRODUCTS;
use tributary_http_common::announce;
use tributary_store::{DatabaseUrl, EventRow, Store, Tally};

use super::{is_loaded, print_line};

/// Interval in which the database is asked for new events.
const EVENT_INTERVAL: Duration = Duration::from_millis(250);

/// Prints what happens until shutdown.
///
/// # Errors
/// The database cannot be read.
pub(super) async fn report(
    url: DatabaseUrl,
    address: SocketAddr,
    database: PathBuf,
    shutdown: CancellationToken,
) -> Result<()> {
    let started = Instant::now();
    let (mut last, mut is_open) = (0, false);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(EVENT_INTERVAL) => {}
        }
        let url = url.clone();
        let read = tokio::task::spawn_blocking(move || read(&url, last))
            .await
            .context("the task that reads the events failed")?;
        let Some(Activity { events, tally, is_loaded }) = read? else { continue };
        last = events.last().map_or(last, |event| event.id);
        events.iter().filter_map(line).for_each(|line| print_line(&line));
        if !is_open && is_loaded {
            is_open = true;
            announce(address);
            let took = started.elapsed().as_secs_f64();
            print_line(&format!(
                "\n{} products with {} names after {took:.1} s. Open\n\n    http://{address}/\n\nand correct a product. \
                 The tables are in {2}:\n\n    readdb --database-url {2}\n\nA row changes every two seconds in one of \
                 the folders. Ctrl-C stops the demo.\n",
                tally.products,
                tally.names,
                database.display()
            ));
        }
    }
}

/// The state of the database.
struct Activity {
    /// Events since the last look.
    events: Vec<EventRow>,
    tally: Tally,
    /// Whether both feeds are applied.
    is_loaded: bool,
}

/// Reads the events after `last`. Returns nothing while the database is still being created.
fn read(url: &DatabaseUrl, last: i64) -> Result<Option<Activity>, tributary_store::Error> {
    use tributary_store::Error;
    match Store::open_existing(url) {
        Ok(mut store) => store.snapshot(|store| {
            let (events, tally) = (store.events_after(last, 100)?, store.tally()?);
            Ok(Some(Activity { events, tally, is_loaded: is_loaded(&store.sources_view(PRODUCTS)?) }))
        }),
        Err(Error::Missing { .. } | Error::NotSetUp { .. } | Error::OlderSchema { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Formats an event as a line; nothing for those that are not news here.
fn line(event: &EventRow) -> Option<String> {
    let data: Value = serde_json::from_str(&event.data).ok()?;
    let time = event.at.get(11..19)?;
    let text = |key: &str| data[key].as_str().unwrap_or_default().to_owned();
    let count = |key: &str| data[key].as_u64().unwrap_or_default();
    match event.kind.as_str() {
        "applied" => {
            let rejected = match count("rejected") {
                0 => String::new(),
                rejected => format!(", {rejected} rejected"),
            };
            let (added, updated, removed) = (count("added"), count("updated"), count("removed"));
            let seconds = data["seconds"].as_f64()?;
            Some(format!("{time}  {}: +{added} ~{updated} -{removed}{rejected}, in {seconds:.2} s", text("source")))
        }
        "edit" => Some(format!("{time}  {}: corrected by hand", text("sku"))),
        "source" if text("state") != "up" => Some(format!("{time}  {} is {}", text("name"), text("state"))),
        _ => None,
    }
}
