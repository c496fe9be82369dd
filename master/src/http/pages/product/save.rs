//! `POST /products/{sku}`: saves what was typed on the page of a product, or creates the product.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use tributary_engine::{EditError, EditTerms, Entrance, Expected};

use super::{
    corrections::saved,
    form::Form,
    page::{Extras, answer, stale},
};
use crate::http::{
    pages::text::wording::sentence,
    server::{App, error::ApiError, input},
};

/// The field of a form that creates. No column has such a name.
const CREATE: &str = "form-create";

/// Saves a correction and redirects to the product. Whatever is wrong, the page keeps what was typed.
pub(crate) async fn save(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let sku = input::page_sku(&request)?;
    let mut fields: Vec<(String, String)> = input::form(&request, payload).await?;
    let creates = fields.iter().position(|(name, _)| name == CREATE).map(|at| fields.remove(at)).is_some();
    let form = Form { sku: sku.clone(), ..Form::new(fields, &app.engine.catalog())? };
    let change = if creates { form.creation() } else { form.correction().map(|(_, change)| change) };
    let change = match change {
        Ok(change) => change,
        Err(ApiError::Invalid(why)) => {
            return answer(&app, StatusCode::UNPROCESSABLE_ENTITY, form, Extras::complaint(sentence(&why))).await;
        }
        Err(other) => return Err(other),
    };
    let expected = if creates { Expected::NotShown } else { form.expected() };
    let terms = EditTerms { author: input::author(&request, Entrance::Form), expected, only_if_shown: !creates };
    match app.engine.change_edit(&sku, change, terms).await {
        Ok(_) if creates => Ok(saved(&sku, "created")),
        Ok(true) => Ok(saved(&sku, "1")),
        Ok(false) => {
            let why = "The product is not shown any more, so nothing was saved.".to_owned();
            answer(&app, StatusCode::NOT_FOUND, form, Extras::complaint(why)).await
        }
        Err(EditError::Stale(_)) => stale(&app, form).await,
        Err(other) => Err(other.into()),
    }
}
