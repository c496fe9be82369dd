//! Adopt: brings the configured reports into the database, at a start and at a reload. A report that is no longer configured is dropped.
//! Totals that can be summed from stored partials are, without reading a file.

use std::collections::BTreeSet;

use anyhow::Result;
use tributary_config::{ReportConfig, report_of, report_reader};
use tributary_report::TotalRows;
use tributary_store::{Error as StoreError, Store};

use super::{
    apply::put_totals,
    total::{can_be_summed, total_of},
    versions::SourceVersions,
};

/// Makes the stored reports those of the configuration. `sources` are the names of all sources. Call it in a transaction.
///
/// # Errors
/// The database fails or is damaged.
pub(crate) fn adopt(store: &mut Store, reports: &[ReportConfig], sources: &[&str]) -> Result<()> {
    for name in stored_names(store)? {
        if !reports.iter().any(|report| report.name == name) {
            drop_report(store, &name)?;
            tracing::warn!(report = %name, "report `{name}` is no longer configured: dropped its table");
        }
    }
    for report in reports {
        forget_failures(store, report)?;
        if is_outdated(store, report, sources)? && can_be_summed(report, &store.files_of_reader(&report.reader())?) {
            let rows = summed(store, report)?;
            let mut versions = SourceVersions::read(store, &report.name)?;
            versions.retain(sources);
            put_totals(store, report, &rows, &versions)?;
        }
    }
    Ok(())
}

/// The names of all reports that left anything in the database.
fn stored_names(store: &mut Store) -> Result<BTreeSet<String>> {
    let mut names: BTreeSet<String> = store.report_names()?.into_iter().collect();
    names.extend(store.readers()?.iter().filter_map(|reader| report_of(reader)).map(str::to_owned));
    Ok(names)
}

/// Deletes all that is stored of a report.
fn drop_report(store: &mut Store, name: &str) -> Result<()> {
    store.drop_report(name)?;
    Ok(store.delete_files_of_reader(&report_reader(name))?)
}

/// The total of the stored partials. If they cannot be summed, they are forgotten, so that the report is computed again from its
/// files: one damaged partial must not keep the master from starting.
fn summed(store: &mut Store, report: &ReportConfig) -> Result<TotalRows> {
    match total_of(store, report, |_| true) {
        Err(error) if error.downcast_ref::<StoreError>().is_none() => {
            let name = &report.name;
            tracing::error!(report = %name, "report `{name}` is computed again from all its files: {error:#}");
            drop_report(store, name)?;
            total_of(store, report, |_| true)
        }
        summed => summed,
    }
}

/// Deletes the failures of a report whose configuration has changed since its table was written: they say nothing about this one.
fn forget_failures(store: &mut Store, report: &ReportConfig) -> Result<()> {
    if has_digest(store, report)? {
        return Ok(());
    }
    for failure in store.report_failures(&report.name)? {
        store.clear_report_failure(&report.name, failure.source_id)?;
    }
    Ok(())
}

/// Whether a report's table is not the sum of its stored partials.
fn is_outdated(store: &mut Store, report: &ReportConfig, sources: &[&str]) -> Result<bool> {
    let has_columns = store.stored_report(&report.name)?.is_some_and(|table| table == report.table());
    // The partials of a dropped source are gone.
    let has_dropped = !SourceVersions::read(store, &report.name)?.are_of(sources);
    Ok(!has_digest(store, report)? || !has_columns || has_dropped)
}

/// Whether a report's table was written for this configuration.
fn has_digest(store: &mut Store, report: &ReportConfig) -> Result<bool> {
    Ok(store.report(&report.name)?.is_some_and(|stored| stored.digest == report.plan.results_digest()))
}
