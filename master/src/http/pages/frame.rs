//! The frame of every page: how a page becomes an answer, and the page of a problem.

use std::any::Any;

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, ContentType},
    },
};
use askama::Template;

use crate::http::server::{App, error::ApiError};

/// A problem as a page.
#[derive(Template)]
#[template(path = "problem.html")]
pub(crate) struct ProblemPage {
    pub(crate) status: u16,
    pub(crate) title: String,
    pub(crate) detail: String,
}

/// Renders a page. The layout gets whether there are reports to link to.
pub(crate) fn answer(app: &App, status: StatusCode, page: &impl Template) -> Result<HttpResponse, ApiError> {
    let has_reports: &dyn Any = &!app.engine.reports().is_empty();
    let frame = ("has_reports", has_reports);
    let body = page.render_with_values(&frame).map_err(|error| ApiError::from(anyhow::Error::new(error)))?;
    let mut response = HttpResponse::build(status);
    Ok(response.insert_header(ContentType::html()).insert_header((CACHE_CONTROL, "no-store")).body(body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::text::escaping::{EVIL, check};

    #[test]
    fn whatever_was_wrong_is_text_on_the_page() {
        check(&ProblemPage { status: 404, title: EVIL.into(), detail: EVIL.into() });
    }
}
