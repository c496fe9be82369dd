//! All routes, and what applies to every response: admission, counting, headers.

use std::time::Instant;

use actix_web::{
    App as Actix, Error, FromRequest, Handler, Responder, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{HttpServiceFactory, ServiceFactory, ServiceRequest, ServiceResponse},
    guard,
    middleware::{Next, from_fn},
    web,
};

use tributary_admission::Denied;
use tributary_http_common::{Answering, Waiting, admit, catch_panic, close, complete, paced};

use super::{
    app::App,
    error::ApiError,
    handlers::{aggregate, capabilities, health, page, read_all, read_file, sense},
    opened,
};

/// Builds the application that each worker runs.
pub(crate) fn app(
    app: web::Data<App>,
) -> Actix<impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse, Error = Error, InitError = ()>>
{
    Actix::new()
        .app_data(app)
        .configure(test_routes)
        .service(read_only("/", page::show))
        .service(read_only("/style.css", page::style))
        .service(read_only("/sense", sense::sense))
        .service(read_only("/sense/files", sense::files))
        .service(read_only("/read", read_all::read))
        .service(read_only("/read/{path:.*}", read_file::read))
        .service(asked("/aggregate", aggregate::aggregate))
        .service(asked("/plain", aggregate::plain))
        .service(asked("/capabilities", capabilities::issue))
        .service(
            web::resource("/capabilities/{token}")
                .route(web::delete().to(capabilities::revoke))
                .default_service(web::to(only_delete))
                .wrap(from_fn(without_panic)),
        )
        .service(read_only(health::HEALTHZ, health::healthz))
        .service(read_only("/metrics", health::metrics))
        .default_service(web::to(not_found))
        .wrap(from_fn(around))
}

#[cfg(not(test))]
fn test_routes(_: &mut web::ServiceConfig) {}

#[cfg(test)]
fn test_routes(config: &mut web::ServiceConfig) {
    async fn panic() -> String {
        panic!("a handler has a defect")
    }
    config.service(read_only("/panic", panic));
}

fn read_only<F, Args>(path: &str, handler: F) -> impl HttpServiceFactory + 'static
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path)
        .route(web::route().guard(guard::Any(guard::Get()).or(guard::Head())).to(handler))
        .default_service(web::to(method_not_allowed))
        .wrap(from_fn(without_panic))
}

/// A question by `POST`, which changes nothing that lasts.
fn asked<F, Args>(path: &str, handler: F) -> impl HttpServiceFactory + 'static
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path).route(web::post().to(handler)).default_service(web::to(only_post)).wrap(from_fn(without_panic))
}

async fn without_panic(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    catch_panic(request, next, || ApiError::Internal.into()).await
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

async fn only_delete() -> Result<String, ApiError> {
    Err(ApiError::MethodNotAllowed { allowed: "DELETE" })
}

/// Applies the rules of admission. A capability in the path stands for a token.
async fn refusal(app: &App, request: &ServiceRequest, is_probe: bool) -> Option<ApiError> {
    let opened = opened::open(&app.capabilities, request);
    match (admit(&app.admission, request, is_probe || opened == Some(true)).await, opened) {
        (Ok(()), _) => None,
        (Err(Denied::NoToken), Some(_)) => Some(ApiError::NoCapability),
        (Err(denied), _) => Some(denied.into()),
    }
}

/// Admits or refuses a request, then counts and completes the response.
async fn around(
    app: web::Data<App>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let answering = Answering::begin(&mut request);
    let (started, method) = (Instant::now(), request.method().clone());
    let is_probe = request.path() == health::HEALTHZ;
    let refusal = refusal(&app, &request, is_probe).await;
    let is_opened = opened::is_opened(request.request());
    let route = if is_opened { Some(opened::PATTERN.to_owned()) } else { request.match_pattern() };
    let is_refused = refusal.is_some();
    let unready = || if is_probe { None } else { app.refuse_while_scanning().err() };
    // No request of this server changes anything that lasts.
    let waiting = Waiting::of(request.request(), true);
    let response = match refusal.or_else(unready) {
        None => tokio::select! {
            response = next.call(request) => response?.map_into_boxed_body(),
            // Nobody takes this answer.
            () = waiting.gone() => return Err(ApiError::Busy.into()),
        },
        Some(error) => request.into_response(error.error_response()),
    };
    let busy = |request| ServiceResponse::from_err(ApiError::Busy, request);
    let mut response = paced(response, answering).unwrap_or_else(busy);
    let error = response.response().error().and_then(|error| error.as_error::<ApiError>());
    // What a client has sent behind a request that is refused would be refused, too.
    if is_refused || matches!(error, Some(ApiError::Busy)) {
        close(&mut response);
    }
    complete(&mut response);
    if is_opened {
        opened::keep_secret(&mut response);
    }
    app.requests.observe(route, &method, response.status(), started.elapsed());
    Ok(response)
}

#[cfg(test)]
mod tests {
    use actix_web::{
        http::{StatusCode, header::CONTENT_TYPE},
        test::{TestRequest, call_and_read_body, call_service, init_service},
    };
    use tokio_util::sync::CancellationToken;
    use tributary_admission::Admission;
    use tributary_folder_watch::{Folder, Options, State};
    use tributary_format_rules::FormatRules;

    use super::*;

    #[actix_web::test]
    async fn a_handler_that_panics_is_a_problem_like_any_other() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::watch(dir.path(), Options::default()).unwrap();
        folder.state().wait_for(|state| matches!(state, State::Ready(_))).await.unwrap();
        let app = App::new(
            folder,
            "north".to_owned(),
            FormatRules::default(),
            Admission::default(),
            CancellationToken::new(),
        );
        let server = init_service(super::app(web::Data::new(app))).await;
        let request = |path| TestRequest::with_uri(path).insert_header(("host", "localhost")).to_request();
        let response = call_service(&server, request("/panic")).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers().get(CONTENT_TYPE).unwrap(), "application/problem+json");
        assert_eq!(response.headers().get("x-content-type-options").unwrap(), "nosniff");
        let metrics = call_and_read_body(&server, request("/metrics")).await;
        let counted = "tributary_http_requests_total{route=\"/panic\",status=\"500\"} 1";
        assert!(String::from_utf8_lossy(&metrics).contains(counted), "{metrics:?}");
    }
}
