//! Adopt: what the configuration says about reports, brought into the database before the first pass. A report that is no longer
//! configured goes; where totals can be summed anew without reading a file, they are.

use anyhow::Result;
use tributary_config::ReportConfig;
use tributary_store::Store;

use super::{
    apply::{add_contributors, note, standing},
    total::{are_current, rows_of},
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
        if is_outdated(store, report, sources)? && are_current(report, &store.report_files(&report.name)?) {
            let rows = rows_of(store, report, |_| true)?;
            let groups = store.write_report(&report.table(), rows)?;
            // What is gone is no part of what it stands at.
            let mut stands = standing(store, report)?;
            stands.retain(|source, _| sources.contains(&source.as_str()));
            add_contributors(store, report, &mut stands)?;
            note(store, report, groups, stands, now())?;
        }
    }
    Ok(())
}

/// Whether a report's table is not what its stored partials come to.
fn is_outdated(store: &mut Store, report: &ReportConfig, sources: &[&str]) -> Result<bool> {
    let noted = store.report(&report.name)?;
    let is_same = noted.is_some_and(|noted| noted.digest == report.plan.results_digest())
        && store.stored_report(&report.name)?.is_some_and(|table| table == report.table());
    // A source that is gone took its partials along.
    let is_whole = standing(store, report)?.keys().all(|source| sources.contains(&source.as_str()));
    Ok(!is_same || !is_whole)
}
