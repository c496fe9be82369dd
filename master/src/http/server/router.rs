//! All routes, and what applies to every response: admission, metrics, headers, errors as pages for browsers. No
//! handler is here.

use std::time::Instant;

use actix_web::{
    App as Actix, Error, HttpResponse, Resource, ResponseError, Route,
    body::{BoxBody, MessageBody},
    dev::{HttpServiceFactory, ServiceFactory, ServiceRequest, ServiceResponse},
    guard,
    http::Method,
    http::header::{CONTENT_ENCODING, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY},
    middleware::{Compress, Next, from_fn},
    web,
};
use tributary_http_common::{Waiting, admit, catch_panic, close, complete, paced};

use crate::http::{
    api::{
        aggr, documents, events, files, health, history, product, product_changes, products, queues, rejects, reports,
        sources, tus, upload, uploads,
    },
    compat,
    pages::{
        self, assets,
        frame::{ProblemPage, answer},
        overview,
        product::corrections,
    },
    server::{App, delivery::deliver, error::ApiError, input, openapi},
    socketio,
};

/// Only what this server serves itself may be loaded, nothing is inline, and nobody may frame a page.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Builds the application that each worker runs.
pub(crate) fn app(
    app: web::Data<App>,
) -> Actix<impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse, Error = Error, InitError = ()>>
{
    let is_compat = app.compat.is_some();
    let all = move |config: &mut web::ServiceConfig| routes(config, is_compat);
    Actix::new()
        .app_data(app)
        .configure(all)
        .default_service(web::to(not_found))
        .wrap(from_fn(deliver))
        .wrap(Compress::default())
        .wrap(from_fn(around))
}

fn routes(config: &mut web::ServiceConfig, is_compat: bool) {
    if is_compat {
        config.configure(compat);
    }
    config.configure(pages).configure(api);
    #[cfg(test)]
    config.service(resource("/panic", "GET, HEAD", [read().to(panic)]));
}

/// The paths of older systems.
fn compat(config: &mut web::ServiceConfig) {
    let update = web::post().guard(guard::fn_guard(compat::is_json)).to(compat::update);
    config
        .service(resource("/health", "GET, HEAD", [plain(read().to(compat::health))]))
        .service(resource("/data", "GET, HEAD", [plain(read().to(compat::data))]))
        // It stands before the page's own, which it includes.
        .service(resource("/update", "POST", [plain(update), plain(web::post().to(corrections::update))]));
}

fn pages(config: &mut web::ServiceConfig) {
    config
        .service(resource("/", "GET, HEAD", [read().to(overview::show)]))
        .service(resource("/update", "POST", [plain(web::post().to(corrections::update))]))
        .service(resource("/accept", "POST", [plain(web::post().to(pages::sources::accept::accept))]))
        .service(resource("/clear", "POST", [plain(web::post().to(corrections::clear))]))
        .service(resource("/hide", "POST", [plain(web::post().to(corrections::hide))]))
        .service(resource("/undo", "POST", [plain(web::post().to(corrections::undo))]))
        .service(resource("/product", "GET, HEAD", [read().to(pages::product::look_up)]))
        .service(resource(
            "/products/{sku}",
            "GET, HEAD, POST",
            [read().to(pages::product::show), plain(web::post().to(pages::product::save))],
        ))
        .service(resource("/products", "GET, HEAD", [read().to(pages::products::show)]))
        .service(resource("/names", "GET, HEAD", [read().to(pages::names::show)]))
        .service(resource("/sources", "GET, HEAD", [read().to(pages::sources::list::show)]))
        .service(resource("/sources/{name}", "GET, HEAD", [read().to(pages::sources::source::show)]))
        .service(resource("/files", "GET, HEAD", [read().to(pages::sources::files::show)]))
        .service(resource("/rejects", "GET, HEAD", [read().to(pages::rejects::show)]))
        .service(resource(
            "/upload",
            "GET, HEAD, POST",
            [plain(read().to(pages::uploads::show)), plain(web::post().to(pages::uploads::form))],
        ))
        .service(resource("/docs", "GET, HEAD", [plain(read().to(pages::docs::show))]))
        .service(resource("/upload/remove", "POST", [plain(web::post().to(pages::uploads::remove))]))
        .service(resource("/upload.js", "GET, HEAD", [plain(read().to(assets::upload_script))]))
        .service(resource("/tus.js", "GET, HEAD", [plain(read().to(assets::tus_script))]))
        .service(resource("/reports", "GET, HEAD", [plain(read().to(pages::reports::list))]))
        .service(resource("/reports/{name}", "GET, HEAD", [read().to(pages::reports::show)]))
        .service(resource("/demo", "GET, HEAD", [plain(read().to(pages::demo::show))]))
        .service(resource("/style.css", "GET, HEAD", [plain(read().to(assets::style))]))
        .service(resource("/live.js", "GET, HEAD", [plain(read().to(assets::script))]))
        .service(resource("/icon.svg", "GET, HEAD", [plain(read().to(assets::icon))]))
        .service(resource("/favicon.ico", "GET, HEAD", [plain(read().to(assets::icon))]));
}

