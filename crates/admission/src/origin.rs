//! The cross-site rule: a page on another site must not use a reader's browser to read or change anything here.

use crate::host::split_port;

/// The head of a request, as far as this rule needs it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sent<'a> {
    /// `Sec-Fetch-Site`.
    pub(crate) fetch_site: Option<&'a [u8]>,
    /// `Origin`.
    pub(crate) origin: Option<&'a [u8]>,
    /// The host that is asked.
    pub(crate) host: &'a str,
}

/// Returns whether a page on another site makes the browser send this request. Browsers say so in `Sec-Fetch-Site`; older ones send only
/// `Origin`, which must name the host that is asked. `scheme` is that of the server; a host in `allowed` may have another one before it,
/// because a proxy takes the requests of its pages.
pub(crate) fn is_cross_site(sent: Sent<'_>, scheme: &str, allowed: &[String]) -> bool {
    let is_foreign_site = sent.fetch_site.is_some_and(|site| site != b"same-origin" && site != b"none");
    is_foreign_site || sent.origin.is_some_and(|origin| !is_own_origin(origin, sent, scheme, allowed))
}

fn is_own_origin(origin: &[u8], sent: Sent<'_>, scheme: &str, allowed: &[String]) -> bool {
    let parts = std::str::from_utf8(origin).ok().and_then(|origin| origin.split_once("://"));
    let Some((page_scheme, authority)) = parts else { return false };
    // A browser that says `same-origin` has compared the schemes as well; it saw that of a proxy.
    let is_vouched = sent.fetch_site == Some(b"same-origin") && matches!(page_scheme, "http" | "https");
    let is_allowed = |allowed: &String| {
        let (scheme, host) = allowed.split_once("://").unwrap_or_default();
        scheme.eq_ignore_ascii_case(page_scheme) && is_same(host, authority, page_scheme)
    };
    is_same(authority, sent.host, page_scheme)
        && (page_scheme == scheme || is_vouched || allowed.iter().any(is_allowed))
}

/// Compares two hosts with their ports. A browser leaves out the port that is usual for the scheme, and a proxy may add it.
fn is_same(one: &str, other: &str, scheme: &str) -> bool {
    let usual = if scheme == "https" { "443" } else { "80" };
    let parts = |authority| {
        let (name, port) = split_port(authority);
        (name, port.filter(|port| !port.is_empty()).unwrap_or(usual))
    };
    let ((name, port), (other_name, other_port)) = (parts(one), parts(other));
    name.eq_ignore_ascii_case(other_name) && port == other_port
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(site: Option<&str>, origin: Option<&str>, (host, scheme): (&str, &str), expect: bool) {
        let allowed = ["shop.example", "https://proxied.example", "https://lab.example:8443"].map(str::to_owned);
        let sent = Sent { fetch_site: site.map(str::as_bytes), origin: origin.map(str::as_bytes), host };
        assert_eq!(is_cross_site(sent, scheme, &allowed), expect, "{site:?} {origin:?} {host} {scheme}");
    }

    #[test]
    fn other_sites_are_recognised() {
        let own = ("localhost:5000", "http");
        check(None, None, own, false);
        check(Some("same-origin"), Some("http://localhost:5000"), own, false);
        check(Some("none"), None, own, false);
        check(Some("cross-site"), None, own, true);
        check(Some("same-site"), None, own, true);
        check(Some(""), None, own, true);
        check(None, Some("http://evil.example"), own, true);
        check(None, Some("null"), own, true);
        check(None, Some(""), own, true);
        check(None, Some("http://localhost:5001"), own, true);
        check(None, Some("http://localhost"), own, true);
        check(None, Some("http://localhost:5000, http://evil.example"), own, true);
        check(Some("same-origin"), Some("http://evil.example"), own, true);
    }

    #[test]
    fn the_scheme_of_a_page_is_that_of_the_server_or_of_a_proxy() {
        let own = ("localhost:5000", "http");
        check(None, Some("https://localhost:5000"), own, true);
        check(None, Some("chrome-extension://localhost:5000"), own, true);
        check(Some("same-origin"), Some("chrome-extension://localhost:5000"), own, true);
        check(None, Some("https://localhost:5000"), ("localhost:5000", "https"), false);
        check(None, Some("http://localhost:5000"), ("localhost:5000", "https"), true);
        // A browser behind a proxy that takes https, and an old one that does not say `same-origin`.
        check(Some("same-origin"), Some("https://shop.example"), ("shop.example", "http"), false);
        check(None, Some("https://shop.example"), ("shop.example", "http"), true);
        check(None, Some("https://proxied.example"), ("proxied.example", "http"), false);
        check(None, Some("https://proxied.example:8443"), ("proxied.example:8443", "http"), true);
        check(None, Some("https://lab.example:8443"), ("lab.example:8443", "http"), false);
        // The usual port may be there or not.
        check(None, Some("http://localhost"), ("localhost:80", "http"), false);
        check(None, Some("https://proxied.example"), ("proxied.example:443", "http"), false);
        check(None, Some("https://proxied.example"), ("proxied.example:80", "http"), true);
    }
}
