//! `/`: a page that shows people what the source holds. It runs no script.

use actix_web::{
    HttpResponse, Responder,
    http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, ContentType},
    web,
};
use askama::Template;
use chrono::{DateTime, Utc};
use tributary_folder_watch::{Entry, LeftOutReason, Snapshot};

use super::read_file;
use crate::{
    http::{app::App, error::ApiError, headers::revalidate},
    left_out::in_words,
};

/// Allows only our own style sheet, and no framing.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Longest list on the page; the manifest has all of it.
const MAX_ROWS: usize = 1000;
const STYLE: &str = include_str!("../style.css");

#[derive(Template)]
#[template(path = "source.html")]
struct Page<'a> {
    name: &'a str,
    version: &'a str,
    changed_at: String,
    file_count: usize,
    bytes: String,
    files: Vec<Row<'a>>,
    /// Number of files that are not shown.
    left_out: usize,
    unreadable: Vec<UnreadableRow<'a>>,
    unreadable_count: usize,
    not_offered: Vec<NotOffered<'a>>,
}

struct NotOffered<'a> {
    reason: String,
    count: u64,
    example: &'a str,
}

struct UnreadableRow<'a> {
    path: &'a str,
    error: &'a str,
}

struct Row<'a> {
    path: &'a str,
    link: String,
    size: String,
    modified: String,
    is_partial: bool,
}

impl<'a> From<&'a Entry> for Row<'a> {
    fn from(entry: &'a Entry) -> Self {
        let modified = people_time(entry.modified());
        Self {
            path: &entry.path,
            link: read_file::link(&entry.path),
            size: people_bytes(entry.size),
            modified,
            is_partial: entry.is_partial,
        }
    }
}

/// Shows the page.
pub(crate) async fn show(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let snapshot = app.snapshot()?;
    let page = page(&app.name, &snapshot).render().map_err(|error| ApiError::internal(&error))?;
    let mut response = HttpResponse::Ok();
    response.insert_header(ContentType::html()).insert_header((CONTENT_SECURITY_POLICY, POLICY));
    Ok(response.insert_header(revalidate()).body(page))
}

/// Sends the page's style sheet.
pub(crate) async fn style() -> impl Responder {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/css; charset=utf-8")).body(STYLE)
}

fn page<'a>(name: &'a str, snapshot: &'a Snapshot) -> Page<'a> {
    let unreadable = snapshot.unreadable.iter().map(|(path, error)| UnreadableRow { path, error });
    Page {
        name,
        version: &snapshot.version,
        changed_at: people_time(snapshot.changed_at.into()),
        file_count: snapshot.entries.len(),
        bytes: people_bytes(snapshot.entries.bytes()),
        files: snapshot.entries.iter().take(MAX_ROWS).map(Row::from).collect(),
        left_out: snapshot.entries.len().saturating_sub(MAX_ROWS),
        unreadable: unreadable.take(MAX_ROWS).collect(),
        unreadable_count: snapshot.unreadable.len(),
        not_offered: snapshot.left_out.iter().map(not_offered).collect(),
    }
}

fn not_offered((reason, count, example): (LeftOutReason, u64, &str)) -> NotOffered<'_> {
    NotOffered { reason: in_words(reason), count, example }
}

fn people_time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S").to_string()
}

fn people_bytes(bytes: u64) -> String {
    let units = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    let unit = units.into_iter().find(|(_, size)| bytes as f64 >= *size);
    unit.map_or_else(|| format!("{bytes} bytes"), |(name, size)| format!("{:.1} {name}", bytes as f64 / size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        for (bytes, expect) in [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (2_000_000_000, "2.0 GB")] {
            assert_eq!(people_bytes(bytes), expect);
        }
    }
}
