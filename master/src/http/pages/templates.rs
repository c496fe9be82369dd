//! The pages' types: what the templates show, as texts for people. No request handling.

use std::{any::Any, time::Duration};

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, ContentType},
    },
};
use askama::Template;
use tributary_config::CatalogConfig;
use tributary_engine::{AppliedVersion, Event, HeldVersion, Tally};

use crate::http::{
    api::{
        upload_view::UploadView,
        views::{Aggr, Reject},
    },
    pages::{
        form::{Field, Form},
        known::{Known, label},
        queue_line::QueueLine,
        source_line::SourceLine,
        wording::{counted, encoded, people_time, thousands},
    },
    server::{App, error::ApiError},
};

/// The page at `/`.
#[derive(Template)]
#[template(path = "home.html")]
pub(crate) struct Home {
    pub(crate) form: Form,
    /// The fields of the form, one for each column.
    pub(crate) fields: Vec<Field>,
    /// The product of the form's sku, if it has one.
    pub(crate) known: Option<Known>,
    pub(crate) tally: Counts,
    /// A long write in progress.
    pub(crate) busy: Option<Busy>,
    pub(crate) sources: Vec<SourceLine>,
    pub(crate) queues: Vec<QueueLine>,
    /// The latest changes, the newest first.
    pub(crate) changes: Vec<Change>,
}

/// The tally for people.
pub(crate) struct Counts {
    pub(crate) products: String,
    pub(crate) names: String,
}

impl From<Tally> for Counts {
    fn from(tally: Tally) -> Self {
        Self { products: thousands(tally.products), names: thousands(tally.names) }
    }
}

/// A write in progress.
pub(crate) struct Busy {
    pub(crate) what: String,
    pub(crate) seconds: String,
}

impl From<(String, Duration)> for Busy {
    fn from((what, since): (String, Duration)) -> Self {
        Self { what, seconds: format!("{:.1}", since.as_secs_f64()) }
    }
}

/// A change.
pub(crate) struct Change {
    pub(crate) at: String,
    pub(crate) who: String,
    pub(crate) what: String,
    /// A link to details.
    pub(crate) link: Option<String>,
}

impl Change {
    /// An event as a person reads it.
    pub(crate) fn new(at: &str, event: Event) -> Self {
        let at = people_time(at);
        match event {
            Event::Applied(AppliedVersion { source, added, updated, removed, rejected, seconds, .. }) => {
                let count = |sign: char, count: u64| format!("{sign}{}", thousands(count as i64));
                let rejects =
                    if rejected > 0 { format!(", {} rejected", thousands(rejected as i64)) } else { String::new() };
                let (added, updated, removed) = (count('+', added), count('~', updated), count('−', removed));
                let what = format!("{added} {updated} {removed}{rejects} in {seconds:.2} s");
                Self { at, who: source, what, link: None }
            }
            Event::Held(HeldVersion { source, removes, .. }) => {
                let what = format!("is held: it would remove {}", counted(removes, "product"));
                Self { at, who: source, what, link: Some("/#sources-heading".to_owned()) }
            }
            Event::Source { name, state } => Self { at, who: name, what: format!("is {state}"), link: None },
            Event::Edit { sku } => {
                let link = Some(format!("/?sku={}", encoded(&sku)));
                Self { at, who: sku, what: "was edited".to_owned(), link }
            }
            Event::Configuration { sources, reports } => {
                let (sources, reports) = (counted(sources as i64, "source"), counted(reports as i64, "report"));
                let what = format!("was changed: {sources}, {reports}");
                Self { at, who: "The configuration".to_owned(), what, link: None }
            }
            Event::Report { name, rows, rejects, seconds } => {
                let rejects =
                    if rejects > 0 { format!(", {}", counted(rejects as i64, "reject")) } else { String::new() };
                let what = format!("was computed: {}{rejects} in {seconds:.2} s", counted(rows as i64, "row"));
                Self { at, link: Some(format!("/reports/{}", encoded(&name))), who: name, what }
            }
        }
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
        let row = |Aggr { name, no_of_products }: Aggr| {
            // A condition that begins with a sign, or is empty, needs a sign of its own.
            let is_odd = name.is_empty() || name.starts_with(['=', '!', '<', '>']);
            let sign = if column.is_some() && is_odd { "=" } else { "" };
            let value = encoded(&format!("{sign}{name}"));
            (format!("/products?{}={value}", column.unwrap_or("name")), name, thousands(no_of_products))
        };
        let title = column.map_or_else(|| "Names".to_owned(), |column| label(column, catalog));
        let rows = items.into_iter().map(row).collect();
        Self { part, title, rows, total: thousands(total), next, downloads: "/api/v1/aggr?format=" }
    }
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

/// The page at `/upload`.
#[derive(Template)]
#[template(path = "upload.html")]
pub(crate) struct UploadPage {
    uploads: Vec<UploadLine>,
}

/// One upload.
struct UploadLine {
    upload: UploadView,
    /// Its size and progress, for people.
    facts: String,
}

impl UploadPage {
    pub(crate) fn new(uploads: Vec<UploadView>) -> Self {
        Self { uploads: uploads.into_iter().map(UploadLine::from).collect() }
    }
}

impl From<UploadView> for UploadLine {
    fn from(upload: UploadView) -> Self {
        let count = |count: u64, what: &str| counted(i64::try_from(count).unwrap_or(i64::MAX), what);
        let bytes = tributary_cli_common::bars::HumanBytes(upload.bytes);
        let rejects = if upload.rejects > 0 { format!(", {}", count(upload.rejects, "reject")) } else { String::new() };
        let rows = if upload.rows > 0 { format!(", {}{rejects}", count(upload.rows, "row")) } else { String::new() };
        Self { facts: format!("{bytes}{rows}"), upload }
    }
}

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
    use tributary_engine::OwnColumns;

