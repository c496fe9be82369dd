//! Totals: what the stored partials of a report come to, of all files or of some.

use anyhow::{Context, Result};
use tributary_config::ReportConfig;
use tributary_report::{Number, Total};
use tributary_store::{Error as StoreError, GroupRow, ReportFileRow, ReportValue, Store};

use crate::source::Adder;

/// Whether a report's stored files can be summed, each being computed as the report says now. Where one is not, its content has
/// yet to be read again, and the totals stay what they are.
pub(super) fn are_current(report: &ReportConfig, files: &[ReportFileRow]) -> bool {
    !files.iter().any(|file| is_stale(report, file))
}

/// Whether a file was computed as the report said before, so that it must be read again before anything can be summed.
pub(crate) fn is_stale(report: &ReportConfig, file: &ReportFileRow) -> bool {
    file.hash.is_some() && !is_current(report, file) && !is_rejected(report, file)
}

/// Whether a file has a partial that was computed as the report says now.
pub(super) fn is_current(report: &ReportConfig, file: &ReportFileRow) -> bool {
    file.hash.is_some() && file.reading.as_deref() == Some(report.plan.digest())
}

/// Whether its content cannot be used as the report reads it now. If it could before, that cannot be summed any more.
fn is_rejected(report: &ReportConfig, file: &ReportFileRow) -> bool {
    file.rejected_reading.as_deref() == Some(report.plan.digest())
}

/// Adds the stored partial of a file to a total.
pub(super) fn add_stored(store: &mut Store, file: &ReportFileRow, total: &mut Total<'_>) -> Result<()> {
    let mut adder = Adder::new(total);
    store.partial(file.id, |piece| adder.add(piece).map_err(Failed))?;
    adder.finish().with_context(|| format!("the partial of `{}` is damaged", file.path))
}

/// The error of what is done with a piece.
struct Failed(anyhow::Error);

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self(error.into())
    }
}

impl From<Failed> for anyhow::Error {
    fn from(Failed(error): Failed) -> Self {
        error
    }
}

/// The rows of a report over those of its files that `wanted` wants, in order of their groups.
///
/// # Errors
/// The database fails or is damaged; or there are too many groups.
pub(crate) fn rows_of(
    store: &mut Store,
    report: &ReportConfig,
    wanted: impl Fn(&ReportFileRow) -> bool,
) -> Result<Vec<GroupRow>> {
    let mut total = Total::new(&report.plan);
    for file in store.report_files(&report.name)? {
        if is_current(report, &file) && wanted(&file) {
            add_stored(store, &file, &mut total)?;
        }
    }
    Ok(rows(&total))
}

/// The rows of a total, as they are stored.
pub(super) fn rows(total: &Total<'_>) -> Vec<GroupRow> {
    let mut rows = Vec::with_capacity(total.len());
    let take = |group, values: Vec<Option<Number>>| -> Result<(), std::convert::Infallible> {
        rows.push(GroupRow { group, values: values.into_iter().map(value).collect() });
        Ok(())
    };
    let Ok(()) = total.each_row(take);
    rows
}

fn value(number: Option<Number>) -> ReportValue {
    match number {
        None => ReportValue::Null,
        Some(number) => match (number.to_i64(), number.to_integer()) {
            (Some(integer), _) => ReportValue::Integer(integer),
            (None, Some(_)) => ReportValue::Text(number.to_string()),
            (None, None) => ReportValue::Real(number.to_f64()),
        },
    }
}
