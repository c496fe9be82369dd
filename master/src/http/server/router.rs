//! All routes with their roles, and what applies to every response: admission, metrics, headers, errors as pages for browsers. No
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
use tributary_http_common::{Answering, Waiting, admit, catch_panic, close, complete, paced};

use crate::http::{
    api::{
        aggr, documents, events, exports, files, health, history, product, product_changes, products, queues, rejects,
        reports, sources, tus, upload, uploads,
    },
    compat,
    pages::{
        self, assets,
        frame::{ProblemPage, answer},
        overview,
        product::corrections,
    },
    server::{
        App,
        delivery::deliver,
        error::ApiError,
        input, openapi,
        roles::{RoleRoute, admin, anyone, editor, reader, uploader, visitor},
    },
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
    config.configure(pages).configure(api).configure(inbox);
    #[cfg(test)]
    config.service(resource("/panic", "GET, HEAD", [reader(read().to(panic))]));
}

/// The paths of older systems.
fn compat(config: &mut web::ServiceConfig) {
    let is_document = guard::fn_guard(compat::is_json);
    let send = uploader(plain(web::post().guard(is_document).to(compat::update)));
    config
        .service(resource("/health", "GET, HEAD", [reader(plain(read().to(compat::health)))]))
        .service(resource("/data", "GET, HEAD", [reader(plain(read().to(compat::data)))]))
        // It stands before the page's own, which it includes.
        .service(resource("/update", "POST", [send, editor(plain(web::post().to(corrections::update)))]));
}

fn pages(config: &mut web::ServiceConfig) {
    config
        .service(resource("/", "GET, HEAD", [reader(read().to(overview::show))]))
        .service(resource("/update", "POST", [editor(plain(web::post().to(corrections::update)))]))
        .service(resource("/accept", "POST", [admin(plain(web::post().to(pages::sources::accept::accept)))]))
        .service(resource("/clear", "POST", [editor(plain(web::post().to(corrections::clear)))]))
        .service(resource("/hide", "POST", [editor(plain(web::post().to(corrections::hide)))]))
        .service(resource("/undo", "POST", [editor(plain(web::post().to(corrections::undo)))]))
        .service(resource("/product", "GET, HEAD", [reader(read().to(pages::product::look_up))]))
        .service(resource(
            "/products/{sku}",
            "GET, HEAD, POST",
            [reader(read().to(pages::product::show)), editor(plain(web::post().to(pages::product::save)))],
        ))
        .service(resource("/products", "GET, HEAD", [reader(read().to(pages::products::show))]))
        .service(resource("/names", "GET, HEAD", [reader(read().to(pages::names::show))]))
        .service(resource("/sources", "GET, HEAD", [reader(read().to(pages::sources::list::show))]))
        .service(resource("/sources/{name}", "GET, HEAD", [reader(read().to(pages::sources::source::show))]))
        .service(resource("/files", "GET, HEAD", [reader(read().to(pages::sources::files::show))]))
        .service(resource("/rejects", "GET, HEAD", [reader(read().to(pages::rejects::show))]))
        .service(resource(
            "/upload",
            "GET, HEAD, POST",
            [reader(plain(read().to(pages::uploads::show))), uploader(plain(web::post().to(pages::uploads::form)))],
        ))
        .service(resource("/docs", "GET, HEAD", [visitor(plain(read().to(pages::docs::show)))]))
        .service(resource("/upload/remove", "POST", [uploader(plain(web::post().to(pages::uploads::remove)))]))
        .service(resource("/upload.js", "GET, HEAD", [visitor(plain(read().to(assets::upload_script)))]))
        .service(resource("/tus.js", "GET, HEAD", [visitor(plain(read().to(assets::tus_script)))]))
        .service(resource("/reports", "GET, HEAD", [reader(plain(read().to(pages::reports::list)))]))
        .service(resource("/reports/{name}", "GET, HEAD", [reader(read().to(pages::reports::show))]))
        .service(resource("/demo", "GET, HEAD", [reader(plain(read().to(pages::demo::show)))]))
        .service(resource("/style.css", "GET, HEAD", [visitor(plain(read().to(assets::style)))]))
        .service(resource("/live.js", "GET, HEAD", [visitor(plain(read().to(assets::script)))]))
        .service(resource("/icon.svg", "GET, HEAD", [visitor(plain(read().to(assets::icon)))]))
        .service(resource("/favicon.ico", "GET, HEAD", [visitor(plain(read().to(assets::icon)))]));
}

