//! The cross-site rule: a page on another site must not use a reader's browser to change anything here.

/// Returns whether a page on another site makes the browser send this request, which is not a safe one. Browsers say so in
/// `Sec-Fetch-Site`; older ones send only `Origin`, which must name the same host and port as `Host`.
pub(crate) fn is_cross_site(fetch_site: Option<&[u8]>, origin: Option<&[u8]>, host: Option<&[u8]>) -> bool {
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
    fn other_sites_are_recognised() {
        let check = |site: Option<&str>, origin: Option<&str>, expect: bool| {
            let (site_bytes, origin_bytes) = (site.map(str::as_bytes), origin.map(str::as_bytes));
            assert_eq!(is_cross_site(site_bytes, origin_bytes, Some(b"localhost:5000")), expect, "{site:?} {origin:?}");
        };
        check(None, None, false);
        check(Some("same-origin"), Some("http://localhost:5000"), false);
        check(Some("none"), None, false);
        check(Some("cross-site"), None, true);
        check(Some("same-site"), None, true);
        check(Some(""), None, true);
        check(None, Some("http://evil.example"), true);
        check(None, Some("null"), true);
        check(None, Some("http://localhost:5001"), true);
        check(Some("same-origin"), Some("http://evil.example"), true);
    }
}
