//! Admits requests: the rules of the HTTP entrance, with `X-API-Key` for the token, and the pages of the sites that are named.

use actix_cors::Cors;
use actix_web::{
    Error,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{
            ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_LANGUAGE, CONTENT_LENGTH,
            CONTENT_TYPE, HeaderName, HeaderValue, ORIGIN,
        },
    },
    middleware::Next,
    web::Data,
};
use tributary_admission::{Denied, Role};
use tributary_config::Origins;
use tributary_http_common::{admit, close, require};

use super::{refusal::Refusal, serve::Gateway};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");
/// Seconds for which a browser remembers what it may do.
const REMEMBERED: usize = 600;

/// The rules that browsers ask for before they let a page of another site in.
pub(super) fn cors(origins: &Origins) -> Cors {
    let cors = Cors::default()
        .allowed_methods([Method::GET, Method::POST, Method::OPTIONS])
        .allowed_headers([ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_LANGUAGE, CONTENT_TYPE, ORIGIN])
        .allowed_headers([API_KEY, REQUESTED_WITH])
        .expose_headers([CONTENT_DISPOSITION, CONTENT_LENGTH])
        .max_age(REMEMBERED);
    match origins {
        Origins::Named(names) => names.iter().fold(cors, |cors, name| cors.allowed_origin(name)).supports_credentials(),
        // Of any site, none gets what a browser has stored of a person.
        Origins::Any => cors.allow_any_origin().send_wildcard(),
    }
}

/// Admits or refuses a request.
pub(super) async fn guard(
    gateway: Data<Gateway>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match judge(&gateway, &mut request).await {
        Ok(()) => Ok(next.call(request).await?.map_into_boxed_body()),
        Err(denied) => {
            let mut refused = request.error_response(Refusal::from(denied));
            // What comes behind would be refused, too.
            close(&mut refused);
            Ok(refused)
        }
    }
}

async fn judge(gateway: &Gateway, request: &mut ServiceRequest) -> Result<(), Denied> {
    let headers = request.headers();
    if headers.get_all(API_KEY).nth(1).is_some() {
        return Err(Denied::Repeated { name: API_KEY.to_string() });
    }
    let bearer = headers.get(API_KEY).map(|key| [b"Bearer ", key.as_bytes()].concat());
    if let Some(bearer) = bearer.and_then(|bearer| HeaderValue::from_bytes(&bearer).ok())
        && !headers.contains_key(AUTHORIZATION)
    {
        request.headers_mut().insert(AUTHORIZATION, bearer);
    }
    let role = if request.method().is_safe() { Role::Read } else { Role::Upload };
    let said = without_site(&gateway.origins, request);
    let admitted = admit(&gateway.admission, request, false).await;
    // What is sent to the page depends on them.
    said.into_iter().for_each(|(name, value)| request.headers_mut().append(name, value));
    admitted?;
    require(role, request)
}

/// Takes out what says that a page of another site asks, if pages of that site may.
fn without_site(origins: &Origins, request: &mut ServiceRequest) -> Vec<(HeaderName, HeaderValue)> {
    let mut sent = request.headers().get_all(ORIGIN);
    let (origin, is_repeated) = (sent.next().and_then(|origin| origin.to_str().ok()), sent.next().is_some());
    if is_repeated || !origin.is_some_and(|origin| origins.allows(origin)) {
        return Vec::new();
    }
    let headers = request.headers_mut();
    let taken = [ORIGIN, FETCH_SITE].map(|name| (name.clone(), headers.remove(&name).collect::<Vec<_>>()));
    taken.into_iter().flat_map(|(name, values)| values.into_iter().map(move |value| (name.clone(), value))).collect()
}
