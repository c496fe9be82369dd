//! What the API and the page say of an upload.

use serde::Serialize;
use tributary_config::{ReportConfig, UPLOADS};
use tributary_engine::{Stage, Upload};
use utoipa::ToSchema;

use crate::http::pages::wording::encoded;

/// An upload, and how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Upload)]
pub(crate) struct UploadView {
    /// 32 hex digits.
    pub(crate) id: String,
    /// The file's name, which is its path in the source `uploads`.
    pub(crate) filename: String,
    /// `receiving`, `queued`, `processing`, `complete` (all that read it have committed it) or `failed`.
    pub(crate) state: &'static str,
    /// Bytes that have come.
    pub(crate) bytes: u64,
    /// Bytes in all; null while that is not known.
    pub(crate) total: Option<u64>,
    /// Rows that were read.
    pub(crate) rows: u64,
    /// How far the reading of the file is; null while nobody reads it.
    pub(crate) percent: Option<f64>,
    /// Rows that could not be used.
    pub(crate) rejects: u64,
    /// Why it failed.
    pub(crate) error: Option<String>,
    /// Where to see what it has come to.
    pub(crate) results: Vec<ResultLink>,
    /// When it began, RFC 3339.
    pub(crate) created_at: String,
    /// When it ended, RFC 3339; null while it is under way.
    pub(crate) finished_at: Option<String>,
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
    pub(crate) fn new(upload: Upload, reports: &[ReportConfig]) -> Self {
        let results = results(&upload, reports);
        let Upload { id, filename, created_at, status } = upload;
        Self {
            id,
            filename,
            state: status.stage.as_str(),
            bytes: status.bytes,
            total: status.total,
            rows: status.rows,
            percent: status.percent,
            rejects: status.rejects,
            error: status.error,
            results,
            created_at,
            finished_at: status.finished_at,
        }
    }
}

/// Every kind of reader of uploaded files has its links here.
fn results(upload: &Upload, reports: &[ReportConfig]) -> Vec<ResultLink> {
    if upload.status.stage != Stage::Complete {
        return Vec::new();
    }
    let link = |title: String, href: String| ResultLink { title, href };
    let file = encoded(&upload.filename);
    let claiming = || reports.iter().filter(|report| report.claims(&upload.filename));
    let products = claiming().all(|report| report.feed);
    let products = products.then(|| link("Products".to_owned(), format!("/products?source={UPLOADS}")));
    let of_reports = claiming().flat_map(|ReportConfig { name, .. }| {
        let rows = format!("/api/v1/reports/{name}?source={UPLOADS}&file={file}&format=csv");
        [link(format!("Report {name}"), format!("/reports/{name}")), link(format!("{name} of this file, as CSV"), rows)]
    });
    let rejected = upload.status.rejects > 0;
    let rejected = rejected.then(|| link("Rejected rows".to_owned(), format!("/rejects?source={UPLOADS}&file={file}")));
    products.into_iter().chain(of_reports).chain(rejected).collect()
}