fn api(config: &mut web::ServiceConfig) {
    let sku = "/api/v1/products/{sku}";
    config
        .service(resource("/api/v1/products", "GET, HEAD", [read().to(products::list)]))
        .service(resource(
            sku,
            "GET, HEAD, PUT, PATCH, DELETE",
            [
                plain(read().to(product::get)),
                plain(web::put().to(product::put)),
                plain(web::patch().to(product::patch)),
                plain(web::delete().to(product::hide)),
            ],
        ))
        .service(resource(&format!("{sku}/edit"), "DELETE", [plain(web::delete().to(product::clear))]))
        .service(resource(&format!("{sku}/history"), "GET, HEAD", [read().to(product_changes::list)]))
        .service(resource(
            &format!("{sku}/history/{{id}}/undo"),
            "POST",
            [plain(web::post().to(product_changes::undo))],
        ))
        .service(resource("/api/v1/aggr", "GET, HEAD", [read().to(aggr::list)]))
        .service(resource("/api/v1/queues", "GET, HEAD", [read().to(queues::list)]))
        .service(resource("/api/v1/sources", "GET, HEAD", [read().to(sources::list)]))
        .service(resource("/api/v1/sources/{name}/accept", "POST", [web::post().to(sources::accept)]))
        .service(resource("/api/v1/history", "GET, HEAD", [read().to(history::list)]))
        .service(resource("/api/v1/files", "GET, HEAD", [read().to(files::list)]))
        .service(resource("/api/v1/rejects", "GET, HEAD", [read().to(rejects::list)]))
        .service(resource(
            "/api/v1/uploads",
            "GET, HEAD, POST, PUT",
            [read().to(uploads::list), web::post().to(upload::post), web::put().to(upload::put)],
        ))
        .service(resource(
            "/api/v1/uploads/{id}",
            "GET, HEAD, DELETE",
            [plain(read().to(uploads::get)), plain(web::delete().to(uploads::cancel))],
        ))
        .service(resource("/api/v1/uploads/{id}/events", "GET", [plain(web::get().to(uploads::follow))]))
        .service(web::scope("/api/v1/tus").wrap(from_fn(tus::version)).configure(resumable))
        .service(resource(
            "/api/v1/documents/{path:.+}",
            "GET, HEAD, PUT, DELETE",
            [plain(read().to(documents::get)), web::put().to(documents::put), web::delete().to(documents::delete)],
        ))
        .service(resource("/api/v1/reports", "GET, HEAD", [read().to(reports::list)]))
        .service(resource("/api/v1/reports/{name}", "GET, HEAD", [read().to(reports::get)]))
        .service(resource("/api/v1/events", "GET", [plain(web::get().to(events::follow))]))
        .service(resource(health::HEALTHZ, "GET, HEAD", [plain(read().to(health::healthz))]))
        .service(resource(health::READYZ, "GET, HEAD", [plain(read().to(health::readyz))]))
        .service(resource(socketio::PATH, "GET, POST", [web::get().to(socketio::get), web::post().to(socketio::post)]))
        .service(resource("/metrics", "GET, HEAD", [plain(read().to(health::metrics))]))
        .service(resource("/openapi.json", "GET, HEAD", [plain(read().to(openapi::show))]));
}

