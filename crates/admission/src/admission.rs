//! One type that applies all rules, and the facts about a request that it needs.

use std::{
    net::{IpAddr, SocketAddr},
    time::Instant,
};

use tokio_util::sync::CancellationToken;

use crate::{
    host::is_own_host,
    origin::{Sent, is_cross_site},
    role::{Caller, Role},
    tokens::{Tokens, TokensInForce},
    wrong_tokens::WrongTokens,
};

/// The rules that every request to a server must pass.
#[derive(Debug, Clone, Default)]
pub struct Admission {
    /// The tokens of which requests must carry one; `None` admits everyone.
    tokens: Option<TokensInForce>,
    /// The senders of wrong ones.
    wrong_tokens: WrongTokens,
    /// Values of `Host` that are accepted besides this machine's own names: HOST or HOST:PORT, with `https://` before it if a proxy takes
    /// https for that name.
    hosts: Vec<String>,
    /// Whether the server itself takes https.
    is_https: bool,
}

/// The head of a request, as far as the rules need it. Header values are raw bytes; `None` where the header is missing.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestFacts<'a> {
    /// The request may change something: its method is none of GET, HEAD, OPTIONS and TRACE (RFC 9110, section 9.2.1), or it opens a
    /// WebSocket, over which anything can be sent.
    pub is_change: bool,
    /// A person follows a link, or types an address: the answer replaces the page, and no other page reads it.
    pub is_navigation: bool,
    /// A header that decides about the request and occurs twice: another program may have looked at the other one.
    pub repeated: Option<&'a str>,
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
    /// A page on another site sent the request, and it is no link that a person follows.
    #[error("a page on another site may not read or change anything here; open this server's own address instead")]
    CrossSite,
    /// A header that may occur once occurs twice.
    #[error("the header `{name}` occurs more than once; send it once")]
    Repeated {
        /// The header.
        name: String,
    },
    /// No token came.
    #[error(
        "this server needs a token: send `Authorization: Bearer TOKEN`, or the token as the password of Basic authentication"
    )]
    NoToken,
    /// A token came that opens nothing.
    #[error(
        "this server does not know the token: send another one as `Authorization: Bearer TOKEN` or as the password of Basic \
         authentication"
    )]
    WrongToken,
    /// So many wrong tokens came from the sender's address that this one is not even delayed.
    #[error("too many wrong tokens come from your address; wait, then send the right one")]
    TooManyWrong,
    /// The token does not have the role that the request needs.
    #[error(
        "this needs the role `{needed}`, and the token{} has `{has}`; ask whoever runs this server for a token with `{needed}`",
        if token.is_empty() { String::new() } else { format!(" `{token}`") }
    )]
    Role {
        /// The role that is needed.
        needed: Role,
        /// The name of the token; empty if it has none.
        token: String,
        /// Its role.
        has: Role,
    },
}

impl Admission {
    /// Creates the rules from tokens and the values of `Host` to accept besides this machine's own names.
    #[must_use]
    pub fn new(tokens: Option<Tokens>, hosts: Vec<String>) -> Self {
        Self { tokens: tokens.map(TokensInForce::new), wrong_tokens: WrongTokens::default(), hosts, is_https: false }
    }

    /// Says that the server takes https, so that pages of its own have this scheme.
    #[must_use]
    pub fn over_https(mut self) -> Self {
        self.is_https = true;
        self
    }

    /// The tokens, to put others into force; `None` if everyone is admitted.
    #[must_use]
    pub fn tokens(&self) -> Option<TokensInForce> {
        self.tokens.clone()
    }

    /// Returns what is cancelled once the token in the header `Authorization` is no longer in force: an answer that goes on until
    /// someone ends it must end then. Never cancelled if everyone is admitted.
    #[must_use]
    pub fn revoked(&self, authorization: Option<&[u8]>) -> CancellationToken {
        self.tokens.as_ref().map(|tokens| tokens.revoked(authorization)).unwrap_or_default()
    }

    /// Whether a token that is in force has this name, in any case of its letters. Someone without that token must not be recorded by it.
    #[must_use]
    pub fn is_token_name(&self, name: &str) -> bool {
        self.tokens.as_ref().is_some_and(|tokens| tokens.has_name(name))
    }

    /// Waits as long as the sender of a wrong token has to, and returns its refusal. Only a test has no address.
    pub async fn delayed(&self, peer: Option<IpAddr>) -> Denied {
        let Some(peer) = peer else { return Denied::WrongToken };
        match self.wrong_tokens.note(peer, Instant::now()) {
            Some(delay) => {
                tokio::time::sleep(delay.time).await;
                Denied::WrongToken
            }
            None => Denied::TooManyWrong,
        }
    }

