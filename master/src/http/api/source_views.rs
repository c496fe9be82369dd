//! The JSON of sources, their files and rejects (docs/reference/http-api.md).

use serde::Serialize;
use tributary_config::report_of;
use tributary_csv_gate::explain;
use tributary_engine::{FileView, HeldVersionRow, RecentError, RejectView, RunningPass, SourceHealth, SourceView};
use utoipa::ToSchema;

/// A source and its health.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Source {
    /// Its identity.
    pub(crate) name: String,
    /// Its URL.
    pub(crate) url: String,
    /// `unknown` before the first pass, `down` if the last one failed, `held` if its version waits for a person, `rejected` if a file
    /// is or more rows are than are not, else `up`.
    pub(crate) state: String,
    /// The last version that was applied completely.
    pub(crate) version: Option<String>,
    /// Number of its product feeds.
    pub(crate) files: i64,
    /// Offers of all its product feeds, shown or not.
    pub(crate) offers: i64,
    /// Rejected rows of all its product feeds.
    pub(crate) rejects: i64,
    /// When it last answered, RFC 3339.
    pub(crate) last_sensed: Option<String>,
    /// When a change of it was last applied, RFC 3339.
    pub(crate) last_applied: Option<String>,
    /// Why the last pass failed, which files are rejected, or what is held.
    pub(crate) error: Option<String>,
    /// A remark on what it offers: that it offers no file and why, or which files never rest.
    pub(crate) note: Option<String>,
    /// The version that waits for a person, because it would take too much away; null if none does.
    pub(crate) held: Option<Held>,
    /// Rows of all its product feeds, rejects included.
    pub(crate) rows: i64,
    /// Files that reports read. One that several reports read counts once.
    pub(crate) report_files: i64,
    /// Rows of those files, rejects included, of each report that reads them.
    pub(crate) report_rows: i64,
    /// Rows that reports cannot use.
    pub(crate) report_rejects: i64,
    /// Duration of the last pass; null before the first since the start.
    pub(crate) took_seconds: Option<f64>,
    /// `since` of `running` if the source is slow: its pass has been under way for more than 10 seconds; else null.
    pub(crate) slow_since: Option<String>,
    /// When it is asked next, RFC 3339; null while it is being asked.
    pub(crate) next_try: Option<String>,
    /// The last distinct errors since the start, the latest first; at most 20.
    pub(crate) errors: Vec<SourceError>,
    /// Files whose latest content is rejected, of products and of reports.
    pub(crate) rejected_files: i64,
    /// The pass that is under way; null if none is.
    pub(crate) running: Option<Running>,
}

/// A pass over a source that is under way.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Running {
    /// When it began, RFC 3339.
    pub(crate) since: String,
    /// Duration so far.
    pub(crate) seconds: f64,
    /// `listing`, `reading` or `applying`.
    pub(crate) phase: &'static str,
    /// Files to read, as far as they are known.
    pub(crate) files: u64,
    /// Files that were read, or could not be.
    pub(crate) files_read: u64,
    /// Bytes that have arrived or were read.
    pub(crate) bytes: u64,
}

/// An error of a source.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SourceError {
    /// The error.
    pub(crate) error: String,
    /// When it was first seen, RFC 3339.
    pub(crate) first_at: String,
    /// When it was last seen, RFC 3339.
    pub(crate) last_at: String,
    /// Passes that ended with it.
    pub(crate) count: u64,
}

/// A version that waits for a person.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Held {
    /// Digest of what is held; the same as long as the same skus would go.
    pub(crate) digest: String,
    /// Number of skus that would go.
    pub(crate) removes: i64,
    /// Distinct skus that the source offers.
    pub(crate) offers: i64,
    /// Reason, for people: what would go and why.
    pub(crate) reason: String,
    /// Since when the same skus would go, RFC 3339.
    pub(crate) since: String,
    /// When it is applied by itself, RFC 3339; null: never.
    pub(crate) until: Option<String>,
    /// Whether it was accepted; then the next pass applies it.
    pub(crate) accepted: bool,
    /// The person or program that accepted it; null: nobody, or not known.
    pub(crate) accepted_by: Option<String>,
    /// When it was accepted, RFC 3339; null before that.
    pub(crate) accepted_at: Option<String>,
}

