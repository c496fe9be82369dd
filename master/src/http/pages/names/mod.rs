//! `GET /names`: the names, or the values of the column that is counted in their place.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use askama::Template;
use serde::Deserialize;
use tributary_config::CatalogConfig;
use tributary_engine::{AggrOrder, AggrRow};

use crate::http::{
    api::views::Aggr,
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
}

/// The names, those with the most products first.
pub(crate) async fn show(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let NamesQuery { q, offset } = input::query(&request)?;
    let (part, offset) = (input::unless_blank(q), offset.max(0));
    let (rows, total) = rows(&app, part.clone(), offset).await?;
    let rows = rows.into_iter().map(Aggr::from).collect();
    answer(&app, StatusCode::OK, &Names::new(part, rows, offset, total, &app.engine.catalog()))
}

/// A page of names and the number of all. The first pages of all names are known without sorting a million of them.
async fn rows(app: &App, part: Option<String>, offset: i64) -> Result<(Vec<AggrRow>, i64), ApiError> {
    if part.is_none() {
        let (known, tally) = (app.engine.most_frequent_names().await?, app.engine.tally().await?);
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let page = known.iter().skip(start).take(ROWS as usize);
        if start.saturating_add(ROWS as usize) <= known.len() || known.len() as i64 == tally.names {
            return Ok((page.cloned().collect(), tally.names));
        }
    }
    Ok(app.engine.names(part, AggrOrder::MostProducts, ROWS, offset).await?)
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
    total: String,
    next: Option<String>,
    /// The link to all of them, up to the name of the format.
    downloads: &'static str,
}

impl Names {
    /// The names, or the values of the column that is counted in their place.
    pub(crate) fn new(
        part: Option<String>,
        items: Vec<Aggr>,
        offset: i64,
        total: i64,
        catalog: &CatalogConfig,
    ) -> Self {
        let column = catalog.group_by.as_deref();
        let end = offset + items.len() as i64;
        let part = part.unwrap_or_default();
        let next = (end < total).then(|| format!("/names?q={}&offset={end}", encoded(&part)));
        let row = |Aggr { name, no_of_products }: Aggr| (link(&name, column), name, thousands(no_of_products));
        let title = column.map_or_else(|| "Names".to_owned(), |column| label(column, catalog));
        let rows = items.into_iter().map(row).collect();
        Self { part, title, rows, total: thousands(total), next, downloads: "/api/v1/aggr?format=" }
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
        let row = Aggr { name: EVIL.into(), no_of_products: 1 };
        check(&Names::new(Some(EVIL.into()), vec![row], 0, 2, &CatalogConfig::default()));
    }
}
