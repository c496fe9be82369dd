//! `[sales_gateway]`: the web gateway of streams of sales.

use serde::Deserialize;
use toml::Spanned;
use url::Url;

/// Stands for the pages of any site.
const ANY: &str = "*";

/// The web gateway of streams of sales.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SalesGatewayConfig {
    /// The address to listen on, as HOST:PORT. Default: none, so that there is no gateway.
    pub listen: Option<String>,
    /// Sites whose pages may use it, as a browser names them. Default: none.
    pub origins: Origins,
}

/// Sites whose pages may use an entrance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// Those with one of these names, as `SCHEME://HOST[:PORT]`.
    Named(Vec<String>),
    /// Any.
    Any,
}

impl Default for Origins {
    fn default() -> Self {
        Self::Named(Vec::new())
    }
}

impl Origins {
    /// Whether the pages of this origin may use it.
    #[must_use]
    pub fn allows(&self, origin: &str) -> bool {
        match self {
            Self::Named(names) => names.iter().any(|name| name == origin),
            Self::Any => true,
        }
    }

    /// Parses a list of origins, in which `*` stands for any.
    pub(super) fn parse(typed: &[String]) -> Result<Self, String> {
        if typed.iter().any(|origin| origin == ANY) {
            return Ok(Self::Any);
        }
        typed.iter().map(|origin| parse(origin)).collect::<Result<_, _>>().map(Self::Named)
    }
}

/// Brings an origin into the form in which browsers send it.
fn parse(typed: &str) -> Result<String, String> {
    let wrong = || format!("`{typed}` is not an origin; write for example `http://localhost:5173`, or `*` for any");
    let url = Url::parse(typed.trim()).map_err(|_| wrong())?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    match url.origin() {
        origin if origin.is_tuple() && is_bare && matches!(url.scheme(), "http" | "https") => {
            Ok(origin.ascii_serialization())
        }
        _ => Err(wrong()),
    }
}

/// `[sales_gateway]` as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SalesGatewayAsTyped {
    pub(super) listen: Option<Spanned<String>>,
    pub(super) origins: Option<Spanned<Vec<String>>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_perhaps_a_port() {
        let check = |typed: &str, expect: Option<&str>| assert_eq!(parse(typed).ok().as_deref(), expect, "{typed}");
        check("http://localhost:5173", Some("http://localhost:5173"));
        check("HTTP://LocalHost:5173/", Some("http://localhost:5173"));
        check("https://shop.example:443", Some("https://shop.example"));
        for wrong in
            ["localhost:5173", "http://", "file:///page.html", "http://a/b", "http://a?b", "http://u@a", "null", ""]
        {
            check(wrong, None);
        }
        let any = Origins::parse(&["http://a".to_owned(), "*".to_owned()]).unwrap();
        assert!(any == Origins::Any && any.allows("http://b"));
        let named = Origins::parse(&["http://a".to_owned()]).unwrap();
        assert!(named.allows("http://a") && !named.allows("http://a:1") && !Origins::default().allows("http://a"));
    }
}