    use crate::http::{
        api::{
            product_query::Asked,
            product_views::{Offer, Product, ProductPage},
            views::{Held, Source},
        },
        pages::{form::Kind, known::OfferLine, product_list::Products},
    };

    #[test]
    #[allow(clippy::too_many_lines, reason = "a table of cases")]
    fn whatever_feeds_and_people_write_is_text_on_the_page() {
        let evil = "<script>alert('1')</script>\"'&";
        let product = || Product {
            sku: evil.into(),
            name: evil.into(),
            description: evil.into(),
            source: Some(evil.into()),
            file: Some(evil.into()),
            edited: true,
            own: OwnColumns::default(),
            first_seen: None,
            changed_at: Some(evil.into()),
        };
        let offer = Offer {
            source: evil.into(),
            file: evil.into(),
            row: Some(1),
            name: evil.into(),
            description: evil.into(),
            own: OwnColumns::default(),
            deletes: false,
            wins: true,
            gives: vec![evil.into()],
        };
        let form = Form { sku: evil.into(), typed: vec![], complaint: Some(evil.into()) };
        let field = |kind| Field {
            id: evil.into(),
            name: evil.into(),
            label: evil.into(),
            typed: evil.into(),
            shown: evil.into(),
            kind,
        };
        let own = || vec![(evil.to_owned(), evil.to_owned())];
        let source = Source {
            name: evil.into(),
            url: evil.into(),
            state: "up".into(),
            version: None,
            files: 1,
            offers: 1,
            rejects: 1,
            last_sensed: None,
            last_applied: Some(evil.into()),
            error: Some(evil.into()),
            note: Some(evil.into()),
            held: Some(Held {
                digest: evil.into(),
                removes: 1,
                offers: 1,
                reason: evil.into(),
                since: evil.into(),
                until: Some(evil.into()),
                accepted: false,
            }),
        };
        let home = Home {
            form,
            fields: vec![field(Kind::Long), field(Kind::Number)],
            known: Some(Known {
                sku: evil.into(),
                product: Some(product()),
                own: own(),
                offers: vec![OfferLine { offer, own: own(), gives: Some(evil.into()) }],
                edit: None,
                edited: evil.into(),
            }),
            queues: vec![QueueLine { name: evil.into(), state: "down", facts: evil.into(), error: Some(evil.into()) }],
            tally: Tally { products: 1234, names: 1 }.into(),
            busy: Some((evil.to_owned(), Duration::from_secs(1)).into()),
            sources: vec![source.into()],
            changes: vec![Change::new(evil, Event::Edit { sku: evil.into() })],
        };
        let reject = Reject {
            source: evil.into(),
            file: evil.into(),
            line: 1,
            reason: evil.into(),
            raw: evil.into(),
            report: Some(evil.into()),
        };
        let mut asked = vec![("q".to_owned(), evil.to_owned()), ("name".to_owned(), evil.to_owned())];
        let asked = Asked::take(&mut asked, &[]).unwrap();
        let products = tributary_engine::ProductPage { own: vec![], products: vec![], next: Some(evil.into()) };
        let products = ProductPage { items: vec![product()], ..products.into() };
        let aggr = Aggr { name: evil.into(), no_of_products: 1 };
        let upload = UploadView {
            id: evil.into(),
            filename: evil.into(),
            state: "failed",
            bytes: 1,
            total: None,
            rows: 1,
            percent: None,
            rejects: 1,
            error: Some(evil.into()),
            results: vec![],
            created_at: evil.into(),
            finished_at: None,
        };
        let pages = [
            UploadPage::new(vec![upload]).render().unwrap(),
            home.render().unwrap(),
            Products::new(&asked, products, &CatalogConfig::default()).render().unwrap(),
            Names::new(Some(evil.into()), vec![aggr], 0, 2, &CatalogConfig::default()).render().unwrap(),
            Rejects::new(Some(evil.into()), vec![reject], 1, &[("file", &Some(evil.to_owned()))]).render().unwrap(),
            ProblemPage { status: 404, title: evil.into(), detail: evil.into() }.render().unwrap(),
        ];
        for page in pages {
            assert!(page.contains("&#60;script&#62;"), "{page}");
            assert!(!page.contains("<script>") && !page.contains("\"'&"), "{page}");
        }
    }
}
