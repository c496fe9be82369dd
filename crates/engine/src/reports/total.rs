//! Totals: the sum of a report's stored partials, over all files or some.

use anyhow::{Context, Result};
use tributary_config::ReportConfig;
use tributary_report::{Number, Total, TotalRows};
use tributary_store::{Error as StoreError, FileRow, GroupRow, ReportValue, Store};

use crate::source::GroupAdder;

/// Whether the stored files of a report can be summed: none is stale. Otherwise the totals stay as they are until the stale files
/// have been read again.
pub(super) fn can_be_summed<'a>(report: &ReportConfig, files: impl IntoIterator<Item = &'a FileRow>) -> bool {
    !files.into_iter().any(|file| is_stale(report, file))
}

/// Whether the partial of a file was computed for an earlier configuration of the report, and nobody knows yet whether the file can
/// be used for this one.
pub(crate) fn is_stale(report: &ReportConfig, file: &FileRow) -> bool {
    file.hash.is_some() && !has_partial(report, file) && !is_rejected(report, file)
}

/// Whether a file has a partial for the report as configured.
pub(super) fn has_partial(report: &ReportConfig, file: &FileRow) -> bool {
    file.hash.is_some() && report.is_of_plan(file.reading.as_deref())
}

/// Whether the file is rejected for the report as configured. A partial for an earlier configuration cannot be summed then.
fn is_rejected(report: &ReportConfig, file: &FileRow) -> bool {
    report.is_of_plan(file.rejected_reading.as_deref())
}

/// Adds the stored partial of a file to a total.
///
/// # Errors
/// The database fails or is damaged; there are too many groups.
pub(super) fn add_stored(store: &mut Store, file: &FileRow, total: &mut Total<'_>) -> Result<()> {
    add_partial(store, (file.id, &file.path), total)
}

/// Adds the stored partial of the file with this id and path to a total.
///
/// # Errors
/// The database fails or is damaged; there are too many groups.
pub(super) fn add_partial(store: &mut Store, (id, path): (i64, &str), total: &mut Total<'_>) -> Result<()> {
    let mut adder = GroupAdder::new(total);
    store.partial(id, |piece| adder.add(piece).map_err(PieceError))?;
    adder.finish().with_context(|| format!("the stored partial of `{path}` is damaged"))
}

/// An error of reading or adding a piece of a partial.
struct PieceError(anyhow::Error);

impl From<StoreError> for PieceError {
    fn from(error: StoreError) -> Self {
        Self(error.into())
    }
}

impl From<PieceError> for anyhow::Error {
    fn from(PieceError(error): PieceError) -> Self {
        error
    }
}

/// The total of those files of a report that pass `filter`.
///
/// # Errors
/// The database fails or is damaged; there are too many groups, or the spool fails.
pub(crate) fn total_of(
    store: &mut Store,
    report: &ReportConfig,
    filter: impl Fn(&FileRow) -> bool,
) -> Result<TotalRows> {
    let mut total = Total::new(&report.plan);
    for file in store.files_of_reader(&report.reader())? {
        if has_partial(report, &file) && filter(&file) {
            add_stored(store, &file, &mut total)?;
        }
    }
    Ok(total.finish()?)
}

/// Calls `take` with each row of a total, as it is stored.
///
/// # Errors
/// Those of `take`; the spool fails.
pub(crate) fn each_row(
    report: &ReportConfig,
    rows: &TotalRows,
    mut take: impl FnMut(GroupRow) -> Result<()>,
) -> Result<()> {
    rows.each(&report.plan, |group, values| take(GroupRow { group, values: values.into_iter().map(value).collect() }))
}

fn value(number: Option<Number>) -> ReportValue {
    match number {
        None => ReportValue::Null,
        Some(number) => match (number.to_i64(), number.to_integer()) {
            (Some(integer), _) => ReportValue::Integer(integer),
            (None, Some(_)) => ReportValue::Text(number.to_string()),
            (None, None) => match number.beyond_double() {
                Some(digits) => ReportValue::Decimal(digits),
                None => ReportValue::Real(number.to_f64()),
            },
        },
    }
}
