//! What those who read an uploaded file have made of it. An upload is complete when all of them have committed it.

use anyhow::Result;
use tributary_config::{ReportConfig, UPLOADS};
use tributary_store::{FileState, ReportFileRow, Store};

use crate::reports::Reports;

/// What has become of a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// Somebody still reads it, or nobody has begun to.
    Pending,
    /// All who read it have committed it.
    Committed {
        /// Rows that were read, rejects included.
        rows: u64,
        /// Those that could not be used.
        rejects: u64,
    },
    /// It cannot be used, and why.
    Rejected(String),
}

/// What one who may read the file says. A new kind of reader gets a voice in [`verdict`].
#[derive(Debug)]
enum Voice {
    /// It does not read this file.
    NotMine,
    /// As the verdict of the same name.
    Said(Verdict),
}

/// Has everything that reads this content committed it?
///
/// # Errors
/// The database fails.
pub(super) fn verdict(store: &mut Store, reports: &Reports, path: &str, hash: &str) -> Result<Verdict> {
    let mut voices = vec![if reports.is_feed(path) { product_feed(store, path, hash)? } else { Voice::NotMine }];
    for report in reports.claiming(path) {
        voices.push(of_report(store, report, path, hash)?);
    }
    Ok(together(voices))
}

/// Whether nobody has anything of this file.
///
/// # Errors
/// The database fails.
pub(super) fn is_unknown(store: &mut Store, reports: &Reports, path: &str) -> Result<bool> {
    if store.file_of(UPLOADS, path)?.is_some() {
        return Ok(false);
    }
    for report in reports.claiming(path) {
        if reported(store, report, path)?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What a report has of the file.
fn reported(store: &mut Store, report: &ReportConfig, path: &str) -> Result<Option<ReportFileRow>> {
    let sources = store.sources()?;
    let uploads = sources.iter().find(|source| source.name == UPLOADS).map(|source| source.id);
    let files = store.report_files(&report.name)?;
    Ok(files.into_iter().find(|file| Some(file.source_id) == uploads && file.path == path))
}

/// The file as one that a report claims.
fn of_report(store: &mut Store, report: &ReportConfig, path: &str, hash: &str) -> Result<Voice> {
    let file = reported(store, report, path)?;
    let is = |found: &Option<String>, reading: &Option<String>| {
        found.as_deref() == Some(hash) && reading.as_deref() == Some(report.plan.digest())
    };
    Ok(Voice::Said(match file {
        Some(file) if file.state == FileState::Applied && is(&file.hash, &file.reading) => {
            Verdict::Committed { rows: count(file.row_count), rejects: count(file.rejects) }
        }
        Some(file) if file.state == FileState::Rejected && is(&file.rejected_hash, &file.rejected_reading) => {
            let why = file.rejected_reason.unwrap_or_default();
            Verdict::Rejected(format!("the report {} cannot use it: {why}", report.name))
        }
        _ => Verdict::Pending,
    }))
}

fn count(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// The file as a product feed.
fn product_feed(store: &mut Store, path: &str, hash: &str) -> Result<Voice> {
    let Some(file) = store.file_of(UPLOADS, path)? else { return Ok(Voice::Said(Verdict::Pending)) };
    Ok(Voice::Said(match file.state {
        FileState::Applied if file.hash.as_deref() == Some(hash) => {
            Verdict::Committed { rows: count(file.row_count), rejects: count(file.rejects) }
        }
        FileState::Rejected if file.rejected_hash.as_deref() == Some(hash) => {
            Verdict::Rejected(file.rejected_reason.unwrap_or_default())
        }
        _ => Verdict::Pending,
    }))
}

/// One who rejects it decides once all have spoken; of those who have committed it, the one who read most rows counts them.
fn together(voices: impl IntoIterator<Item = Voice>) -> Verdict {
    let mut sum = None;
    for voice in voices {
        let Voice::Said(said) = voice else { continue };
        sum = Some(match (sum, said) {
            (None, said) => said,
            (Some(Verdict::Pending), _) | (_, Verdict::Pending) => Verdict::Pending,
            (Some(rejected @ Verdict::Rejected(_)), _) | (_, rejected @ Verdict::Rejected(_)) => rejected,
            (Some(Verdict::Committed { rows, rejects }), Verdict::Committed { rows: more, rejects: others }) => {
                Verdict::Committed { rows: rows.max(more), rejects: rejects + others }
            }
        });
    }
    sum.unwrap_or(Verdict::Pending)
}

#[cfg(test)]
mod tests {
    use tributary_store::FileRow;

    use super::*;

    fn store_url(folder: &tempfile::TempDir) -> tributary_store::DatabaseUrl {
        folder.path().join("database.db").to_str().unwrap().parse().unwrap()
    }

    #[test]
    fn a_feed_is_committed_or_rejected_by_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&store_url(&folder)).unwrap();
        let none = Reports::new(&[], store_url(&folder));
        let check =
            |store: &mut Store, hash: &str, expect| assert_eq!(verdict(store, &none, "a.csv", hash).unwrap(), expect);
        check(&mut store, "h", Verdict::Pending);
        let source = store.put_source(UPLOADS, "file:///", 0, 0).unwrap();
        let file = store.insert_file(source, "a.csv").unwrap();
        check(&mut store, "h", Verdict::Pending);
        let applied = FileRow {
            hash: Some("h".into()),
            reading: Some("r".into()),
            row_count: 9,
            rejects: 2,
            state: FileState::Applied,
            ..file
        };
        store.update_file(&applied).unwrap();
        check(&mut store, "h", Verdict::Committed { rows: 9, rejects: 2 });
        check(&mut store, "later", Verdict::Pending);
        let rejected = FileRow {
            state: FileState::Rejected,
            rejected_hash: Some("later".into()),
            rejected_reading: Some("r".into()),
            rejected_reason: Some("no header".into()),
            ..applied
        };
        store.update_file(&rejected).unwrap();
        check(&mut store, "later", Verdict::Rejected("no header".into()));
        check(&mut store, "h", Verdict::Pending);
    }

    #[test]
    fn all_readers_have_a_voice() {
        let committed = |rows, rejects| Verdict::Committed { rows, rejects };
        let rejected = || Verdict::Rejected("why".into());
        let check = |voices: Vec<Voice>, expect| assert_eq!(together(voices), expect);
        let said = |verdicts: Vec<Verdict>| verdicts.into_iter().map(Voice::Said).chain([Voice::NotMine]).collect();
        check(said(vec![]), Verdict::Pending);
        check(said(vec![committed(3, 1), committed(5, 2)]), committed(5, 3));
        check(said(vec![committed(3, 1), Verdict::Pending]), Verdict::Pending);
        check(said(vec![rejected(), Verdict::Pending]), Verdict::Pending);
        check(said(vec![rejected(), committed(3, 1)]), rejected());
    }
}
