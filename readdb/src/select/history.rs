//! Amounts per step of time: `readdb history`.

use anyhow::Result;
use chrono::{DateTime, SecondsFormat, Utc};
use tributary_store::{Amounts, HistoryRow, Store};

use crate::{
    cell::Cell,
    cli::{Format, Request},
};

/// The columns for programs, named as in the API.
const COLUMNS: [&str; 17] = [
    "at",
    "products",
    "versions",
    "added",
    "updated",
    "removed",
    "rejected",
    "edits",
    "apply_seconds",
    "max_apply_seconds",
    "polls",
    "failed_polls",
    "poll_seconds",
    "max_poll_seconds",
    "requests",
    "request_seconds",
    "max_request_seconds",
];
/// The columns for people: as many as 80 characters hold.
const SHORT_COLUMNS: [&str; 7] = ["at", "products", "added", "updated", "removed", "rejected", "edits"];

pub(super) fn columns(format: Format) -> &'static [&'static str] {
    if format == Format::Table { &SHORT_COLUMNS } else { &COLUMNS }
}

/// Returns the steps that have begun within the span, the newest first: a limit must not hide what happened last.
pub(super) fn rows(store: &mut Store, request: &Request) -> Result<Vec<Vec<Cell>>> {
    let span = request.span;
    let (source, from) = (request.source.as_deref().unwrap_or_default(), span.begin(Utc::now().timestamp()));
    let rows = store.history(source, span.step(), from)?;
    let cells = if request.format == Format::Table { short_cells } else { cells };
    Ok(rows.into_iter().rev().map(cells).collect())
}

fn short_cells(row: HistoryRow) -> Vec<Cell> {
    let Amounts { products, added, updated, removed, rejected, edits, .. } = row.amounts;
    let at = time(row.at).format("%Y-%m-%d %H:%M").to_string();
    vec![at.into(), products.into(), added.into(), updated.into(), removed.into(), rejected.into(), edits.into()]
}

fn cells(row: HistoryRow) -> Vec<Cell> {
    let amounts = row.amounts;
    vec![
        time_text(row.at).into(),
        amounts.products.into(),
        amounts.versions.into(),
        amounts.added.into(),
        amounts.updated.into(),
        amounts.removed.into(),
        amounts.rejected.into(),
        amounts.edits.into(),
        amounts.apply_seconds.into(),
        amounts.max_apply_seconds.into(),
        amounts.polls.into(),
        amounts.failed_polls.into(),
        amounts.poll_seconds.into(),
        amounts.max_poll_seconds.into(),
        amounts.requests.into(),
        amounts.request_seconds.into(),
        amounts.max_request_seconds.into(),
    ]
}

/// Returns seconds since 1970 as RFC 3339.
pub(super) fn time_text(seconds: i64) -> String {
    time(seconds).to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn time(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default()
}