/// A file as one reader knows it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct File {
    /// The source's name.
    pub(crate) source: String,
    /// Its path.
    pub(crate) path: String,
    /// `applied`, `rejected` or `changing`: the state of its latest content.
    pub(crate) state: String,
    /// Hash of the accepted content; null while none was accepted.
    pub(crate) hash: Option<String>,
    /// Its size.
    pub(crate) size_bytes: i64,
    /// Its rows, rejects included.
    pub(crate) rows: i64,
    /// Distinct skus that it offers, or groups that it gives to a report.
    pub(crate) offers: i64,
    /// Its rejects.
    pub(crate) rejects: i64,
    /// Rows of it with a stray quote that was read leniently.
    pub(crate) repaired: i64,
    /// Good rows of it that a later row replaces, or that a report leaves out.
    pub(crate) replaced: i64,
    /// Reason why the latest content was rejected.
    pub(crate) reason: Option<String>,
    /// Notes on what was guessed or left out, for people.
    pub(crate) notes: Option<String>,
    /// `products`, or the name of the report that reads it.
    pub(crate) reader: String,
    /// The format in which the accepted content is written, in a few words; null if not known.
    pub(crate) format: Option<String>,
    /// When the accepted content was applied, RFC 3339; null if not known.
    pub(crate) applied_at: Option<String>,
}

/// A row that could not be used.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reject {
    /// The source's name.
    pub(crate) source: String,
    /// The file's path.
    pub(crate) file: String,
    /// The line on which the row begins; the first line is 1.
    pub(crate) line: i64,
    /// Why it could not be used.
    pub(crate) reason: String,
    /// The raw text, cut at 1 KiB.
    pub(crate) raw: String,
    /// The report that could not use the row; null for a row that is no product.
    pub(crate) report: Option<String>,
    /// The way to fix it, for people; null if that is not known.
    pub(crate) cure: Option<String>,
    /// Offset of the row in the unpacked and decoded file; the first byte is 0.
    pub(crate) byte_offset: i64,
}

impl From<RejectView> for Reject {
    fn from(RejectView { id: _, reader, source, file, line, byte_offset, reason, raw }: RejectView) -> Self {
        let cure = explain(&reason).cure.map(str::to_owned);
        let report = report_of(&reader).map(str::to_owned);
        Self { source, file, line, reason, raw, report, cure, byte_offset }
    }
}

impl From<FileView> for File {
    fn from(row: FileView) -> Self {
        let reader = report_of(&row.reader).unwrap_or(&row.reader).to_owned();
        Self {
            source: row.source,
            path: row.path,
            state: row.state.to_string(),
            hash: row.hash,
            size_bytes: row.size_bytes,
            rows: row.rows,
            offers: row.results,
            rejects: row.rejects,
            repaired: row.repaired,
            replaced: row.unused,
            reason: row.reason,
            notes: row.notes,
            reader,
            format: row.format,
            applied_at: row.applied_at,
        }
    }
}

impl From<HeldVersionRow> for Held {
    fn from(row: HeldVersionRow) -> Self {
        let HeldVersionRow {
            digest,
            removes,
            offers,
            reason,
            held_since,
            held_until,
            accepted,
            accepted_by,
            accepted_at,
            source_id: _,
        } = row;
        Self {
            digest,
            removes,
            offers,
            reason,
            since: held_since,
            until: held_until,
            accepted,
            accepted_by,
            accepted_at,
        }
    }
}

impl From<SourceHealth> for Source {
    fn from(SourceHealth { stored, status }: SourceHealth) -> Self {
        let errors = status.errors().iter().cloned().map(SourceError::from).collect();
        let slow_since = status.slow().map(|pass| pass.since);
        let took_seconds = status.state.map(|_| status.took.as_secs_f64());
        let SourceView {
            name,
            url,
            state,
            version,
            sums,
            others,
            rejected_files,
            last_sensed,
            last_applied,
            error,
            held,
        } = stored;
        let running = status.running().map(Running::from);
        let (state, error) = match status.state {
            Some(newer) => (newer, status.error),
            None => (state, error),
        };
        Self {
            name,
            url,
            state: state.to_string(),
            version,
            files: sums.files,
            offers: sums.results,
            rejects: sums.rejects,
            last_sensed: status.last_sensed.or(last_sensed),
            last_applied,
            error,
            note: status.note,
            held: held.map(Held::from),
            rows: sums.rows,
            report_files: others.files,
            report_rows: others.rows,
            report_rejects: others.rejects,
            took_seconds,
            rejected_files,
            running,
            slow_since,
            next_try: status.next_try,
            errors,
        }
    }
}

impl From<RunningPass> for Running {
    fn from(pass: RunningPass) -> Self {
        let seconds = pass.elapsed().as_secs_f64();
        let RunningPass { since, phase, files, files_read, bytes, .. } = pass;
        Self { since, seconds, phase, files, files_read, bytes }
    }
}

impl From<RecentError> for SourceError {
    fn from(RecentError { text, first_at, last_at, count }: RecentError) -> Self {
        Self { error: text, first_at, last_at, count }
    }
}
