//! All routes, and what holds for every answer: the token, the count, the headers. No handler is here.

use actix_web::{
    App as Actix, Error, FromRequest, Handler, Resource, Responder, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    guard,
    http::header::{AUTHORIZATION, HeaderValue},
    middleware::{Next, from_fn},
    web,
};

use tributary_http_common::complete;

use crate::{
    app::App,
    error::ApiError,
    handlers::{aggregate, health, page, read_all, read_file, sense},
};

/// The application that a worker runs.
pub(crate) fn app(
    app: web::Data<App>,
) -> Actix<impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse, Error = Error, InitError = ()>>
{
    Actix::new()
        .app_data(app)
        .service(read_only("/", page::show))
        .service(read_only("/style.css", page::style))
        .service(read_only("/sense", sense::sense))
        .service(read_only("/sense/files", sense::files))
        .service(read_only("/read", read_all::read))
        .service(read_only("/read/{path:.*}", read_file::read))
        .service(
            web::resource("/aggregate")
                .app_data(web::PayloadConfig::new(aggregate::MOST_BYTES))
                .route(web::post().to(aggregate::aggregate))
                .default_service(web::to(only_post)),
        )
        .service(read_only(health::HEALTHZ, health::healthz))
        .service(read_only("/metrics", health::metrics))
        .default_service(web::to(not_found))
        .wrap(from_fn(around))
}

fn read_only<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path)
        .route(web::route().guard(guard::Any(guard::Get()).or(guard::Head())).to(handler))
        .default_service(web::to(method_not_allowed))
}

async fn not_found() -> Result<String, ApiError> {
    Err(ApiError::NotFound("there is nothing at this path; `/` lists what there is".to_owned()))
}

async fn method_not_allowed() -> Result<String, ApiError> {
    Err(ApiError::MethodNotAllowed { allowed: "GET, HEAD" })
}

async fn only_post() -> Result<String, ApiError> {
    Err(ApiError::MethodNotAllowed { allowed: "POST" })
}

/// Lets a request in or refuses it, then counts and completes the answer.
async fn around(
    app: web::Data<App>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let route = request.match_pattern().unwrap_or_else(|| "other".to_owned());
    let mut response = match admit(&app, &request) {
        Ok(()) => next.call(request).await?.map_into_boxed_body(),
        Err(refusal) => request.into_response(refusal.error_response()),
    };
    complete(&mut response);
    app.count_request(route, response.status().as_u16());
    Ok(response)
}

/// Everything but `/healthz` needs the token and a folder whose first scan is over.
fn admit(app: &App, request: &ServiceRequest) -> Result<(), ApiError> {
    if request.path() == health::HEALTHZ {
        return Ok(());
    }
    if app
        .token
        .as_ref()
        .is_some_and(|token| !token.is_in(request.headers().get(AUTHORIZATION).map(HeaderValue::as_bytes)))
    {
        return Err(ApiError::Unauthorized);
    }
    app.refuse_while_scanning()
}