    /// Adds the host of `listen` (HOST:PORT): a server answers to the name that it listens on.
    #[must_use]
    pub fn listening_on(mut self, listen: &str) -> Self {
        self.hosts.extend(listen.rsplit_once(':').map(|(host, _)| host.to_owned()));
        self
    }

    /// Judges a request by its head alone, so that a refusal does not wait for the body, and returns who sends it.
    ///
    /// # Errors
    /// The first rule that the request breaks. `Host` comes before what is secret: an answer to a foreign name must reveal nothing.
    pub fn admit(&self, request: &RequestFacts<'_>) -> Result<Caller, Denied> {
        if let Some(name) = request.repeated {
            return Err(Denied::Repeated { name: name.to_owned() });
        }
        let host = request.host.and_then(|host| std::str::from_utf8(host).ok()).unwrap_or_default();
        let local: Option<IpAddr> = request.local.map(|local| local.ip());
        if !is_own_host(host, local, &self.hosts) {
            return Err(Denied::UnknownHost { host: host.to_owned() });
        }
        let sent = Sent { fetch_site: request.fetch_site, origin: request.origin, host };
        let scheme = if self.is_https { "https" } else { "http" };
        let is_link = request.is_navigation && !request.is_change;
        if !is_link && is_cross_site(sent, scheme, &self.hosts) {
            return Err(Denied::CrossSite);
        }
        let Some(tokens) = &self.tokens else { return Ok(Caller::ANYONE) };
        match tokens.caller(request.authorization) {
            Ok(caller) => Ok(caller),
            Err(_) if request.is_probe => Ok(Caller::PROBE),
            Err(true) => Err(Denied::WrongToken),
            Err(false) => Err(Denied::NoToken),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Token;

    const OWN: RequestFacts<'static> = RequestFacts {
        is_change: true,
        is_navigation: false,
        repeated: None,
        is_probe: false,
        host: Some(b"localhost:5000"),
        fetch_site: None,
        origin: None,
        authorization: None,
        local: None,
    };

    #[test]
    fn rules_are_applied_in_order() {
        let admission = Admission::new(Token::new("s3cret").map(Tokens::from), Vec::new());
        let check = |request: RequestFacts<'_>, expect: Result<(), Denied>| {
            assert_eq!(admission.admit(&request).map(drop), expect, "{request:?}");
        };
        let brings = RequestFacts { authorization: Some(b"Bearer s3cret"), ..OWN };
        let (foreign, cross_site) = (Some(&b"evil.example"[..]), Some(&b"cross-site"[..]));
        check(OWN, Err(Denied::NoToken));
        check(RequestFacts { authorization: Some(b"Bearer s3cret2"), ..OWN }, Err(Denied::WrongToken));
        check(brings, Ok(()));
        check(RequestFacts { is_probe: true, ..OWN }, Ok(()));
        check(RequestFacts { fetch_site: cross_site, ..OWN }, Err(Denied::CrossSite));
        check(RequestFacts { fetch_site: cross_site, is_probe: true, ..OWN }, Err(Denied::CrossSite));
        check(RequestFacts { fetch_site: cross_site, is_change: false, ..brings }, Err(Denied::CrossSite));
        let link = RequestFacts { fetch_site: cross_site, is_navigation: true, ..brings };
        check(RequestFacts { is_change: false, ..link }, Ok(()));
        check(link, Err(Denied::CrossSite));
        let repeated = Err(Denied::Repeated { name: "host".to_owned() });
        check(RequestFacts { repeated: Some("host"), host: foreign, ..brings }, repeated);
        let unknown = || Err(Denied::UnknownHost { host: "evil.example".to_owned() });
        check(RequestFacts { host: foreign, ..brings }, unknown());
        check(RequestFacts { host: foreign, fetch_site: cross_site, is_probe: true, ..OWN }, unknown());
        for host in [None, Some(&b"\xFF"[..])] {
            check(RequestFacts { host, ..brings }, Err(Denied::UnknownHost { host: String::new() }));
        }
        assert_eq!(Admission::default().admit(&OWN), Ok(Caller::ANYONE), "no token is asked for where there is none");
    }

    #[test]
    fn the_name_that_is_listened_on_is_a_host() {
        let request = RequestFacts { host: Some(b"feeds.example:5001"), ..OWN };
        let admission = Admission::new(None, Vec::new());
        assert!(admission.admit(&request).is_err());
        assert_eq!(admission.listening_on("feeds.example:80").admit(&request), Ok(Caller::ANYONE));
    }
}
