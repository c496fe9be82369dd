//! `/openapi.json`: the API described for programs (OpenAPI 3.1), generated from the handlers and the types that they
//! answer with.

use actix_web::{HttpResponse, Responder};
use utoipa::OpenApi;

use crate::http::api::{
    aggr, documents, events, exports, files, health, history, product, product_changes, products, queues, rejects,
    reports, sources, tus, upload, uploads, views::EventView,
};

#[derive(OpenApi)]
#[openapi(
    info(title = "Tributary", description = "One true table of many folders of CSV files."),
    paths(
        products::list,
        product::get,
        product::put,
        product::patch,
        product::hide,
        product::clear,
        product_changes::list,
        product_changes::undo,
        aggr::list,
        queues::list,
        exports::list,
        sources::list,
        sources::accept,
        files::list,
        history::list,
        rejects::list,
        uploads::list,
        uploads::get,
        uploads::cancel,
        uploads::follow,
        upload::post,
        upload::put,
        tus::options,
        tus::create,
        tus::head,
        tus::append,
        tus::terminate,
        documents::get,
        documents::put,
        documents::delete,
        reports::list,
        reports::get,
        events::follow,
        health::healthz,
        health::readyz,
        health::metrics,
    ),
    components(schemas(EventView))
)]
struct Api;

/// The description as JSON.
///
/// # Errors
/// It cannot be written as JSON, which is a defect.
pub(crate) fn description() -> serde_json::Result<serde_json::Value> {
    serde_json::to_value(Api::openapi())
}

/// The description.
pub(crate) async fn show() -> impl Responder {
    HttpResponse::Ok().json(Api::openapi())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_openapi_3_1_and_has_every_route_of_the_api() {
        let api = serde_json::to_value(Api::openapi()).unwrap();
        assert!(api["openapi"].as_str().unwrap().starts_with("3.1"));
        // The router's own text is the list of routes.
        let routes: Vec<&str> = include_str!("router.rs")
            .split("resource(")
            .filter_map(|text| text.trim_start().strip_prefix('"')?.split('"').next())
            .filter(|path| path.starts_with("/api/"))
            .collect();
        assert!(routes.len() >= 5, "{routes:?}");
        for route in routes.iter().chain(&[
            "/api/v1/products/{sku}",
            "/api/v1/products/{sku}/edit",
            "/api/v1/products/{sku}/history",
            "/api/v1/products/{sku}/history/{id}/undo",
        ]) {
            let route = &route.replace(":.+", "");
            assert!(api["paths"].get(route).is_some(), "{route} is not described");
        }
    }
}
