//! All routes, and what applies to every response: admission, counting, headers.

use std::time::Instant;

use actix_web::{
    App as Actix, Error, FromRequest, Handler, Resource, Responder, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    guard,
    middleware::{Next, from_fn},
    web,
};

use tributary_http_common::{admit, close, complete};

use super::{
    app::App,
    error::ApiError,
    handlers::{aggregate, health, page, read_all, read_file, sense},
};

/// Builds the application that each worker runs.
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
                .app_data(web::PayloadConfig::new(aggregate::MAX_REQUEST_BYTES))
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
    Err(ApiError::NotFound("nothing is at this path; `/` lists the files".to_owned()))
}

async fn method_not_allowed() -> Result<String, ApiError> {
    Err(ApiError::MethodNotAllowed { allowed: "GET, HEAD" })
}

async fn only_post() -> Result<String, ApiError> {
    Err(ApiError::MethodNotAllowed { allowed: "POST" })
}

/// Admits or refuses a request, then counts and completes the response.
async fn around(
    app: web::Data<App>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (started, route, method) = (Instant::now(), request.match_pattern(), request.method().clone());
    let is_probe = request.path() == health::HEALTHZ;
    let refusal = admit(&app.admission, &request, is_probe).err().map(ApiError::from);
    let is_refused = refusal.is_some();
    let unready = || if is_probe { None } else { app.refuse_while_scanning().err() };
    let mut response = match refusal.or_else(unready) {
        None => next.call(request).await?.map_into_boxed_body(),
        Some(error) => request.into_response(error.error_response()),
    };
    if is_refused {
        close(&mut response);
    }
    complete(&mut response);
    app.requests.observe(route, &method, response.status(), started.elapsed());
    Ok(response)
}
