//! The totals of some of a report's files: those of one source, or of one path.

use anyhow::Result;
use tributary_store::{GroupRow, Store};

use crate::{config::ReportConfig, reports::rows_of};

/// The rows of a report over the files of `source`, or of the path `file`, or both, in order of their groups.
///
/// # Errors
/// The database fails or is damaged.
pub(crate) fn filtered_rows(
    store: &mut Store,
    report: &ReportConfig,
    source: Option<&str>,
    file: Option<&str>,
) -> Result<Vec<GroupRow>> {
    let sources = store.sources()?;
    let of = |name: &str| sources.iter().find(|known| known.name == name).map(|known| known.id);
    // A source that is not there has no files.
    let wanted_source = source.map(of);
    rows_of(store, report, |row| {
        wanted_source.is_none_or(|wanted| wanted == Some(row.source_id)) && file.is_none_or(|file| file == row.path)
    })
}
