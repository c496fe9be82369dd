//! Who may ask at all, judged by a request's headers alone: the host it names and where it comes from. The rules are the
//! contract's, section 5; they keep pages of other sites from using a reader's browser against this server.

use std::net::IpAddr;

use actix_web::http::Method;

/// Whether `Host` names this server: the address `at` which it was reached, a name of this machine, or one of `allowed`. A
/// port is compared only where `allowed` names one: a tunnel or a proxy has another.
pub(crate) fn is_our_host(host: &str, at: IpAddr, allowed: &[String]) -> bool {
    let (name, _) = split_port(host);
    let bare = name.trim_matches(['[', ']']);
    let is_ours = match bare.parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().is_loopback() || ip.to_canonical() == at.to_canonical(),
        Err(_) => bare.eq_ignore_ascii_case("localhost"),
    };
    let is_allowed = |allowed: &String| match split_port(allowed) {
        (_, Some(_)) => allowed.eq_ignore_ascii_case(host),
        (allowed, None) => allowed.eq_ignore_ascii_case(name),
    };
    is_ours || allowed.iter().any(is_allowed)
}

fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => (name, Some(port)),
        _ => (host, None),
    }
}

/// Whether a page of another site makes the browser send this request, which would change something.
pub(crate) fn is_cross_site(
    method: &Method,
    fetch_site: Option<&[u8]>,
    origin: Option<&[u8]>,
    host: Option<&[u8]>,
) -> bool {
    if method.is_safe() {
        return false;
    }
    let is_foreign_site = fetch_site.is_some_and(|site| site != b"same-origin" && site != b"none");
    let is_foreign_origin = origin.is_some_and(|origin| {
        let authority = origin.windows(3).position(|part| part == b"://").map(|at| &origin[at + 3..]);
        !authority.zip(host).is_some_and(|(authority, host)| authority.eq_ignore_ascii_case(host))
    });
    is_foreign_site || is_foreign_origin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_names_are_our_host() {
        let allowed = ["shop.example".to_owned(), "lab:8080".to_owned()];
        let check = |host: &str, expect: bool| {
            assert_eq!(is_our_host(host, IpAddr::from([192, 168, 1, 5]), &allowed), expect, "{host}");
        };
        for ours in [
            "192.168.1.5:5000",
            "192.168.1.5",
            "localhost",
            "LocalHost:5000",
            "127.0.0.1:5000",
            "127.9.9.9",
            "[::ffff:192.168.1.5]",
        ] {
            check(ours, true);
        }
        for ours in ["[::1]:5000", "[::1]", "shop.example", "Shop.Example:443", "lab:8080"] {
            check(ours, true);
        }
        for other in ["", "evil.example", "192.168.1.6", "lab", "lab:80", "localhost.evil.example", "shop.example.evil"]
        {
            check(other, false);
        }
        for other in ["10.0.0.1:5000", "[::2]:5000", "127.0.0.1.evil.example", "0.0.0.0", ":5000"] {
            check(other, false);
        }
    }

    #[test]
    fn what_another_site_sends_changes_nothing() {
        let check = |method: Method, site: Option<&str>, origin: Option<&str>, expect: bool| {
            let (site_bytes, origin_bytes) = (site.map(str::as_bytes), origin.map(str::as_bytes));
            let is_cross_site = is_cross_site(&method, site_bytes, origin_bytes, Some(b"localhost:5000"));
            assert_eq!(is_cross_site, expect, "{method} {site:?} {origin:?}");
        };
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            check(method.clone(), None, None, false);
            check(method.clone(), Some("same-origin"), Some("http://localhost:5000"), false);
            check(method.clone(), Some("none"), None, false);
            check(method.clone(), Some("cross-site"), None, true);
            check(method.clone(), Some("same-site"), None, true);
            check(method.clone(), Some(""), None, true);
            check(method.clone(), None, Some("http://evil.example"), true);
            check(method.clone(), None, Some("null"), true);
            check(method.clone(), None, Some("http://localhost:5001"), true);
            check(method, Some("same-origin"), Some("http://evil.example"), true);
        }
        check(Method::GET, Some("cross-site"), Some("http://evil.example"), false);
        check(Method::HEAD, Some("cross-site"), None, false);
    }
}
