//! Paths that carry a capability: `/read/~TOKEN/{path}`, and `/read/~TOKEN/~HASH/{path}` for one content alone. The rules are those of
//! docs/reference/source-protocol.md#capabilities.

use std::{borrow::Cow, sync::Arc, time::Instant};

use actix_web::{
    HttpMessage, HttpRequest,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{CACHE_CONTROL, HeaderValue, REFERRER_POLICY},
    },
};
use percent_encoding::percent_decode_str;
use tributary_admission::{CAPABILITY_CHARS, Capabilities, Scope};

const ROUTE: &str = "/read/";
/// Label of such requests in metrics, which must not show the secret.
pub(super) const PATTERN: &str = "/read/~{capability}/{path}";

/// Scope of a request's capability.
#[derive(Clone)]
struct Opened(Arc<Scope>);

/// The file that a request asks for.
pub(super) struct Wanted {
    /// The path; empty if it is not UTF-8, and so of no file.
    pub(super) path: String,
    /// The hash that the content must have.
    pub(super) hash: Option<String>,
    /// The scope of the request's capability; `None` if the request has none.
    pub(super) scope: Option<Arc<Scope>>,
}

/// Looks for a capability in a request's path, and remembers its scope. `None`: the path has none. `Some(false)`: it is not valid.
pub(super) fn open(capabilities: &Capabilities, request: &ServiceRequest) -> Option<bool> {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let (secret, _) = split(request.uri().path()).filter(|_| is_read)?;
    let scope = capabilities.find(secret, Instant::now());
    let is_valid = scope.is_some();
    scope.into_iter().for_each(|scope| drop(request.extensions_mut().insert(Opened(scope))));
    Some(is_valid)
}

/// Whether the request has a valid capability.
pub(super) fn is_opened(request: &HttpRequest) -> bool {
    request.extensions().contains::<Opened>()
}

/// Keeps the secret path out of `Referer`, and the answer out of caches that others share.
pub(super) fn keep_secret(response: &mut ServiceResponse<BoxBody>) {
    let headers = response.headers_mut();
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
}

/// Returns which file a request of `/read/{path}` asks for.
pub(super) fn wanted(request: &HttpRequest) -> Wanted {
    let scope = request.extensions().get::<Opened>().map(|Opened(scope)| Arc::clone(scope));
    let path = request.uri().path();
    let encoded = match split(path).filter(|_| scope.is_some()) {
        Some((_, behind)) => behind,
        None => path.strip_prefix(ROUTE).unwrap_or_default(),
    };
    let (hash, encoded) = match pin(encoded).filter(|_| scope.is_some()) {
        Some((hash, behind)) => (Some(hash), behind),
        None => (None, encoded),
    };
    // No file has the empty path, and none has one that is not UTF-8.
    let path = percent_decode_str(encoded).decode_utf8().unwrap_or_default().into_owned();
    Wanted { path, hash, scope }
}

/// Splits the path of a URL into a capability and what follows it. A first folder of any other name is none.
fn split(path: &str) -> Option<(&str, &str)> {
    let (secret, behind) = behind_tilde(path.strip_prefix(ROUTE)?)?.split_once('/')?;
    let is_one = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (secret.len() == CAPABILITY_CHARS && secret.as_bytes().iter().all(is_one)).then_some((secret, behind))
}

/// Splits off the hash before a path.
fn pin(encoded: &str) -> Option<(String, &str)> {
    let (hash, behind) = behind_tilde(encoded)?.split_once('/')?;
    let hash: Cow<'_, str> = percent_decode_str(hash).decode_utf8().ok()?;
    let hex = hash.strip_prefix("blake3:")?;
    let is_hash = hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_hash.then(|| (hash.into_owned(), behind))
}

/// Some clients encode the tilde though they need not (RFC 3986, section 2.3).
fn behind_tilde(encoded: &str) -> Option<&str> {
    ["~", "%7E", "%7e"].into_iter().find_map(|tilde| encoded.strip_prefix(tilde))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const SECRET: &str = "0123456789-ABCDEFGHIJ_KLMNOPQRSTUVWXYZabcde";

    fn see(path: &str, is_open: bool) -> (String, Option<String>) {
        let request = TestRequest::with_uri(path).to_http_request();
        if is_open {
            request.extensions_mut().insert(Opened(Arc::new(Scope::All)));
        }
        let Wanted { path, hash, .. } = wanted(&request);
        (path, hash)
    }

    #[test]
    fn capabilities_have_a_form_that_names_of_files_do_not_have() {
        let check = |path: &str, expect: Option<&str>| {
            assert_eq!(split(path), expect.map(|behind| (SECRET, behind)), "{path}");
        };
        check(&format!("/read/~{SECRET}/a.csv"), Some("a.csv"));
        check(&format!("/read/%7e{SECRET}/b/a.csv"), Some("b/a.csv"));
        check(&format!("/read/~{SECRET}/"), Some(""));
        for path in [
            format!("/read/~{SECRET}"),
            format!("/read/{SECRET}/a.csv"),
            format!("/read/~{SECRET}f/a.csv"),
            format!("/read/~{}/a.csv", &SECRET[1..]),
            format!("/read/~{}%41/a.csv", &SECRET[1..]),
            format!("/read/~{}./a.csv", &SECRET[1..]),
            format!("/read/x/~{SECRET}/a.csv"),
            format!("/sense/~{SECRET}/a.csv"),
            "/read/~a.csv".to_owned(),
            "/read/~/a.csv".to_owned(),
        ] {
            check(&path, None);
        }
    }

    #[test]
    fn a_path_is_pinned_only_behind_a_capability() {
        let hash = format!("blake3:{}", "0f".repeat(32));
        let check = |path: &str, is_open: bool, expect: (&str, Option<&str>)| {
            let expect = (expect.0.to_owned(), expect.1.map(str::to_owned));
            assert_eq!(see(path, is_open), expect, "{path}");
        };
        let open = format!("/read/~{SECRET}");
        check(&format!("{open}/b/a%20b.csv"), true, ("b/a b.csv", None));
        check(&format!("{open}/~{hash}/a.csv"), true, ("a.csv", Some(&hash)));
        check(&format!("{open}/%7E{}/a.csv", hash.replace(':', "%3A")), true, ("a.csv", Some(&hash)));
        check(&format!("{open}/~{hash}/~{hash}/a.csv"), true, (&format!("~{hash}/a.csv"), Some(&hash)));
        check(&format!("{open}/~{hash}"), true, (&format!("~{hash}"), None));
        check(&format!("{open}/~{}/a.csv", &hash[..70]), true, (&format!("~{}/a.csv", &hash[..70]), None));
        check(&format!("{open}/~x.csv"), true, ("~x.csv", None));
        check(&format!("{open}/a.csv"), false, (&format!("~{SECRET}/a.csv"), None));
        check(&format!("/read/~{hash}/a.csv"), false, (&format!("~{hash}/a.csv"), None));
        check("/read/~x.csv", false, ("~x.csv", None));
        check("/read/%FF", false, ("", None));
    }
}
