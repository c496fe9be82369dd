//! `POST /products/{sku}`: saves what was typed on the page of a product, or creates the product.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use tributary_engine::{EditError, Entrance};

use super::{
    deed::Deed,
    form::Form,
    page::{Extras, answer, stale},
};
use crate::http::{
    pages::text::wording::sentence,
    server::{App, error::ApiError, input, sender},
};

/// Saves a correction and redirects to the product. Whatever is wrong, the page keeps what was typed.
pub(crate) async fn save(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let sku = input::page_sku(&request)?;
    let fields: Vec<(String, String)> = input::form(&request, payload).await?;
    let form = Form { sku: sku.clone(), ..Form::new(fields, &app.engine.catalog())? };
    let creates = form.create.is_some();
    let (sku, change, terms) = match form.request(creates, sender::author(&request, Entrance::Form)) {
        Ok(asked) => asked,
        Err(ApiError::Invalid(why)) => {
            return answer(&app, StatusCode::UNPROCESSABLE_ENTITY, form, Extras::complaint(sentence(&why))).await;
        }
        Err(other) => return Err(other),
    };
    match app.engine.change_edit(&sku, change, terms).await {
        Ok(_) if creates => Ok(Deed::Created.on_product(&sku)),
        Ok(true) => Ok(Deed::Saved.on_product(&sku)),
        Ok(false) => {
            let why = "The product is not shown any more, so nothing was saved.".to_owned();
            answer(&app, StatusCode::NOT_FOUND, form, Extras::complaint(why)).await
        }
        Err(EditError::Stale(_)) => stale(&app, form).await,
        Err(other) => Err(other.into()),
    }
}
