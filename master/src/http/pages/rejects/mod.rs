//! `GET /rejects`: the rows that were set aside.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use askama::Template;
use serde::Deserialize;

use crate::http::{
    api::views::Reject,
    pages::{
        frame::answer,
        text::wording::{encoded, thousands},
    },
    server::{App, error::ApiError, input},
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RejectsQuery {
    source: Option<String>,
    file: Option<String>,
    report: Option<String>,
}

/// The rejects, the newest first.
pub(crate) async fn show(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    const MOST: i64 = 200;
    let RejectsQuery { source, file, report } = input::query(&request)?;
    let [source, file, report] = [source, file, report].map(input::unless_blank);
    let (rows, total) = app.engine.rejects(report.clone(), source.clone(), file.clone(), MOST).await?;
    let items = rows.into_iter().map(Reject::from).collect();
    let query = [("source", &source), ("file", &file), ("report", &report)];
    let of = file.as_ref().or(source.as_ref()).or(report.as_ref()).cloned();
    answer(&app, StatusCode::OK, &Rejects::new(of, items, total, &query))
}

/// The page at `/rejects`.
#[derive(Template)]
#[template(path = "rejects.html")]
pub(crate) struct Rejects {
    /// The file, source or report that the list is filtered by.
    of: Option<String>,
    rows: Vec<Reject>,
    total: String,
    /// The link to all of them, up to the name of the format.
    downloads: String,
}

impl Rejects {
    /// The newest rejects. `query` is the selection, for the link to all of them.
    pub(crate) fn new(of: Option<String>, rows: Vec<Reject>, total: i64, query: &[(&str, &Option<String>)]) -> Self {
        let asked = query.iter().filter_map(|(key, text)| Some(format!("{key}={}&", encoded(text.as_deref()?))));
        let downloads = format!("/api/v1/rejects?{}format=", asked.collect::<String>());
        Self { of, rows, total: thousands(total), downloads }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::text::escaping::{EVIL, check};

    #[test]
    fn whatever_feeds_write_is_text_on_the_page() {
        let reject = Reject {
            source: EVIL.into(),
            file: EVIL.into(),
            line: 1,
            reason: EVIL.into(),
            raw: EVIL.into(),
            report: Some(EVIL.into()),
        };
        check(&Rejects::new(Some(EVIL.into()), vec![reject], 1, &[("file", &Some(EVIL.to_owned()))]));
    }
}