/// The routes of tus 1.0.
fn resumable(config: &mut web::ServiceConfig) {
    let (options, upload) = (plain(web::method(Method::OPTIONS).to(tus::options)), "/{id}");
    config.service(resource("/", "OPTIONS, POST", [options, plain(web::post().to(tus::create))])).service(resource(
        upload,
        "HEAD, PATCH, DELETE",
        [
            plain(web::head().to(tus::head)),
            plain(web::patch().to(tus::append)),
            plain(web::delete().to(tus::terminate)),
        ],
    ));
}

#[cfg(test)]
async fn panic() -> HttpResponse {
    panic!("a handler has a defect")
}

/// Builds a route for GET and HEAD.
fn read() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// Refuses every query: the handlers of this route know no parameter.
fn plain(route: Route) -> Route {
    route.wrap(from_fn(without_query))
}

async fn without_query(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match input::no_query(request.request()) {
        Ok(()) => Ok(next.call(request).await?.map_into_boxed_body()),
        Err(error) => Ok(request.error_response(error)),
    }
}

/// Builds a path with its routes. Other methods get 405 with `allowed` in `Allow`.
fn resource<const N: usize>(
    path: &str,
    allowed: &'static str,
    routes: [Route; N],
) -> impl HttpServiceFactory + 'static {
    let resource = routes.into_iter().fold(web::resource(path), Resource::route);
    let refuse = move || async move { refuse(ApiError::MethodNotAllowed { allowed }) };
    resource.default_service(web::to(refuse)).wrap(from_fn(without_panic))
}

async fn without_panic(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    catch_panic(request, next, || ApiError::Internal.into()).await
}

fn refuse(error: ApiError) -> Result<HttpResponse, ApiError> {
    Err(error)
}

pub(crate) async fn not_found() -> Result<HttpResponse, ApiError> {
    refuse(ApiError::NotFound("there is nothing at this path; `/` is the form, `/openapi.json` the API".to_owned()))
}

/// Admits or refuses a request, then counts and completes the response.
async fn around(
    app: web::Data<App>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (started, route, method) = (Instant::now(), request.match_pattern(), request.method().clone());
    let is_probe = matches!(request.path(), health::HEALTHZ | health::READYZ);
    let refusal = admit(&app.admission, &request, is_probe).err();
    let is_refused = refusal.is_some();
    let waiting = Waiting::of(&request);
    let response = match refusal {
        None => tokio::select! {
            response = next.call(request) => response?.map_into_boxed_body(),
            // Nobody takes this answer.
            () = waiting.gone() => return Err(ApiError::Busy.into()),
        },
        Some(refusal) => request.error_response(ApiError::from(refusal)),
    };
    let busy = |request| ServiceResponse::from_err(ApiError::Busy, request);
    let mut response = paced(response).unwrap_or_else(busy);
    if let Some(page) = problem_page(&app, &response) {
        response = response.into_response(page);
    }
    if is_refused {
        close(&mut response);
    }
    let headers = response.headers_mut();
    if headers.get(CONTENT_ENCODING).is_some_and(|packing| packing == "identity") {
        // It said that the body must not be packed, and has nothing to say to a client.
        headers.remove(CONTENT_ENCODING);
    }
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    complete(&mut response);
    // Uploads and documents take the time that their senders take, and probes would hide what people see.
    if method.is_safe() && !is_probe {
        app.engine.count_request(started.elapsed());
    }
    app.requests.observe(route, &method, response.status(), started.elapsed());
    Ok(response)
}

/// Renders a problem as a page if the request comes from a browser.
fn problem_page(app: &App, response: &ServiceResponse<BoxBody>) -> Option<HttpResponse> {
    let request = response.request();
    let error = response.response().error()?.as_error::<ApiError>()?;
    if request.path().starts_with("/api/") || !input::wants_page(request) {
        return None;
    }
    let status = error.status_code();
    let page = ProblemPage { status: status.as_u16(), title: error.title().to_owned(), detail: error.to_string() };
    let mut page = answer(app, status, &page).ok()?;
    // Headers such as `Allow` and `Retry-After` belong on the page, too.
    let own: Vec<_> = page.headers().keys().cloned().collect();
    for (name, value) in error.error_response().headers().iter().filter(|(name, _)| !own.contains(name)) {
        page.headers_mut().append(name.clone(), value.clone());
    }
    Some(page)
}
