//! Applies the admission rules to a request of this HTTP library.

use std::rc::Rc;

use actix_web::{
    dev::ServiceRequest,
    http::{
        StatusCode,
        header::{AUTHORIZATION, HOST, HeaderName, HeaderValue, ORIGIN, UPGRADE},
    },
};
use tributary_admission::{Admission, Caller, Denied, RequestFacts};

use crate::connection::Connection;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Judges a request by its head, and returns who sends it. `is_probe`: it only asks whether the server is alive, which needs no token.
///
/// # Errors
/// The rule that the request breaks.
pub(crate) fn judge(admission: &Admission, request: &ServiceRequest, is_probe: bool) -> Result<Caller, Denied> {
    let header = |name: &HeaderName| request.headers().get(name).map(HeaderValue::as_bytes);
    let target = request.uri().authority().map(|authority| authority.as_str().as_bytes());
    let once = [HOST, ORIGIN, FETCH_SITE, FETCH_MODE, FETCH_DEST, AUTHORIZATION];
    let repeated = once.iter().find(|name| request.headers().get_all(*name).nth(1).is_some());
    admission.admit(&RequestFacts {
        // A browser lets a page of any site open a WebSocket, and read from it.
        is_change: !request.method().is_safe() || request.headers().contains_key(UPGRADE),
        is_navigation: header(&FETCH_MODE) == Some(b"navigate")
            && matches!(header(&FETCH_DEST), None | Some(b"document")),
        repeated: repeated.map(HeaderName::as_str),
        is_probe,
        host: target.or(header(&HOST)),
        fetch_site: header(&FETCH_SITE),
        origin: header(&ORIGIN),
        authorization: header(&AUTHORIZATION),
        local: request.conn_data::<Rc<Connection>>().and_then(|connection| connection.local),
    })
}

/// Returns the status and the problem title of a refusal.
#[must_use]
pub fn denial(denied: &Denied) -> (StatusCode, &'static str) {
    match denied {
        Denied::UnknownHost { .. } => (StatusCode::MISDIRECTED_REQUEST, "unknown host"),
        Denied::CrossSite => (StatusCode::FORBIDDEN, "cross-site request"),
        Denied::NoToken | Denied::WrongToken => (StatusCode::UNAUTHORIZED, "token needed"),
        Denied::TooManyWrong => (StatusCode::TOO_MANY_REQUESTS, "too many wrong tokens"),
        Denied::Role { .. } => (StatusCode::FORBIDDEN, "role needed"),
        Denied::Repeated { .. } => (StatusCode::BAD_REQUEST, "bad request"),
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
            assert_eq!(judge(&Admission::default(), &request, false).is_ok(), expect, "{uri} {host}");
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
            let plain = request.insert_header(("sec-fetch-mode", "navigate")).to_srv_request();
            assert!(judge(&Admission::default(), &plain, false).is_ok(), "{origin}");
            let request = TestRequest::get().insert_header((HOST, "localhost:5000")).insert_header((ORIGIN, origin));
            let upgrade = request.insert_header((UPGRADE, "websocket")).to_srv_request();
            assert_eq!(judge(&Admission::default(), &upgrade, false).is_ok(), is_admitted, "{origin}");
        };
        check("http://localhost:5000", true);
        check("http://evil.example", false);
    }

    #[test]
    fn other_sites_may_only_link_here() {
        let check = |request: TestRequest, mode: &'static str, dest: &'static str, is_admitted: bool| {
            let request = request.insert_header((HOST, "localhost")).insert_header(("sec-fetch-site", "cross-site"));
            let request = request.insert_header((FETCH_MODE, mode)).insert_header((FETCH_DEST, dest)).to_srv_request();
            let admitted = judge(&Admission::default(), &request, false).is_ok();
            assert_eq!(admitted, is_admitted, "{} {mode} {dest}", request.method());
        };
        check(TestRequest::get(), "navigate", "document", true);
        check(TestRequest::get(), "navigate", "iframe", false);
        for dest in ["script", "image", "style", "empty"] {
            check(TestRequest::get(), "no-cors", dest, false);
        }
        check(TestRequest::with_uri("/").method(actix_web::http::Method::HEAD), "cors", "empty", false);
        for request in [TestRequest::post(), TestRequest::put(), TestRequest::patch(), TestRequest::delete()] {
            check(request, "navigate", "document", false);
        }
    }

    #[test]
    fn headers_that_decide_occur_once() {
        for name in ["host", "origin", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "authorization"] {
            let request = TestRequest::get().insert_header((HOST, "localhost"));
            let request = request.append_header((name, "localhost")).append_header((name, "localhost"));
            let denied = judge(&Admission::default(), &request.to_srv_request(), false).unwrap_err();
            assert_eq!(denied, Denied::Repeated { name: name.to_owned() });
        }
    }
}
