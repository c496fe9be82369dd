//! `GET /sources/{name}`: one source: its health, what it holds back, its last errors, its files.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use askama::Template;
use serde::Deserialize;
use tributary_config::PRODUCTS;
use tributary_engine::{HistoryPoint, HistorySpan, SourceDetail};

use super::{durations, row::SourceFacts};
use crate::http::{
    api::source_views::{File, Source, SourceError},
    pages::{
        frame::answer,
        plot::{self, Plot, SpanLink},
        text::{
            moment::Moment,
            wording::{counted, encoded, thousands},
        },
    },
    server::{App, error::ApiError, input},
};

/// Files per page.
const FILES: i64 = 100;
/// Letters of a hash that the page shows; all are in its title.
const HASH_LETTERS: usize = 12;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceQuery {
    span: Option<String>,
    /// `rejected`: only files whose latest content is rejected.
    files: Option<FileState>,
    #[serde(default)]
    offset: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FileState {
    All,
    Rejected,
}

/// The page at `/sources/{name}`.
#[derive(Template)]
#[template(path = "source.html")]
struct SourcePage {
    facts: SourceFacts,
    /// Its last passes and applies.
    plots: Vec<Plot>,
    /// The spans that the plots can cover.
    spans: Vec<SpanLink>,
    errors: Vec<ErrorLine>,
    files: Vec<FileLine>,
    only_rejected: bool,
    /// Links to the files before and behind these.
    earlier: Option<String>,
    more: Option<String>,
    /// The link to all product feeds of the source, up to the name of the format.
    downloads: String,
}

/// One of the last errors.
struct ErrorLine {
    text: String,
    first_at: Option<Moment>,
    last_at: Option<Moment>,
    /// Words for the number of times; none if once.
    times: Option<String>,
}

/// One file as one reader knows it.
struct FileLine {
    path: String,
    /// The report that reads it; none for a product feed.
    report: Option<String>,
    state: String,
    size: String,
    rows: String,
    rejects: String,
    rejects_link: Option<String>,
    repaired: String,
    format: Option<String>,
    reason: Option<String>,
    notes: Option<String>,
    /// The whole hash and its beginning.
    hash: Option<(String, String)>,
    applied_at: Option<Moment>,
}

/// Shows one source.
pub(crate) async fn show(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let SourceQuery { span, files, offset } = input::query(&request)?;
    let span = plot::span(span)?;
    let (only_rejected, offset) = (files == Some(FileState::Rejected), offset.max(0));
    let name = input::path_name(&request)?;
    let Some(SourceDetail { source, files, points }) =
        app.engine.source(name.clone(), only_rejected, (offset, FILES + 1), span).await?
    else {
        return Err(ApiError::NotFound(format!("there is no source `{name}`; `/sources` lists all")));
    };
    let files = files.into_iter().map(File::from).collect();
    let page = SourcePage::new(source.into(), files, (only_rejected, offset), (&points, span));
    answer(&app, StatusCode::OK, &page)
}

impl SourcePage {
    fn new(
        mut source: Source,
        mut files: Vec<File>,
        (only_rejected, offset): (bool, i64),
        (points, shown): (&[HistoryPoint], HistorySpan),
    ) -> Self {
        let name = encoded(&source.name);
        let filter = if only_rejected { "rejected" } else { "all" };
        let link = |offset: i64| format!("/sources/{name}?files={filter}&offset={offset}#files");
        let has_more = files.len() as i64 > FILES;
        files.truncate(FILES as usize);
        let errors = std::mem::take(&mut source.errors);
        Self {
            plots: durations::plots(points, shown),
            spans: SpanLink::all(shown, |span| format!("/sources/{name}?span={span}#durations")),
            errors: errors.into_iter().map(ErrorLine::from).collect(),
            files: files.into_iter().map(FileLine::from).collect(),
            only_rejected,
            earlier: (offset > 0).then(|| link((offset - FILES).max(0))),
            more: has_more.then(|| link(offset + FILES)),
            downloads: format!("/api/v1/files?source={name}&format="),
            facts: SourceFacts::from(source),
        }
    }
}

impl From<SourceError> for ErrorLine {
    fn from(SourceError { error, first_at, last_at, count }: SourceError) -> Self {
        let times = (count > 1).then(|| counted(i64::try_from(count).unwrap_or(i64::MAX), "time"));
        Self { text: error, first_at: Moment::new(&first_at), last_at: Moment::new(&last_at), times }
    }
}

impl From<File> for FileLine {
    fn from(file: File) -> Self {
        let report = (file.reader != PRODUCTS).then(|| file.reader.clone());
        let of_report = report.as_deref().map(|report| format!("&report={}", encoded(report))).unwrap_or_default();
        let rejects_link = format!("/rejects?source={}&file={}{of_report}", encoded(&file.source), encoded(&file.path));
        let has_rejects = file.rejects > 0 || file.reason.is_some();
        let short = |hash: &str| {
            let digits = hash.split_once(':').map_or(hash, |(_, digits)| digits);
            digits.chars().take(HASH_LETTERS).collect()
        };
        Self {
            report,
            state: file.state,
            size: tributary_cli_common::bars::HumanBytes(file.size_bytes.unsigned_abs()).to_string(),
            rows: thousands(file.rows),
            rejects: thousands(file.rejects),
            rejects_link: has_rejects.then_some(rejects_link),
            repaired: thousands(file.repaired),
            format: file.format,
            reason: file.reason,
            notes: file.notes,
            hash: file.hash.map(|hash| (hash.clone(), short(&hash))),
            applied_at: file.applied_at.as_deref().and_then(Moment::new),
            path: file.path,
        }
    }
}

#[cfg(test)]
pub(in crate::http::pages) mod tests {
    use super::*;
    use crate::http::{
        api::source_views::{Held, Running},
        pages::text::escaping::{EVIL, check},
    };

    /// A source of which every text is hostile.
    pub(in crate::http::pages) fn evil_source() -> Source {
        let held = Held {
            digest: EVIL.into(),
            removes: 1,
            offers: 1,
            reason: EVIL.into(),
            since: EVIL.into(),
            until: None,
            accepted: false,
            accepted_by: None,
            accepted_at: None,
        };
        let since = "2026-11-29T12:00:00Z".into();
        let running = Running { since, seconds: 9.0, phase: "reading", files: 2, files_read: 1, bytes: 1 };
        let error =
            SourceError { error: EVIL.into(), first_at: EVIL.into(), last_at: "2026-11-29T12:00:00Z".into(), count: 2 };
        Source {
            name: EVIL.into(),
            url: EVIL.into(),
            state: "held".into(),
            version: Some(EVIL.into()),
            files: 1,
            offers: 1,
            rejects: 1,
            last_sensed: Some(EVIL.into()),
            last_applied: Some(EVIL.into()),
            error: Some(EVIL.into()),
            note: Some(EVIL.into()),
            held: Some(held),
            rows: 1,
            report_files: 1,
            report_rows: 1,
            report_rejects: 1,
            took_seconds: Some(0.5),
            slow_since: None,
            next_try: None,
            errors: vec![error],
            rejected_files: 1,
            running: Some(running),
        }
    }

    #[test]
    fn whatever_sources_and_files_say_is_text_on_the_page() {
        let file = File {
            source: EVIL.into(),
            path: EVIL.into(),
            state: "applied".into(),
            hash: Some(EVIL.into()),
            size_bytes: 1,
            rows: 1,
            offers: 1,
            rejects: 1,
            repaired: 1,
            replaced: 1,
            reason: Some(EVIL.into()),
            notes: Some(EVIL.into()),
            reader: EVIL.into(),
            format: Some(EVIL.into()),
            applied_at: Some(EVIL.into()),
        };
        check(&SourcePage::new(evil_source(), vec![file], (false, 100), (&[], HistorySpan::Hour)));
    }
}
