//! The verdict on an uploaded file. The file is read as a product feed, by reports, or both; the upload is complete once all of them
//! have committed it.

use anyhow::Result;
use tributary_config::{PRODUCTS, ReportConfig, UPLOADS};
use tributary_store::{FileState, Store};

use crate::reports::Reports;

/// The result of reading one content of a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// At least one reader has neither committed nor rejected it.
    Pending,
    /// All readers have committed it.
    Committed {
        /// Rows read, rejects included.
        rows: u64,
        /// Rows that were rejected.
        rejects: u64,
    },
    /// A reader cannot use the file, for this reason.
    Rejected(String),
}

/// Returns the joint verdict of all readers of this content. A new kind of reader is to be added here.
///
/// # Errors
/// The database fails.
pub(super) fn verdict(store: &mut Store, reports: &Reports, path: &str, hash: &str) -> Result<Verdict> {
    let mut verdicts = Vec::new();
    if reports.is_feed(path) {
        verdicts.push(of_feed(store, path, hash)?);
    }
    for report in reports.claiming(path) {
        verdicts.push(of_report(store, report, path, hash)?);
    }
    Ok(combine(verdicts))
}

/// Returns true if the tables hold nothing of this file.
///
/// # Errors
/// The database fails.
pub(super) fn is_unknown(store: &mut Store, reports: &Reports, path: &str) -> Result<bool> {
    if store.file_of(PRODUCTS, UPLOADS, path)?.is_some() {
        return Ok(false);
    }
    for report in reports.claiming(path) {
        if store.file_of(&report.reader(), UPLOADS, path)?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The verdict of a report that claims the file.
fn of_report(store: &mut Store, report: &ReportConfig, path: &str, hash: &str) -> Result<Verdict> {
    let file = store.file_of(&report.reader(), UPLOADS, path)?;
    let is_current = |found: &Option<String>, reading: &Option<String>| {
        found.as_deref() == Some(hash) && report.is_of_plan(reading.as_deref())
    };
    Ok(match file {
        Some(file) if file.state == FileState::Applied && is_current(&file.hash, &file.reading) => {
            Verdict::Committed { rows: unsigned(file.row_count), rejects: unsigned(file.rejects) }
        }
        Some(file) if file.state == FileState::Rejected && is_current(&file.rejected_hash, &file.rejected_reading) => {
            let why = file.rejected_reason.unwrap_or_default();
            Verdict::Rejected(format!("the report {} cannot use it: {why}", report.name))
        }
        _ => Verdict::Pending,
    })
}

/// The verdict on the file as a product feed.
fn of_feed(store: &mut Store, path: &str, hash: &str) -> Result<Verdict> {
    let Some(file) = store.file_of(PRODUCTS, UPLOADS, path)? else { return Ok(Verdict::Pending) };
    Ok(match file.state {
        FileState::Applied if file.hash.as_deref() == Some(hash) => {
            Verdict::Committed { rows: unsigned(file.row_count), rejects: unsigned(file.rejects) }
        }
        FileState::Rejected if file.rejected_hash.as_deref() == Some(hash) => {
            Verdict::Rejected(file.rejected_reason.unwrap_or_default())
        }
        _ => Verdict::Pending,
    })
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// Joins the verdicts of all readers. A rejection counts once none is pending. Rows are those of the reader that read most,
/// because all of them read the same file; rejects are added up.
fn combine(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
    let joint = verdicts.into_iter().reduce(|joint, next| match (joint, next) {
        (Verdict::Pending, _) | (_, Verdict::Pending) => Verdict::Pending,
        (rejected @ Verdict::Rejected(_), _) | (_, rejected @ Verdict::Rejected(_)) => rejected,
        (Verdict::Committed { rows, rejects }, Verdict::Committed { rows: more, rejects: others }) => {
            Verdict::Committed { rows: rows.max(more), rejects: rejects + others }
        }
    });
    joint.unwrap_or(Verdict::Pending)
}

#[cfg(test)]
mod tests;
