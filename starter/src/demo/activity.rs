//! Prints what happens: what to try once all feeds are applied, then a line per event.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::Value;
use tributary_cli_common::text::counted;
use tributary_config::PRODUCTS;
use tributary_http_common::announce;
use tributary_master::DEMO_STEPS;
use tributary_store::{DatabaseUrl, EventRow, SourceView, Store, Tally};

use super::{print_line, stage::Stage};

/// Interval in which the database is asked for new events.
const EVENT_INTERVAL: Duration = Duration::from_millis(250);

/// Prints what happens until shutdown, and lets the other parts begin once all feeds are applied.
///
/// # Errors
/// The database cannot be read.
pub(super) async fn report(stage: Stage, address: SocketAddr) -> Result<()> {
    let started = Instant::now();
    let mut last = 0;
    while stage.pause(EVENT_INTERVAL).await {
        let url = stage.database.clone();
        let read = tokio::task::spawn_blocking(move || read(&url, last))
            .await
            .context("the task that reads the events failed")?;
        let Some(Activity { events, tally, is_loaded }) = read? else { continue };
        last = events.last().map_or(last, |event| event.id);
        events.iter().filter_map(line).for_each(|line| print_line(&line));
        if !stage.loaded.is_cancelled() && is_loaded {
            announce(address, false);
            print_line(&introduction(&tally, started.elapsed(), address, &stage.database));
            stage.loaded.cancel();
        }
    }
    Ok(())
}

/// Says what to open, and what to try there.
fn introduction(tally: &Tally, took: Duration, address: SocketAddr, database: &DatabaseUrl) -> String {
    let steps = DEMO_STEPS.iter().enumerate();
    let steps: String = steps.map(|(at, step)| format!("  {}. {}: {}\n", at + 1, step.title, step.sentence)).collect();
    format!(
        "\n{} products with {} names after {:.1} s. Open\n\n    http://{address}/demo\n\nand try:\n\n{steps}\nThe tables in a terminal:\n\n    \
         readdb --watch --database-url {database}\n\nCtrl-C stops the demo.\n",
        tally.products,
        tally.names,
        took.as_secs_f64(),
    )
}

/// The state of the database.
struct Activity {
    /// Events since the last look.
    events: Vec<EventRow>,
    tally: Tally,
    /// Whether all feeds are applied.
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

/// Whether all feeds are applied. The folder of uploads has a version at once.
fn is_loaded(sources: &[SourceView]) -> bool {
    !sources.is_empty() && sources.iter().all(|source| source.version.is_some())
}

/// Formats an event as a line; nothing for those that are not news here.
fn line(event: &EventRow) -> Option<String> {
    let data: Value = serde_json::from_str(&event.data).ok()?;
    let time = event.at.get(11..19)?;
    let text = |key: &str| data[key].as_str().unwrap_or_default().to_owned();
    let count = |key: &str| data[key].as_u64().unwrap_or_default();
    match event.kind.as_str() {
        "applied" => {
            let (added, updated, removed) = (count("added"), count("updated"), count("removed"));
            let rejected = match count("rejected") {
                // A file of a report has changed.
                0 if added + updated + removed == 0 => return None,
                0 => String::new(),
                rejected => format!(", {} set aside", counted(rejected, "row")),
            };
            let seconds = data["seconds"].as_f64()?;
            Some(format!("{time}  {}: +{added} ~{updated} -{removed}{rejected}, in {seconds:.2} s", text("source")))
        }
        "held" => {
            let removes = counted(count("removes"), "product");
            Some(format!("{time}  {}: held, because {removes} would go; accept it on the first page", text("source")))
        }
        "edit" => Some(format!("{time}  {}: corrected by hand", text("sku"))),
        "source" if text("state") != "held" => Some(format!("{time}  {} is {}", text("name"), text("state"))),
        _ => None,
    }
}
