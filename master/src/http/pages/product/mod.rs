//! `/products/{sku}`: one product, why it reads as it does, how it has changed, and the form that corrects it.
//!
//! It belongs here if it shows or corrects one product. The overview embeds the form, too.

pub(crate) mod corrections;
pub(super) mod deed;
mod form;
mod history_line;
mod known;
mod page;
mod save;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, http::header::LOCATION, web};
use serde::Deserialize;

use self::deed::Deed;
pub(crate) use self::save::save;
#[cfg(test)]
pub(super) use self::{form::Kind, known::OfferLine};
pub(super) use self::{
    form::{Field, Form},
    known::{Known, label},
};
use crate::http::{
    pages::text::wording::encoded,
    server::{App, error::ApiError, input},
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShowQuery {
    /// The last deed, for the announcement.
    saved: Option<String>,
}

/// Shows a product. One of which nothing is known gets 404, and the form that creates it.
pub(crate) async fn show(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let ShowQuery { saved } = input::query(&request)?;
    let form = Form { sku: input::page_sku(&request)?, ..Form::default() };
    let done = saved.as_deref().and_then(Deed::named);
    page::answer(&app, StatusCode::OK, form, page::Extras { done, ..page::Extras::default() }).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LookUp {
    #[serde(default)]
    sku: String,
}

/// Leads to the page of a sku. A form cannot put it into a path by itself.
pub(crate) async fn look_up(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let LookUp { sku } = input::query(&request)?;
    let sku = sku.trim();
    let to = if sku.is_empty() { "/products".to_owned() } else { link(sku) };
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, to)).finish())
}

/// The link to the page of a product.
pub(super) fn link(sku: &str) -> String {
    match sku {
        // A browser takes these for folders, however they are written (URL Standard, "double-dot URL path segment").
        "." | ".." => format!("/?sku={sku}"),
        sku => format!("/products/{}", encoded(sku)),
    }
}
