//! Adopt: what the configuration says about reports, brought into the database before the first pass. A report that is no longer
//! configured goes; where totals can be summed anew without reading a file, they are.

use anyhow::Result;
use tributary_config::ReportConfig;
use tributary_store::Store;

use super::{
    apply::note,
    total::{are_current, rows_of},
    versions::SourceVersions,
};
use crate::clock::now;

/// Makes the stored reports those of the configuration. `sources` are the names of all sources. Belongs into
/// a transaction.
///
/// # Errors
/// The database fails or is damaged.
pub(crate) fn adopt(store: &mut Store, reports: &[ReportConfig], sources: &[&str]) -> Result<()> {
    for name in store.report_names()? {
        if !reports.iter().any(|report| report.name == name) {
            store.drop_report(&name)?;
            tracing::warn!(report = %name, "report `{name}` is no longer configured: dropped its table");
        }
    }
    for report in reports {
        forget_failures(store, report)?;
        if is_outdated(store, report, sources)? && are_current(report, &store.report_files(&report.name)?) {
            let rows = rows_of(store, report, |_| true)?;
            let groups = store.write_report(&report.table(), rows)?;
            let mut versions = SourceVersions::read(store, &report.name)?;
            versions.retain(sources);
            note(store, report, groups, &versions, now())?;
        }
    }
    Ok(())
}

/// Whether a report's table is not what its stored partials come to.
fn is_outdated(store: &mut Store, report: &ReportConfig, sources: &[&str]) -> Result<bool> {
    let noted = store.report(&report.name)?;
    let is_same = noted.is_some_and(|noted| noted.digest == report.plan.results_digest())
        && store.stored_report(&report.name)?.is_some_and(|table| table == report.table());
    // The partials of a dropped source are gone.
    let is_whole = SourceVersions::read(store, &report.name)?.are_of(sources);
    Ok(!is_same || !is_whole)
}

/// Deletes the failures of a report whose configuration has changed since its table was written: they were another report's.
fn forget_failures(store: &mut Store, report: &ReportConfig) -> Result<()> {
    let is_same = store.report(&report.name)?.is_some_and(|stored| stored.digest == report.plan.results_digest());
    if is_same {
        return Ok(());
    }
    for failure in store.report_failures(&report.name)? {
        store.clear_report_failure(&report.name, failure.source_id)?;
    }
    Ok(())
}
