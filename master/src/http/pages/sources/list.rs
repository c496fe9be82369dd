//! `GET /sources`: all sources with their health and sums.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use askama::Template;
use serde::Deserialize;

use super::row::SourceFacts;
use crate::http::{
    api::source_views::Source,
    pages::{
        frame::answer,
        text::wording::{counted, thousands},
    },
    server::{App, error::ApiError, input},
};

/// The states, in the order in which the page offers them.
const STATES: [&str; 5] = ["up", "rejected", "held", "down", "unknown"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourcesQuery {
    state: Option<String>,
}

/// The page at `/sources`.
#[derive(Template)]
#[template(path = "sources.html")]
struct Sources {
    /// The state that the list is filtered by; empty for all.
    state: String,
    /// State and number of each filter that finds something.
    filters: Vec<(&'static str, usize)>,
    all: usize,
    rows: Vec<SourceFacts>,
    sums: Sums,
}

/// The sums over the sources that are listed.
struct Sums {
    sources: String,
    files: String,
    report_files: String,
    rows: String,
    rejects: String,
}

/// Shows the sources, or those in one state.
pub(crate) async fn show(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let SourcesQuery { state } = input::query(&request)?;
    let state = input::unless_blank(state).unwrap_or_default();
    if !state.is_empty() && !STATES.contains(&state.as_str()) {
        let why = format!("there is no state `{state}`; the states are `{}`", STATES.join("`, `"));
        return Err(ApiError::BadRequest(why));
    }
    let sources = app.engine.sources().await?.into_iter().map(Source::from).collect();
    answer(&app, StatusCode::OK, &Sources::new(state, sources))
}

impl Sources {
    fn new(state: String, mut sources: Vec<Source>) -> Self {
        let count = |state: &&'static str| (*state, sources.iter().filter(|source| source.state == **state).count());
        let filters = STATES.iter().map(count).filter(|(_, count)| *count > 0).collect();
        let all = sources.len();
        sources.retain(|source| state.is_empty() || source.state == state);
        let sum = |of: fn(&Source) -> i64| thousands(sources.iter().map(of).sum());
        let sums = Sums {
            sources: counted(sources.len() as i64, "source"),
            files: sum(|source| source.files),
            report_files: sum(|source| source.report_files),
            rows: sum(|source| source.rows + source.report_rows),
            rejects: sum(|source| source.rejects + source.report_rejects),
        };
        Self { state, filters, all, sums, rows: sources.into_iter().map(SourceFacts::from).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::{sources::source::tests::evil_source, text::escaping::check};

    #[test]
    fn whatever_sources_say_is_text_on_the_page() {
        check(&Sources::new(String::new(), vec![evil_source()]));
    }
}
