//! The reports of two databases: whether both have computed the same ones, and their rows.

use anyhow::Result;
use tributary_config::ReportConfig;
use tributary_store::Store;

use super::{
    Comparison, inputs,
    rows::{self, Table},
};
use crate::views::{ReportState, is_written, summary};

/// The number of rows of all reports, or how their comparison ended.
pub(super) fn compare(
    reports: &[ReportConfig],
    stored: &mut Store,
    computed: &mut Store,
) -> Result<Result<u64, Comparison>> {
    let mut rows = 0;
    for report in reports {
        let state = |store: &mut Store| Ok::<_, anyhow::Error>((is_written(store, report)?, summary(store, report)?));
        let ((is_ours_written, ours), (is_theirs_written, theirs)) = (state(stored)?, state(computed)?);
        let why = |error: Option<String>| error.unwrap_or_default();
        if theirs.state == ReportState::Failed {
            let unknown = format!("the report {} cannot be computed: {}", report.name, why(theirs.error));
            return Ok(Err(Comparison::unknown(vec![unknown])));
        }
        if let Some(difference) = inputs::first_difference(report, stored, computed)? {
            return Ok(Err(Comparison::Behind(format!("report_{}: {difference}", report.name))));
        }
        let late = match ours.state {
            ReportState::Failed => Some(format!("it fails: {}", why(ours.error))),
            ReportState::Computing if theirs.state != ReportState::Computing => {
                Some("it is not computed yet".to_owned())
            }
            _ => (is_ours_written != is_theirs_written).then(|| "only one of both has computed it".to_owned()),
        };
        if let Some(late) = late {
            return Ok(Err(Comparison::Behind(format!("report_{}: {late}", report.name))));
        }
        if is_theirs_written {
            match rows::compare(&Table::Report(&report.table()), stored, computed)? {
                Ok(count) => rows += count,
                Err(difference) => return Ok(Err(Comparison::different(difference))),
            }
        }
    }
    Ok(Ok(rows))
}
