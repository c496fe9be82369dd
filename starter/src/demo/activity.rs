//! What is happening, told in a few calm lines: what to open once everything is there, then a line for each change.

use std::{
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tributary_http_common::announce;
use tributary_store::{DatabaseUrl, EventRow, Store, Tally};

use super::{is_loaded, say};

/// How often the database is asked what has happened.
const PAUSE: Duration = Duration::from_millis(250);

/// Tells what happens until it is told to stop.
///
/// # Errors
/// The database cannot be read.
pub(super) async fn tell(
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
            () = tokio::time::sleep(PAUSE) => {}
        }
        let url = url.clone();
        let read = tokio::task::spawn_blocking(move || read(&url, last)).await.context("the news have stopped")?;
        let Some(News { events, tally, is_loaded }) = read? else { continue };
        last = events.last().map_or(last, |event| event.id);
        events.iter().filter_map(line).for_each(|line| say(&line));
        if !is_open && is_loaded {
            is_open = true;
            announce(address);
            let took = started.elapsed().as_secs_f64();
            say(&format!(
                "\n{} products of {} names after {took:.1} s. Open\n\n    http://{address}/\n\nand correct one. \
                 The tables are in {2}:\n\n    readdb --database-url {2}\n\nEvery two seconds a row changes in one of \
                 the folders. Ctrl-C stops all of it.\n",
                tally.products,
                tally.names,
                database.display()
            ));
        }
    }
}

/// What the database says.
struct News {
    /// What has happened since.
    events: Vec<EventRow>,
    tally: Tally,
    /// Whether all of both feeds is in.
    is_loaded: bool,
}

/// What has happened behind event `last`. Nothing while the database is still being made.
fn read(url: &DatabaseUrl, last: i64) -> Result<Option<News>, tributary_store::Error> {
    use tributary_store::Error;
    match Store::open_existing(url) {
        Ok(mut store) => store.snapshot(|store| {
            let (events, tally) = (store.events_after(last, 100)?, store.tally()?);
            Ok(Some(News { events, tally, is_loaded: is_loaded(&store.sources_view()?) }))
        }),
        Err(Error::Missing { .. } | Error::NotSetUp { .. } | Error::OlderSchema { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// An event as a line; none for those that say nothing new here.
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