fn api(config: &mut web::ServiceConfig) {
    let sku = "/api/v1/products/{sku}";
    config
        .service(resource("/api/v1/products", "GET, HEAD", [reader(read().to(products::list))]))
        .service(resource(
            sku,
            "GET, HEAD, PUT, PATCH, DELETE",
            [
                reader(plain(read().to(product::get))),
                editor(plain(web::put().to(product::put))),
                editor(plain(web::patch().to(product::patch))),
                editor(plain(web::delete().to(product::hide))),
            ],
        ))
        .service(resource(&format!("{sku}/edit"), "DELETE", [editor(plain(web::delete().to(product::clear)))]))
        .service(resource(&format!("{sku}/history"), "GET, HEAD", [reader(read().to(product_changes::list))]))
        .service(resource(
            &format!("{sku}/history/{{id}}/undo"),
            "POST",
            [editor(plain(web::post().to(product_changes::undo)))],
        ))
        .service(resource("/api/v1/aggr", "GET, HEAD", [reader(read().to(aggr::list))]))
        .service(resource("/api/v1/exports", "GET, HEAD", [reader(read().to(exports::list))]))
        .service(resource("/api/v1/queues", "GET, HEAD", [reader(read().to(queues::list))]))
        .service(resource("/api/v1/sources", "GET, HEAD", [reader(read().to(sources::list))]))
        .service(resource("/api/v1/sources/{name}/accept", "POST", [admin(web::post().to(sources::accept))]))
        .service(resource("/api/v1/history", "GET, HEAD", [reader(read().to(history::list))]))
        .service(resource("/api/v1/files", "GET, HEAD", [reader(read().to(files::list))]))
        .service(resource("/api/v1/rejects", "GET, HEAD", [reader(read().to(rejects::list))]))
        .service(resource("/api/v1/reports", "GET, HEAD", [reader(read().to(reports::list))]))
        .service(resource("/api/v1/reports/{name}", "GET, HEAD", [reader(read().to(reports::get))]))
        .service(resource("/api/v1/events", "GET", [reader(plain(web::get().to(events::follow)))]))
        .service(resource(health::HEALTHZ, "GET, HEAD", [anyone(plain(read().to(health::healthz)))]))
        .service(resource(health::READYZ, "GET, HEAD", [anyone(plain(read().to(health::readyz)))]))
        .service(resource(
            socketio::PATH,
            "GET, POST",
            [reader(web::get().to(socketio::get)), reader(web::post().to(socketio::post))],
        ))
        .service(resource("/metrics", "GET, HEAD", [reader(plain(read().to(health::metrics)))]))
        .service(resource("/openapi.json", "GET, HEAD", [visitor(plain(read().to(openapi::show)))]));
}

/// The routes of what is sent.
fn inbox(config: &mut web::ServiceConfig) {
    config
        .service(resource(
            "/api/v1/uploads",
            "GET, HEAD, POST, PUT",
            [
                reader(read().to(uploads::list)),
                uploader(web::post().to(upload::post)),
                uploader(web::put().to(upload::put)),
            ],
        ))
        .service(resource(
            "/api/v1/uploads/{id}",
            "GET, HEAD, DELETE",
            [reader(plain(read().to(uploads::get))), uploader(plain(web::delete().to(uploads::cancel)))],
        ))
        .service(resource("/api/v1/uploads/{id}/events", "GET", [reader(plain(web::get().to(uploads::follow)))]))
        .service(web::scope("/api/v1/tus").wrap(from_fn(tus::version)).configure(resumable))
        .service(resource(
            "/api/v1/documents/{path:.+}",
            "GET, HEAD, PUT, DELETE",
            [
                reader(plain(read().to(documents::get))),
                uploader(web::put().to(documents::put)),
                uploader(web::delete().to(documents::delete)),
            ],
        ));
}

/// The routes of tus 1.0.
fn resumable(config: &mut web::ServiceConfig) {
    let (options, upload) = (reader(plain(web::method(Method::OPTIONS).to(tus::options))), "/{id}");
    config.service(resource("/", "OPTIONS, POST", [options, uploader(plain(web::post().to(tus::create)))])).service(
        resource(
            upload,
            "HEAD, PATCH, DELETE",
            [
                uploader(plain(web::head().to(tus::head))),
                uploader(plain(web::patch().to(tus::append))),
                uploader(plain(web::delete().to(tus::terminate))),
            ],
        ),
    );
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
    routes: [RoleRoute; N],
) -> impl HttpServiceFactory + 'static {
    let resource = routes.into_iter().map(|RoleRoute(route)| route).fold(web::resource(path), Resource::route);
    let refuse = move || async move { refuse(ApiError::MethodNotAllowed { allowed }) };
    resource.default_service(web::to(refuse)).wrap(from_fn(without_nul)).wrap(from_fn(without_panic))
}

async fn without_nul(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match input::no_nul(request.uri().path()) {
        Ok(()) => Ok(next.call(request).await?.map_into_boxed_body()),
        Err(error) => Ok(request.error_response(error)),
    }
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
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let answering = Answering::begin(&mut request);
    let (started, route, method) = (Instant::now(), request.match_pattern(), request.method().clone());
    let is_probe = matches!(request.path(), health::HEALTHZ | health::READYZ);
    let refusal = admit(&app.admission, &request, is_probe).await.err();
    let waiting = Waiting::of(request.request(), method.is_safe());
    let response = match refusal {
        None => tokio::select! {
            response = next.call(request) => response?.map_into_boxed_body(),
            // Nobody takes this answer.
            () = waiting.gone() => return Err(ApiError::Busy.into()),
        },
        Some(refusal) => request.error_response(ApiError::from(refusal)),
    };
    let busy = |request| ServiceResponse::from_err(ApiError::Busy, request);
    let mut response = paced(response, answering).unwrap_or_else(busy);
    let error = response.response().error().and_then(|error| error.as_error::<ApiError>());
    // What a client has sent behind a request that is refused would be refused, too.
    let is_refused = matches!(error, Some(ApiError::Denied(_) | ApiError::OnlyActive(_) | ApiError::Busy));
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
