//! An upload as the API and the page show it.

use serde::Serialize;
use tributary_config::{ReportConfig, UPLOADS};
use tributary_engine::{Document, Stage};
use utoipa::ToSchema;

use crate::http::{
    api::suggestions::{Suggestion, suggestions},
    pages::text::wording::encoded,
};

/// An upload and its progress.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Upload)]
pub(crate) struct UploadView {
    /// 32 hex digits.
    pub(crate) id: String,
    /// Its path in the source `uploads`.
    pub(crate) filename: String,
    /// `receiving`, `queued`, `processing`, `complete` (all that read it have committed it) or `failed`.
    pub(crate) state: &'static str,
    /// Bytes received.
    pub(crate) bytes: u64,
    /// Bytes in total; null while unknown.
    pub(crate) total: Option<u64>,
    /// Rows read.
    pub(crate) rows: u64,
    /// Percentage of the file that is read; null while it is not being read.
    pub(crate) percent: Option<f64>,
    /// Rows that could not be used.
    pub(crate) rejects: u64,
    /// Why it failed.
    pub(crate) error: Option<String>,
    /// Links to its results.
    pub(crate) results: Vec<ResultLink>,
    /// When it began, RFC 3339.
    pub(crate) created_at: String,
    /// When it ended, RFC 3339; null before that.
    pub(crate) finished_at: Option<String>,
    /// Lines for the configuration that would let it be read, if no reader claims it; else empty.
    pub(crate) suggestions: Vec<Suggestion>,
    /// The sender; null: not known.
    pub(crate) sent_by: Option<String>,
}

/// A result of an upload.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct ResultLink {
    /// For people.
    pub(crate) title: String,
    /// A path of this server.
    pub(crate) href: String,
}

impl UploadView {
    /// An upload whose file some of the configured `reports` may claim.
    pub(crate) fn new(document: Document, reports: &[ReportConfig]) -> Self {
        let results = results(&document, reports);
        let suggestions = suggestions(&document.path, &document.header);
        let Document {
            id,
            path,
            stage,
            bytes,
            total,
            rows,
            percent,
            rejects,
            error,
            created_at,
            finished_at,
            sent_by,
            ..
        } = document;
        // One whose place another took has failed for its sender.
        let stage = if stage == Stage::Superseded { Stage::Failed } else { stage };
        Self {
            id,
            filename: path,
            state: stage.as_str(),
            bytes,
            total,
            rows,
            percent,
            rejects,
            error,
            results,
            created_at,
            finished_at,
            suggestions,
            sent_by,
        }
    }
}

/// Links of all kinds of results.
pub(crate) fn results(document: &Document, reports: &[ReportConfig]) -> Vec<ResultLink> {
    if document.stage != Stage::Complete {
        return Vec::new();
    }
    let links = tributary_engine::result_links(reports, UPLOADS, &document.path).into_iter().map(ResultLink::from);
    let file = encoded(&document.path);
    let rejected = (document.rejects > 0).then(|| ResultLink {
        title: "Rows set aside".to_owned(),
        href: format!("/rejects?source={UPLOADS}&file={file}"),
    });
    links.chain(rejected).collect()
}

impl From<tributary_engine::ResultLink> for ResultLink {
    fn from(link: tributary_engine::ResultLink) -> Self {
        let query = link.query.iter().map(|(key, value)| format!("{key}={}", encoded(value)));
        let query = query.collect::<Vec<_>>().join("&");
        let href = if query.is_empty() { link.path } else { format!("{}?{query}", link.path) };
        Self { title: link.title, href }
    }
}
