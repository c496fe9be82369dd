//! Applies the admission rules to a request of this HTTP library.

use actix_web::{
    dev::ServiceRequest,
    http::{
        StatusCode,
        header::{AUTHORIZATION, HOST, HeaderName, HeaderValue, ORIGIN, UPGRADE},
    },
};
use tributary_admission::{Admission, Denied, RequestFacts};

use crate::connection::LocalAddress;

/// Judges a request by its head. `is_probe`: it only asks whether the server is alive, which needs no token.
///
/// # Errors
/// The rule that the request breaks.
pub fn admit(admission: &Admission, request: &ServiceRequest, is_probe: bool) -> Result<(), Denied> {
    let header = |name: &HeaderName| request.headers().get(name).map(HeaderValue::as_bytes);
    let target = request.uri().authority().map(|authority| authority.as_str().as_bytes());
    admission.admit(&RequestFacts {
        // A browser lets a page of any site open a WebSocket, and read from it.
        is_change: !request.method().is_safe() || request.headers().contains_key(UPGRADE),
        is_probe,
        host: target.or(header(&HOST)),
        fetch_site: header(&HeaderName::from_static("sec-fetch-site")),
        origin: header(&ORIGIN),
        authorization: header(&AUTHORIZATION),
        local: request.conn_data::<LocalAddress>().map(|local| local.0),
    })
}

/// Returns the status and the problem title of a refusal.
#[must_use]
pub fn denial(denied: &Denied) -> (StatusCode, &'static str) {
    match denied {
        Denied::UnknownHost { .. } => (StatusCode::MISDIRECTED_REQUEST, "unknown host"),
        Denied::CrossSite => (StatusCode::FORBIDDEN, "cross-site request"),
        Denied::NoToken => (StatusCode::UNAUTHORIZED, "token needed"),
        _ => (StatusCode::FORBIDDEN, "not admitted"),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_request_target_beats_the_host_header() {
        let check = |uri: &str, host: &str, expect: bool| {
            let request = TestRequest::with_uri(uri).insert_header((HOST, host.to_owned())).to_srv_request();
            assert_eq!(admit(&Admission::default(), &request, false).is_ok(), expect, "{uri} {host}");
        };
        check("/", "localhost:5000", true);
        check("/", "evil.example", false);
        check("http://evil.example/", "localhost:5000", false);
        check("http://localhost:5000/", "evil.example", true);
    }

    #[test]
    fn a_websocket_is_kept_from_other_sites() {
        let check = |origin: &'static str, is_admitted: bool| {
            let request = TestRequest::get().insert_header((HOST, "localhost:5000")).insert_header((ORIGIN, origin));
            let plain = request.to_srv_request();
            assert!(admit(&Admission::default(), &plain, false).is_ok(), "{origin}");
            let request = TestRequest::get().insert_header((HOST, "localhost:5000")).insert_header((ORIGIN, origin));
            let upgrade = request.insert_header((UPGRADE, "websocket")).to_srv_request();
            assert_eq!(admit(&Admission::default(), &upgrade, false).is_ok(), is_admitted, "{origin}");
        };
        check("http://localhost:5000", true);
        check("http://evil.example", false);
    }

    #[test]
    fn only_methods_that_change_something_are_kept_from_other_sites() {
        for (request, is_refused) in [
            (TestRequest::get(), false),
            (TestRequest::with_uri("/").method(actix_web::http::Method::HEAD), false),
            (TestRequest::post(), true),
            (TestRequest::put(), true),
            (TestRequest::patch(), true),
            (TestRequest::delete(), true),
        ] {
            let request = request.insert_header((HOST, "localhost")).insert_header(("sec-fetch-site", "cross-site"));
            let request = request.to_srv_request();
            let refused = admit(&Admission::default(), &request, false).is_err();
            assert_eq!(refused, is_refused, "{}", request.method());
        }
    }
}
