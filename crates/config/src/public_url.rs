//! The address of the master as others reach it.

use url::Url;

use crate::secrets::shown;

/// Parses the address: the scheme and the host, without a path. It ends without a slash, so that a path can follow.
pub(super) fn public_url(typed: &str) -> Result<String, String> {
    let text = shown(typed);
    let wrong = |why: &str| format!("`{text}` {why}; write https://HOST or http://HOST:PORT");
    let url = Url::parse(typed).map_err(|why| wrong(&format!("is not a URL ({why})")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(wrong("is not the address of a web server"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the address of the master must not hold a user or a password: everybody is told of it".to_owned());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("has a path, and the master serves no path of a site"));
    }
    Ok(url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_scheme_and_a_host() {
        let check = |text: &str, expect: Result<&str, &str>| match (public_url(text), expect) {
            (Ok(url), Ok(expect)) => assert_eq!(url, expect, "{text}"),
            (Err(why), Err(part)) => assert!(why.contains(part), "{text}: {why}"),
            (found, expect) => panic!("{text}: found {found:?}, expected {expect:?}"),
        };
        check("https://shop.example", Ok("https://shop.example"));
        check("http://10.0.0.1:5000/", Ok("http://10.0.0.1:5000"));
        check("http://[::1]:5000", Ok("http://[::1]:5000"));
        check("HTTPS://Bücher.example:443/", Ok("https://xn--bcher-kva.example"));
        check("shop.example:5000", Err("write https://HOST"));
        check("ftp://shop.example", Err("not the address of a web server"));
        check("http://shop.example/tributary", Err("has a path"));
        check("http://shop.example?a", Err("has a path"));
        check("http://ann:secret@shop.example", Err("must not hold a user"));
        for text in
            ["http://ann:secret@shop.example", "http://ann:secret@shop.example:x", "ann:sec@secret@shop.example"]
        {
            assert!(!public_url(text).unwrap_err().contains("secret"), "{text}");
        }
    }
}
