//! The active master is killed again and again; a standby follows it.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use tributary_testkit::{http, process::Daemon};

use super::server::Server;
use crate::bench::{
    figures::Spread,
    running::{Served, fresh, started},
    table::Row,
    waiting::until,
};

/// The longest takeover, in seconds.
const MAX_SECONDS: f64 = 5.0;
/// Rows of the feed that is followed.
const ROWS: u64 = 1_000;

/// Measures the time from SIGKILL to the first edit that the next master takes, which also has that of the master before it.
pub(super) fn measure(home: &Path, server: &Server, times: u32) -> Result<Vec<Row>> {
    eprintln!("killing the active master {times} times");
    let served = Served::start(home, "followed", 1, ROWS, 0, "50ms")?;
    let sku = served.feeds[0].sku.as_str();
    let url = server.schema("followed")?;
    let start = |name: &str| start(&home.join(name), &served, &url);
    let mut active = start("master-0")?;
    until("the first master is active", Duration::from_millis(20), || Ok(is(&active, "ready").then_some(())))?;
    let (mut took, mut name) = (Vec::new(), "First".to_owned());
    ensure!(edit(&active, sku, &name), "the first master does not take an edit");
    for number in 1..=times {
        server.go_on()?;
        let standby = start(&format!("master-{}", number % 2))?;
        until("a master stands by", Duration::from_millis(20), || Ok(is(&standby, "standby").then_some(())))?;
        active.kill();
        let (killed, next) = (Instant::now(), format!("Edit {number}"));
        let what = "the standby takes an edit";
        until(what, Duration::from_millis(5), || {
            Ok((name_of(&standby, sku).is_some_and(|kept| kept == name) && edit(&standby, sku, &next)).then_some(()))
        })?;
        took.push(killed.elapsed());
        (active, name) = (standby, next);
    }
    let spread = Spread::of_times(took);
    let row = Row {
        what: format!("takeover: SIGKILL of the active master to the first edit that the standby takes, {times} times"),
        wall: spread.seconds(),
        ..Row::default()
    };
    Ok(vec![row.target("<= 5 s each time", spread.most <= MAX_SECONDS)])
}

fn start(folder: &Path, served: &Served, url: &str) -> Result<Daemon> {
    fresh(folder)?;
    Ok(started(folder, &[served], Some(&format!("--database-url={url}"))))
}

/// Whether a master is in this role. It does not answer while the role changes.
fn is(master: &Daemon, role: &str) -> bool {
    http::get(&format!("{}/readyz", master.url)).is_ok_and(|(_, text)| text.starts_with(role.as_bytes()))
}

fn name_of(master: &Daemon, sku: &str) -> Option<String> {
    let (_, product) = http::get(&format!("{}/api/v1/products/{sku}", master.url)).ok()?;
    let product: serde_json::Value = serde_json::from_slice(&product).ok()?;
    Some(product["name"].as_str()?.to_owned())
}

fn edit(master: &Daemon, sku: &str, name: &str) -> bool {
    let url = format!("{}/api/v1/products/{sku}", master.url);
    let body = serde_json::json!({ "name": name }).to_string();
    let answer = http::request("PATCH", &url, &[("Content-Type", "application/json")], body.as_bytes());
    answer.is_ok_and(|answer| answer.status == 200)
}
