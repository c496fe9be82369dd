//! `GET /sources`: all sources with their health and sums.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use askama::Template;
use serde::Deserialize;

use super::row::SourceFacts;
use crate::http::{
    api::source_views::Source,
    pages::{
        frame::answer,
        text::wording::{counted, encoded, thousands},
    },
    server::{App, error::ApiError, input},
};

/// The states, in the order in which the page offers them.
const STATES: [&str; 5] = ["up", "rejected", "held", "down", "unknown"];
/// Maximum sources on the page: ten thousand would have seven megabytes.
const MAX_SOURCES: usize = 500;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourcesQuery {
    state: Option<String>,
    q: Option<String>,
}

/// The page at `/sources`.
#[derive(Template)]
#[template(path = "sources.html")]
struct Sources {
    /// The state that the list is filtered by; empty for all.
    state: String,
    /// The part of their names that it is filtered by; empty for all.
    part: String,
    /// The state, link and number of each filter that finds something.
    filters: Vec<(&'static str, String, usize)>,
    /// The link that shows those in all states, and their number.
    all: (String, usize),
    /// Whether any source is configured.
    has_any: bool,
    /// Sources in this state, of which the first are listed.
    found: usize,
    rows: Vec<SourceFacts>,
    sums: Sums,
}

/// The sums over all sources that were found.
struct Sums {
    sources: String,
    files: String,
    report_files: String,
    rows: String,
    rejects: String,
}

/// Shows the sources, or those in one state, or with a part of a name.
pub(crate) async fn show(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let SourcesQuery { state, q } = input::query(&request)?;
    let [state, part] = [state, q].map(|text| input::unless_blank(text).unwrap_or_default());
    if !state.is_empty() && !STATES.contains(&state.as_str()) {
        let why = format!("there is no state `{state}`; the states are `{}`", STATES.join("`, `"));
        return Err(ApiError::BadRequest(why));
    }
    let sources = app.engine.sources().await?.into_iter().map(Source::from).collect();
    answer(&app, StatusCode::OK, &Sources::new(state, part, sources))
}

impl Sources {
    fn new(state: String, part: String, mut sources: Vec<Source>) -> Self {
        let has_any = !sources.is_empty();
        sources.retain(|source| source.name.contains(&part));
        let link = |state: &str| match (state, part.as_str()) {
            ("", "") => "/sources".to_owned(),
            ("", part) => format!("/sources?q={}", encoded(part)),
            (state, "") => format!("/sources?state={state}"),
            (state, part) => format!("/sources?state={state}&q={}", encoded(part)),
        };
        let count = |state: &&'static str| {
            (*state, link(state), sources.iter().filter(|source| source.state == **state).count())
        };
        let filters = STATES.iter().map(count).filter(|(_, _, count)| *count > 0).collect();
        let all = (link(""), sources.len());
        sources.retain(|source| state.is_empty() || source.state == state);
        let sum = |of: fn(&Source) -> i64| thousands(sources.iter().map(of).sum());
        let sums = Sums {
            sources: counted(sources.len() as i64, "source"),
            files: sum(|source| source.files),
            report_files: sum(|source| source.report_files),
            rows: sum(|source| source.rows + source.report_rows),
            rejects: sum(|source| source.rejects + source.report_rejects),
        };
        let found = sources.len();
        let rows = sources.into_iter().take(MAX_SOURCES).map(SourceFacts::from).collect();
        Self { state, part, filters, all, has_any, found, sums, rows }
    }

    /// Whether there is so much that a part of a name is worth asking for.
    fn is_long(&self) -> bool {
        !self.part.is_empty() || self.all.1 > MAX_SOURCES / 10
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::{sources::source::tests::evil_source, text::escaping::check};

    #[test]
    fn whatever_sources_say_is_text_on_the_page() {
        check(&Sources::new(String::new(), String::new(), vec![evil_source()]));
    }

    #[test]
    fn the_page_is_bounded_and_counts_all() {
        let source = |number: usize| {
            let state = if number.is_multiple_of(10) { "down" } else { "up" };
            Source { name: format!("s{number:04}"), state: state.to_owned(), files: 1, ..evil_source() }
        };
        let check = |state: &str, part: &str, expect: (usize, usize, usize)| {
            let page = Sources::new(state.to_owned(), part.to_owned(), (0..2_000).map(source).collect());
            assert_eq!((page.rows.len(), page.found, page.all.1), expect, "{state} {part}");
            assert_eq!(page.sums.files, thousands(expect.1 as i64), "the sums are those of all that were found");
        };
        check("", "", (MAX_SOURCES, 2_000, 2_000));
        check("down", "", (200, 200, 2_000));
        check("down", "s01", (10, 10, 100));
        check("", "north", (0, 0, 0));
        let page = Sources::new("down".to_owned(), "s&1".to_owned(), vec![Source { name: "s&1".into(), ..source(0) }]);
        assert_eq!(page.filters, [("down", "/sources?state=down&q=s%261".to_owned(), 1)]);
    }
}
