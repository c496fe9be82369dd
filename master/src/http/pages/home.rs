//! `GET /`: the form, counts, the health of the sources, the latest changes.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use serde::Deserialize;
use tributary_engine::Overview;

use crate::http::{
    api::views::Source,
    pages::{
        source_line::SourceLine,
        templates::{Change, Form, Home, Known, answer},
    },
    server::{App, error::ApiError, input},
};

/// Maximum changes on the page.
const CHANGES: i64 = 12;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HomeQuery {
    #[serde(default)]
    sku: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
}

/// Shows the page with the product of `?sku=`. The name and the description that were typed before a product is looked up stay in
/// the form.
pub(crate) async fn show(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let HomeQuery { sku, name, description } = input::query(&request)?;
    page(&app, StatusCode::OK, Form { sku: sku.trim().to_owned(), name, description, complaint: None }).await
}

/// Renders the page with this form and the product of its sku.
pub(crate) async fn page(app: &App, status: StatusCode, form: Form) -> Result<HttpResponse, ApiError> {
    let sku = Some(form.sku.clone()).filter(|sku| !sku.is_empty());
    let Overview { tally, product, events, sources } = app.engine.overview(sku, CHANGES).await?;
    let home = Home {
        known: product.map(|detail| Known::new(form.sku.clone(), detail)),
        form,
        tally: tally.into(),
        busy: app.engine.writing().map(Into::into),
        sources: sources.into_iter().map(Source::from).map(SourceLine::from).collect(),
        changes: events.into_iter().map(|event| Change::new(&event.at, event.event)).collect(),
    };
    answer(app, status, &home)
}
