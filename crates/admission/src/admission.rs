//! One type that applies all rules, and the facts about a request that it needs.

use std::net::{IpAddr, SocketAddr};

use crate::{host::is_own_host, origin::is_cross_site, token::Token};

/// The rules that every request to a server must pass.
#[derive(Debug, Clone, Default)]
pub struct Admission {
    /// The token that requests must carry; `None` admits everyone.
    token: Option<Token>,
    /// Values of `Host` that are accepted besides this machine's own names: HOST or HOST:PORT.
    hosts: Vec<String>,
}

/// The head of a request, as far as the rules need it. Header values are raw bytes; `None` where the header is missing.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestFacts<'a> {
    /// The request may change something: its method is none of GET, HEAD, OPTIONS and TRACE (RFC 9110, section 9.2.1), or it opens a
    /// WebSocket, over which anything can be sent.
    pub is_change: bool,
    /// The request only asks whether the server is alive, which needs no token.
    pub is_probe: bool,
    /// `Host`, or the authority of the request target where there is one (RFC 9112, section 3.2.2).
    pub host: Option<&'a [u8]>,
    /// `Sec-Fetch-Site`.
    pub fetch_site: Option<&'a [u8]>,
    /// `Origin`.
    pub origin: Option<&'a [u8]>,
    /// `Authorization`.
    pub authorization: Option<&'a [u8]>,
    /// The server's own end of the connection.
    pub local: Option<SocketAddr>,
}

/// The rule that a request breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// `Host` names another server.
    #[error(
        "this server does not answer to the host `{host}`; add it with `--allowed-host`, or use the server's address"
    )]
    UnknownHost {
        /// The host as the request names it; empty if it names none.
        host: String,
    },
    /// A page on another site sent the request, which could change something.
    #[error("a page on another site may not change anything here; open this server's own address instead")]
    CrossSite,
    /// The token is missing or wrong.
    #[error(
        "this server needs its token: send `Authorization: Bearer TOKEN`, or the token as the password of Basic \
         authentication"
    )]
    NoToken,
}

impl Admission {
    /// Creates the rules from a token and the values of `Host` to accept besides this machine's own names.
    #[must_use]
    pub fn new(token: Option<Token>, hosts: Vec<String>) -> Self {
        Self { token, hosts }
    }

    /// Adds the host of `listen` (HOST:PORT): a server answers to the name that it listens on.
    #[must_use]
    pub fn listening_on(mut self, listen: &str) -> Self {
        self.hosts.extend(listen.rsplit_once(':').map(|(host, _)| host.to_owned()));
        self
    }

    /// Judges a request by its head alone, so that a refusal does not wait for the body.
    ///
    /// # Errors
    /// The first rule that the request breaks. `Host` comes first: an answer to a foreign name must reveal nothing.
    pub fn admit(&self, request: &RequestFacts<'_>) -> Result<(), Denied> {
        let host = request.host.and_then(|host| std::str::from_utf8(host).ok()).unwrap_or_default();
        let local: Option<IpAddr> = request.local.map(|local| local.ip());
        if !is_own_host(host, local, &self.hosts) {
            return Err(Denied::UnknownHost { host: host.to_owned() });
        }
        if request.is_change && is_cross_site(request.fetch_site, request.origin, request.host) {
            return Err(Denied::CrossSite);
        }
        match &self.token {
            Some(token) if !request.is_probe && !token.is_in(request.authorization) => Err(Denied::NoToken),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: RequestFacts<'static> = RequestFacts {
        is_change: true,
        is_probe: false,
        host: Some(b"localhost:5000"),
        fetch_site: None,
        origin: None,
        authorization: None,
        local: None,
    };

    #[test]
    fn rules_are_applied_in_order() {
        let admission = Admission::new(Token::new("s3cret"), Vec::new());
        let check = |request: RequestFacts<'_>, expect: Result<(), Denied>| {
            assert_eq!(admission.admit(&request), expect, "{request:?}");
        };
        let brings = RequestFacts { authorization: Some(b"Bearer s3cret"), ..OWN };
        let (foreign, cross_site) = (Some(&b"evil.example"[..]), Some(&b"cross-site"[..]));
        check(OWN, Err(Denied::NoToken));
        check(brings, Ok(()));
        check(RequestFacts { is_probe: true, ..OWN }, Ok(()));
        check(RequestFacts { fetch_site: cross_site, ..OWN }, Err(Denied::CrossSite));
        check(RequestFacts { fetch_site: cross_site, is_probe: true, ..OWN }, Err(Denied::CrossSite));
        check(RequestFacts { fetch_site: cross_site, is_change: false, ..brings }, Ok(()));
        let unknown = || Err(Denied::UnknownHost { host: "evil.example".to_owned() });
        check(RequestFacts { host: foreign, ..brings }, unknown());
        check(RequestFacts { host: foreign, fetch_site: cross_site, is_probe: true, ..OWN }, unknown());
        for host in [None, Some(&b"\xFF"[..])] {
            check(RequestFacts { host, ..brings }, Err(Denied::UnknownHost { host: String::new() }));
        }
        assert_eq!(Admission::default().admit(&OWN), Ok(()), "no token is asked for where there is none");
    }

    #[test]
    fn the_name_that_is_listened_on_is_a_host() {
        let request = RequestFacts { host: Some(b"feeds.example:5001"), ..OWN };
        let admission = Admission::new(None, Vec::new());
        assert!(admission.admit(&request).is_err());
        assert_eq!(admission.listening_on("feeds.example:80").admit(&request), Ok(()));
    }
}
