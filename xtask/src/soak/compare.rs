//! Compares the tables of the running master with the model, as soon as it has applied what the folders hold.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, anyhow, ensure};
use tributary_testkit::{http, wait};

use super::{
    model::{Model, Tables},
    stage::Stage,
};

/// Longest time until all is applied.
const MAX_WAIT: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(50);

/// Waits until the tables are those of the model.
pub(super) fn converge(stage: &Stage, model: &Model) -> Result<()> {
    let expected = model.tables();
    let wrong = |found: Tables| (found != expected).then(|| anyhow!("{}", difference(&found, &expected)));
    until(|| read(stage).map_or_else(Some, wrong))
}

/// Waits until the master says that all is well: it can write, and no source is down.
pub(super) fn healthy(stage: &Stage) -> Result<()> {
    let get = |path: &str| http::request("GET", &format!("{}{path}", stage.master.url), &[], b"");
    let ask = || -> Result<()> {
        let (ready, sources) = (get("/readyz")?, get("/api/v1/sources")?.text());
        let is_well = ready.status == 200 && !sources.contains("\"state\":\"down\"");
        ensure!(is_well, "it is not well again: {}{sources}", ready.text());
        Ok(())
    };
    until(|| ask().err())
}

/// Waits until nothing is wrong, or returns what is.
fn until(mut wrong: impl FnMut() -> Option<anyhow::Error>) -> Result<()> {
    let mut last = None;
    let well = wait::within(MAX_WAIT, PAUSE, || {
        last = wrong();
        last.is_none().then_some(())
    });
    well.map_or_else(|| Err(last.unwrap_or_else(|| anyhow!("it was never asked"))), Ok)
}

fn read(stage: &Stage) -> Result<Tables> {
    let products = rows(stage, "/api/v1/products?format=csv&raw=1", "name")?;
    let aggr = counts(rows(stage, "/api/v1/aggr?format=csv&raw=1", "no_of_products")?)?;
    let report = counts(rows(stage, "/api/v1/reports/rows?format=csv&raw=1", "rows")?)?;
    Ok(Tables { products, aggr, report })
}

fn counts(rows: BTreeMap<String, String>) -> Result<BTreeMap<String, u64>> {
    rows.into_iter().map(|(name, count)| Ok((name, count.parse().context("a count is no number")?))).collect()
}

/// The first column and another of a list. Nothing in the load needs quotes.
fn rows(stage: &Stage, path: &str, column: &str) -> Result<BTreeMap<String, String>> {
    let answer = http::request("GET", &format!("{}{path}", stage.master.url), &[], b"")?;
    ensure!(answer.status == 200, "{path} was answered with {}: {}", answer.status, answer.text());
    let text = answer.text();
    let mut lines = text.lines();
    let header = lines.next().with_context(|| format!("{path} has no header"))?;
    let place = header.split(',').position(|name| name.trim_matches('"') == column);
    let place = place.with_context(|| format!("{path} has no column {column}: {header}"))?;
    lines
        .map(|line| {
            let mut cells = line.split(',').map(|cell| cell.trim_matches('"').to_owned());
            let key = cells.next().context("a row is empty")?;
            let cell = if place == 0 { Some(key.clone()) } else { cells.nth(place - 1) };
            Ok((key, cell.with_context(|| format!("a row of {path} is too short: {line}"))?))
        })
        .collect()
}

fn difference(found: &Tables, expected: &Tables) -> String {
    fn first<T: PartialEq + std::fmt::Debug>(
        table: &str,
        found: &BTreeMap<String, T>,
        expected: &BTreeMap<String, T>,
    ) -> Option<String> {
        let keys = found.keys().chain(expected.keys());
        let mut wrong = keys.filter(|key| found.get(*key) != expected.get(*key));
        let key = wrong.next()?;
        Some(format!("{table}: {key:?} is {:?} and must be {:?}", found.get(key), expected.get(key)))
    }
    let wrong = [
        first("products", &found.products, &expected.products),
        first("aggr", &found.aggr, &expected.aggr),
        first("report", &found.report, &expected.report),
    ];
    wrong.into_iter().flatten().collect::<Vec<_>>().join("; ")
}
