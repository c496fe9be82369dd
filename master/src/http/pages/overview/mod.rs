//! `GET /`: the form, counts, the health of the sources, the latest changes.

mod change;
mod form;
mod known;
mod queue_line;
mod source_line;
mod template;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use tributary_engine::Overview;

use self::{change::Change, known::Known, queue_line::QueueLine, source_line::SourceLine, template::Home};
pub(super) use self::{form::Form, known::label};
use crate::http::{
    api::views::{Queue, Source},
    pages::frame::answer,
    server::{App, error::ApiError, input},
};

/// Maximum changes on the page.
const CHANGES: i64 = 12;

/// Shows the page with the product of `?sku=`. What was typed before a product is looked up stays in the form.
pub(crate) async fn show(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let form = Form::new(input::pairs(&request)?, &app.engine.catalog())?;
    page(&app, StatusCode::OK, form).await
}

/// Renders the page with this form and the product of its sku.
pub(crate) async fn page(app: &App, status: StatusCode, form: Form) -> Result<HttpResponse, ApiError> {
    let sku = Some(form.sku.clone()).filter(|sku| !sku.is_empty());
    let Overview { tally, product, events, sources } = app.engine.overview(sku, CHANGES).await?;
    let catalog = app.engine.catalog();
    let known = product.map(|detail| Known::new(form.sku.clone(), detail, &catalog));
    let shown = known.as_ref().and_then(|known| known.product.as_ref());
    let home = Home {
        fields: form.fields(&catalog, shown),
        known,
        form,
        tally: tally.into(),
        busy: app.engine.writing().map(Into::into),
        sources: sources.into_iter().map(Source::from).map(SourceLine::from).collect(),
        queues: app.engine.queues().iter().cloned().map(Queue::from).map(QueueLine::from).collect(),
        changes: events.into_iter().map(|event| Change::new(&event.at, event.event)).collect(),
    };
    answer(app, status, &home)
}
