//! The page of a product, put together.

use actix_web::{HttpResponse, http::StatusCode};
use askama::Template;
use tributary_config::CatalogConfig;

use super::{
    deed::Deed,
    form::{Field, Form},
    history_line::{Correction, HistoryLine, corrections},
    known::{Known, label},
};
use crate::http::{
    api::product_changes::MAX_CHANGES,
    pages::{
        frame,
        text::wording::{encoded, people_seconds},
    },
    server::{App, error::ApiError},
};

/// Messages of a page beside the product.
#[derive(Debug, Default)]
pub(super) struct Extras {
    /// The last deed.
    pub(super) done: Option<Deed>,
    /// Why nothing was saved.
    pub(super) complaint: Option<String>,
    /// Whether nothing was saved because the product has changed since the form was opened.
    pub(super) is_stale: bool,
}

impl Extras {
    pub(super) fn complaint(why: String) -> Self {
        Self { complaint: Some(why), ..Self::default() }
    }
}

/// The page at `/products/{sku}`.
#[derive(Template)]
#[template(path = "product.html")]
struct ProductPage {
    /// Announcement of the last deed.
    done: Option<&'static str>,
    complaint: Option<String>,
    /// Whether nothing was saved because the product has changed meanwhile.
    is_stale: bool,
    /// Typed texts, beside what is there now.
    conflicts: Vec<Conflict>,
    known: Known,
    fields: Vec<Field>,
    /// Target of the form.
    link: String,
    /// The version that the form expects.
    version: String,
    corrections: Vec<Correction>,
    changes: Vec<HistoryLine>,
    /// A long write in progress.
    busy: Option<String>,
    /// The sku in links.
    encoded: String,
}

/// A column that was typed, and what is there now.
struct Conflict {
    label: String,
    now: String,
    typed: String,
}

impl ProductPage {
    fn can_create(&self) -> bool {
        self.known.can_be_created()
    }
}

/// Answers that nothing was saved, because the product has changed since the form was filled in: shows both.
pub(super) async fn stale(app: &App, form: Form) -> Result<HttpResponse, ApiError> {
    answer(app, StatusCode::PRECONDITION_FAILED, form, Extras { is_stale: true, ..Extras::default() }).await
}

/// Answers with the page of the form's sku. `status` becomes 404 if it is 200 and nothing is known of the sku.
pub(super) async fn answer(
    app: &App,
    status: StatusCode,
    form: Form,
    extras: Extras,
) -> Result<HttpResponse, ApiError> {
    let (detail, history) = app.engine.product_and_history(&form.sku, MAX_CHANGES).await?;
    let catalog = app.engine.catalog();
    let (version, sku) = (detail.version(), form.sku.clone());
    let is_unknown =
        detail.product.is_none() && detail.edit.is_none() && detail.offers.is_empty() && history.is_empty();
    let status = if is_unknown && status == StatusCode::OK { StatusCode::NOT_FOUND } else { status };
    let corrections = corrections(detail.edit.as_ref(), &history, &catalog);
    let known = Known::new(sku.clone(), detail, &catalog);
    let fields = form.fields(&catalog, known.product.as_ref());
    let page = ProductPage {
        done: extras.done.map(Deed::words),
        complaint: extras.complaint,
        is_stale: extras.is_stale,
        conflicts: if extras.is_stale { conflicts(&fields, &catalog) } else { Vec::new() },
        known,
        fields,
        link: format!("/products/{}", encoded(&sku)),
        version,
        corrections,
        changes: history.into_iter().map(|change| HistoryLine::new(change, &catalog)).collect(),
        busy: app.engine.writing().map(|(what, since)| format!("{what} since {}", people_seconds(since))),
        encoded: encoded(&sku),
    };
    frame::answer(app, status, &page)
}

fn conflicts(fields: &[Field], catalog: &CatalogConfig) -> Vec<Conflict> {
    let is_meant = |field: &&Field| field.is_emptied || !field.typed.trim().is_empty();
    let conflict = |field: &Field| Conflict {
        label: label(&field.name, catalog),
        now: field.shown.clone(),
        typed: if field.is_emptied { String::new() } else { field.typed.clone() },
    };
    fields.iter().filter(is_meant).map(conflict).collect()
}

#[cfg(test)]
mod tests {
    use tributary_engine::{ChangeCause, ChangedValue, ColumnChange, EditView, OwnColumns, ProductChange};

    use super::*;
    use crate::http::pages::text::escaping::{EVIL, check};

    #[test]
    fn whatever_feeds_and_people_write_is_text_on_the_page() {
        let catalog = CatalogConfig::default();
        let edit = EditView {
            name: Some(EVIL.into()),
            description: None,
            own: OwnColumns::default(),
            hidden: false,
            stands: true,
            edited_at: EVIL.into(),
            edited_by: Some(EVIL.into()),
        };
        let text = || ChangedValue::Text(Some(EVIL.to_owned()));
        let column = ColumnChange { column: "name".into(), values: Some((text(), text())) };
        let change = |cause| ProductChange {
            id: 1,
            at: Some(EVIL.into()),
            cause,
            columns: vec![column.clone()],
            edit: vec![column.clone()],
            can_undo: true,
        };
        let version = ChangeCause::Version { source: EVIL.into(), file: Some(EVIL.into()) };
        let by_hand = ChangeCause::Edit { entrance: EVIL.into(), user: Some(EVIL.into()) };
        let changes = vec![change(by_hand), change(version)];
        let detail = tributary_engine::ProductDetail {
            sku: EVIL.into(),
            product: None,
            offers: vec![],
            edit: Some(edit.clone()),
        };
        let typed = vec![("name".to_owned(), EVIL.to_owned())];
        let form = Form { sku: EVIL.into(), typed, ..Form::default() };
        let fields = form.fields(&catalog, None);
        check(&ProductPage {
            done: Some("Saved."),
            complaint: Some(EVIL.into()),
            is_stale: true,
            conflicts: conflicts(&fields, &catalog),
            fields,
            known: Known::new(EVIL.into(), detail, &catalog),
            link: EVIL.into(),
            version: EVIL.into(),
            corrections: corrections(Some(&edit), &changes, &catalog),
            changes: changes.into_iter().map(|change| HistoryLine::new(change, &catalog)).collect(),
            busy: Some(EVIL.into()),
            encoded: EVIL.into(),
        });
    }
}
