//! The reports, and the rows of one: `readdb reports` and `readdb report NAME`.

use anyhow::{Context, Result};
use tributary_store::{GroupRow, ReportRange, ReportTable, Store};

use crate::{cell::Cell, cli::Request};

pub(super) const COLUMNS: [&str; 6] = ["name", "groups", "group_by", "metrics", "computed_at", "error"];

/// Returns all reports that have results or a failure, by name.
pub(super) fn rows(store: &mut Store) -> Result<Vec<Vec<Cell>>> {
    let names = store.report_names()?;
    names.into_iter().map(|name| report(store, name)).collect()
}

fn report(store: &mut Store, name: String) -> Result<Vec<Cell>> {
    let (computed, table) = (store.report(&name)?, store.stored_report(&name)?);
    let failures: Vec<String> = store.report_failures(&name)?.into_iter().map(|failure| failure.error).collect();
    let error = Some(failures.join("; ")).filter(|error| !error.is_empty());
    let (group_by, metrics) =
        table.map(|table| (table.group_by.join(", "), table.metrics.join(", "))).unwrap_or_default();
    Ok(vec![
        name.into(),
        computed.as_ref().map(|report| report.groups).into(),
        group_by.into(),
        metrics.into(),
        computed.map(|report| report.computed_at).into(),
        error.into(),
    ])
}

/// Returns the table of the report that was asked for.
///
/// # Errors
/// It does not exist.
pub(super) fn table(store: &mut Store, request: &Request) -> Result<ReportTable> {
    let name = request.report.as_deref().unwrap_or_default();
    let table = store.stored_report(name)?;
    table.with_context(|| format!("there is no table of a report `{name}`; `readdb reports` lists the reports"))
}

/// Passes its groups to `take`, by key.
pub(super) fn each_row(
    store: &mut Store,
    request: &Request,
    mut take: impl FnMut(Vec<Cell>) -> Result<()>,
) -> Result<()> {
    let table = table(store, request)?;
    let range = ReportRange { limit: request.limit(), ..ReportRange::ALL };
    store.each_report_row(&table, range, |GroupRow { group, values }| {
        take(group.into_iter().map(Cell::from).chain(values.into_iter().map(Cell::from)).collect())
    })
}

/// Returns the number of its groups.
pub(super) fn count(store: &mut Store, request: &Request) -> Result<i64> {
    let name = request.report.as_deref().unwrap_or_default();
    Ok(store.report(name)?.map_or(0, |report| report.groups))
}
