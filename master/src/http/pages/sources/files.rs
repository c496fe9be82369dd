//! `GET /files`: the product feeds, and what was guessed when they were read.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use askama::Template;
use serde::Deserialize;
use tributary_config::PRODUCTS;

use crate::http::{
    api::source_views::File,
    pages::{frame::answer, text::wording::encoded},
    server::{App, error::ApiError, input},
};

/// Maximum files on the page.
const MAX_FILES: usize = 500;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FilesQuery {
    source: Option<String>,
}

/// The page at `/files`.
#[derive(Template)]
#[template(path = "files.html")]
struct Files {
    /// The source that the list is filtered by.
    of: Option<String>,
    rows: Vec<File>,
    is_cut: bool,
    /// The link to all of them, up to the name of the format.
    downloads: String,
}

impl File {
    fn rejects_link(&self) -> String {
        format!("/rejects?source={}&file={}", encoded(&self.source), encoded(&self.path))
    }
}

/// The files of one source or of all.
pub(crate) async fn show(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let FilesQuery { source } = input::query(&request)?;
    let of = input::unless_blank(source);
    let mut rows = app.engine.files(PRODUCTS.to_owned(), of.clone(), MAX_FILES as i64 + 1).await?;
    let is_cut = rows.len() > MAX_FILES;
    rows.truncate(MAX_FILES);
    let filter = of.as_deref().map(|source| format!("source={}&", encoded(source))).unwrap_or_default();
    let downloads = format!("/api/v1/files?{filter}format=");
    let rows = rows.into_iter().map(File::from).collect();
    answer(&app, StatusCode::OK, &Files { of, rows, is_cut, downloads })
}
