//! `GET /`: the form, what the database holds, how the sources are, and what happened last.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use serde::Deserialize;

use crate::{
    app::App,
    events,
    product::detail,
    web::{
        error::ApiError,
        input,
        pages::{Change, Form, Home, Known, SourceLine, answer},
        views::Source,
    },
};

/// Changes that are in view.
const CHANGES: i64 = 12;

#[derive(Debug, Deserialize)]
struct HomeQuery {
    sku: Option<String>,
}

/// The page, with the product that `?sku=` names.
pub(crate) async fn show(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let HomeQuery { sku } = input::query(&request)?;
    let sku = sku.unwrap_or_default().trim().to_owned();
    page(&app, StatusCode::OK, Form { sku, ..Form::default() }).await
}

/// The page with this form in it, and the product of its sku.
pub(crate) async fn page(app: &App, status: StatusCode, form: Form) -> Result<HttpResponse, ApiError> {
    let sku = form.sku.clone();
    let read = move |store: &mut tributary_store::Store| {
        let known = if sku.is_empty() { None } else { Some(Known::new(sku.clone(), detail(store, &sku)?)) };
        let latest = store.latest_events(CHANGES)?;
        let changes = latest.iter().map(|row| Ok(Change::new(&row.at, events::read(row)?)));
        Ok((store.tally()?, known, changes.collect::<anyhow::Result<Vec<_>>>()?, store.sources_view()?))
    };
    let (tally, known, changes, sources) = app.readers.run(read).await?;
    let home = Home {
        form,
        known,
        tally: tally.into(),
        busy: app.writer.doing().map(Into::into),
        sources: Source::all(sources, &app.statuses).into_iter().map(SourceLine::from).collect(),
        changes,
    };
    answer(app, status, &home)
}
