//! The totals of some of a report's files: those of one source, or of one path.

use tributary_store::GroupRow;

use super::error::ApiError;
use crate::app::App;
use crate::config::ReportConfig;

/// The rows of a report over the files of `source`, or of the path `file`, or both; in any order.
///
/// # Errors
/// Nothing merges a part of the partials yet.
pub(crate) async fn filtered_rows(
    _app: &App,
    _report: &ReportConfig,
    _source: Option<&str>,
    _file: Option<&str>,
) -> Result<Vec<GroupRow>, ApiError> {
    Err(ApiError::NotBuilt("this master gives the totals over all files only; ask without `source` and `file`"))
}
