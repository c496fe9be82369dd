//! `GET /`: counts with their change today, plots, the form, the health of the sources, the largest names, the latest changes.

mod change;
mod dashboard;
mod export_line;
mod queue_line;
mod source_line;
mod template;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use tributary_engine::{HistorySpan, Overview, ProductDetail};

use self::{
    change::Change,
    dashboard::{Bar, Count, plots},
    export_line::ExportLine,
    queue_line::QueueLine,
    source_line::SourceLine,
    template::Home,
};
use crate::http::{
    api::{source_views::Source, views::Queue},
    pages::{
        frame::answer,
        plot::{self, SpanLink},
        product::{
            Form, Known,
            deed::{self, Deed},
            label,
        },
        text::{
            moment::Moment,
            wording::{counted, encoded},
        },
    },
    server::{App, error::ApiError, input},
};

/// Maximum changes on the page.
const CHANGES: i64 = 12;
/// Maximum sources on the page; those that are not up come first.
const SOURCES: usize = 12;

/// Shows the page with the product of `?sku=`. What was typed before a product is looked up stays in the form.
pub(crate) async fn show(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let mut pairs = input::pairs(&request)?;
    let asked = pairs.iter().position(|(key, _)| key == "span").map(|at| pairs.remove(at).1);
    let span = plot::span(asked)?;
    let form = Form::new(pairs, &app.engine.catalog())?;
    let done = Deed::to_announce(&request, &form.sku);
    let mut response = answer_with(&app, StatusCode::OK, form, span, done).await?;
    if done.is_some() {
        deed::forget(response.headers_mut());
    }
    Ok(response)
}

/// Renders the page with this form and the product of its sku.
pub(crate) async fn page(app: &App, status: StatusCode, form: Form) -> Result<HttpResponse, ApiError> {
    answer_with(app, status, form, HistorySpan::default(), None).await
}

async fn answer_with(
    app: &App,
    status: StatusCode,
    form: Form,
    span: HistorySpan,
    done: Option<Deed>,
) -> Result<HttpResponse, ApiError> {
    let sku = Some(form.sku.clone()).filter(|sku| !sku.is_empty());
    let Overview { tally, product, events, sources, points, today } = app.engine.overview(sku, CHANGES, span).await?;
    let names = app.engine.most_frequent_names().await?;
    let catalog = app.engine.catalog();
    let version = product.as_ref().map(ProductDetail::version);
    let known = product.map(|detail| Known::new(form.sku.clone(), detail, &catalog));
    let shown = known.as_ref().and_then(|known| known.product.as_ref());
    let sources: Vec<Source> = sources.into_iter().map(Source::from).collect();
    let home = Home {
        fields: form.fields(&catalog, shown),
        known,
        version,
        counts: Count::all(tally, &today, &sources),
        plots: plots(&points, span),
        spans: SpanLink::all(span, |name| span_link(name, &form.sku)),
        bars_of: catalog.group_by.as_deref().map_or_else(|| "name".to_owned(), |column| label(column, &catalog)),
        bars: Bar::all(&names, catalog.group_by.as_deref()),
        form,
        done: done.map(Deed::words),
        unwritable: app.engine.unwritable().map(|outage| (outage.reason, Moment::new(&outage.since))),
        busy: app.engine.writing().map(Into::into),
        more_sources: more(&sources),
        sources: worst_first(sources).into_iter().take(SOURCES).map(SourceLine::from).collect(),
        queues: app.engine.queues().iter().cloned().map(Queue::from).map(QueueLine::from).collect(),
        exports: app.engine.exports().iter().map(ExportLine::from).collect(),
        changes: events.into_iter().map(|event| Change::new(&event.at, event.event)).collect(),
    };
    answer(app, status, &home)
}

/// The link to the page with other plots and the same product.
fn span_link(span: &str, sku: &str) -> String {
    let sku = if sku.is_empty() { String::new() } else { format!("&sku={}", encoded(sku)) };
    format!("/?span={span}{sku}")
}

/// The sources that need somebody first; equal ones stay in their order.
fn worst_first(mut sources: Vec<Source>) -> Vec<Source> {
    sources.sort_by_key(|source| match source.state.as_str() {
        "down" => 0,
        "held" => 1,
        "rejected" => 2,
        "unknown" => 3,
        _ => 4,
    });
    sources
}

/// Words for the sources that are not listed.
fn more(sources: &[Source]) -> Option<String> {
    let more = sources.len().saturating_sub(SOURCES);
    (more > 0).then(|| counted(more as i64, "more source"))
}
