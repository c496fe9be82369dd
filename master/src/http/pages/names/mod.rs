//! `GET /names`: the names, or the values of the column that is counted in their place.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use askama::Template;
use serde::Deserialize;
use tributary_config::CatalogConfig;
use tributary_engine::{AggrOrder, AggrRow, MAX_SEARCHED_NAMES, NameSearch};

use crate::http::{
    pages::{
        frame::answer,
        product::label,
        text::wording::{encoded, thousands},
    },
    server::{App, error::ApiError, input},
};

/// Rows per page.
const ROWS: i64 = 50;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NamesQuery {
    q: Option<String>,
    #[serde(default)]
    offset: i64,
    sort: Option<Sort>,
    after: Option<String>,
}

/// The order that is asked for instead of the most products first.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Sort {
    Name,
}

/// The names, those with the most products first. Where there are many, a search reads a part of them, in order of name.
pub(crate) async fn show(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let NamesQuery { q, offset, sort, after } = input::query(&request)?;
    let (part, offset) = (input::unless_blank(q), offset.max(0));
    let total = app.engine.tally().await?.names;
    let mut page = None;
    if sort.is_none() && after.is_none() {
        page = most_frequent(&app, part.clone(), offset, total).await?;
    }
    let page = match page {
        Some(page) => page,
        None => Page::of(app.engine.search_names(part.clone(), after, ROWS).await?, part.as_deref()),
    };
    answer(&app, StatusCode::OK, &Names::new(part, page, total, &app.engine.catalog()))
}

/// A page of the most frequent names; `None` if that would take sorting a million of them.
async fn most_frequent(app: &App, part: Option<String>, offset: i64, total: i64) -> Result<Option<Page>, ApiError> {
    let is_large = total > MAX_SEARCHED_NAMES;
    if part.is_none() {
        let known = app.engine.most_frequent_names().await?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let rows: Vec<_> = known.iter().skip(start).take(ROWS as usize).cloned().collect();
        if rows.len() as i64 == ROWS || known.len() as i64 == total || (is_large && !rows.is_empty()) {
            return Ok(Some(Page::by_count(rows, total, None, offset)));
        }
    }
    if is_large {
        return Ok(None);
    }
    let (rows, matches) = app.engine.names(part.clone(), AggrOrder::MostProducts, ROWS, offset).await?;
    Ok(Some(Page::by_count(rows, matches, part.as_deref(), offset)))
}

/// A page of names.
#[derive(Debug)]
pub(crate) struct Page {
    rows: Vec<AggrRow>,
    /// The number of names that match, if it is known.
    matches: Option<i64>,
    /// The link to the next page.
    next: Option<String>,
    /// The name as far as a search has looked; `None` if it has looked at all that lie ahead.
    searched_to: Option<String>,
    is_by_name: bool,
}

impl Page {
    /// Names from `offset` on, those with the most products first.
    fn by_count(rows: Vec<AggrRow>, matches: i64, part: Option<&str>, offset: i64) -> Self {
        let end = offset + rows.len() as i64;
        let part = encoded(part.unwrap_or_default());
        let next = (end < matches).then(|| format!("/names?q={part}&offset={end}"));
        Self { rows, matches: Some(matches), next, searched_to: None, is_by_name: false }
    }

    fn of(search: NameSearch, part: Option<&str>) -> Self {
        let NameSearch { rows, next, searched_to } = search;
        let part = encoded(part.unwrap_or_default());
        let next = next.map(|after| format!("/names?q={part}&sort=name&after={}", encoded(&after)));
        Self { rows, matches: None, next, searched_to, is_by_name: true }
    }
}

/// The page at `/names`.
#[derive(Template)]
#[template(path = "names.html")]
pub(crate) struct Names {
    part: String,
    /// Words for what is counted.
    title: String,
    /// Link, name, count.
    rows: Vec<(String, String, String)>,
    /// The number of names, or of those that match if it is known.
    total: String,
    next: Option<String>,
    searched_to: Option<String>,
    is_by_name: bool,
    /// The link to the other order.
    other_order: String,
    /// The link to all of them, up to the name of the format.
    downloads: &'static str,
}

impl Names {
    /// The names, or the values of the column that is counted in their place.
    pub(crate) fn new(part: Option<String>, page: Page, total: i64, catalog: &CatalogConfig) -> Self {
        let column = catalog.group_by.as_deref();
        let total = match (page.matches, &part) {
            (Some(matches), _) => thousands(matches),
            (None, None) => thousands(total),
            (None, Some(_)) => format!("of {}", thousands(total)),
        };
        let part = part.unwrap_or_default();
        let row = |AggrRow { name, no_of_products }: AggrRow| (link(&name, column), name, thousands(no_of_products));
        let title = column.map_or_else(|| "Names".to_owned(), |column| label(column, catalog));
        let rows = page.rows.into_iter().map(row).collect();
        let other_order =
            if page.is_by_name { "/names".to_owned() } else { format!("/names?q={}&sort=name", encoded(&part)) };
        Self {
            part,
            title,
            rows,
            total,
            next: page.next,
            searched_to: page.searched_to,
            is_by_name: page.is_by_name,
            other_order,
            downloads: "/api/v1/aggr?format=",
        }
    }
}

/// The link to the products of a name, or of a value of the `column` that is counted in its place.
pub(super) fn link(name: &str, column: Option<&str>) -> String {
    // A condition that begins with a sign, or is empty, needs a sign of its own.
    let is_odd = name.is_empty() || name.starts_with(['=', '!', '<', '>']);
    let sign = if column.is_some() && is_odd { "=" } else { "" };
    format!("/products?{}={}", column.unwrap_or("name"), encoded(&format!("{sign}{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::text::escaping::{EVIL, check};

    #[test]
    fn whatever_feeds_write_is_text_on_the_page() {
        let rows = vec![AggrRow { name: EVIL.into(), no_of_products: 1 }];
        let search = NameSearch { rows, next: Some(EVIL.into()), searched_to: Some(EVIL.into()) };
        check(&Names::new(Some(EVIL.into()), Page::of(search, Some(EVIL)), 2, &CatalogConfig::default()));
    }
}
