//! The shared secret, sent as `Authorization: Bearer` or as the password of Basic authentication (RFC 6750, RFC 7617).

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use subtle::ConstantTimeEq;

/// A secret that callers must send. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Parses the content of a token file; surrounding white space is ignored. Returns `None` if nothing is left, or if a
    /// header could not carry it.
    #[must_use]
    pub fn new(content: &str) -> Option<Self> {
        let token = content.trim();
        let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        is_token.then(|| Self(token.to_owned()))
    }

    /// Returns the secret for the `Authorization` header of an outgoing request. Do not use it for anything else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns whether an `Authorization` header carries this token. Compares in constant time, so the duration does not reveal how
    /// much of a guess was right.
    #[must_use]
    pub fn is_in(&self, authorization: Option<&[u8]>) -> bool {
        let header = authorization.and_then(|value| std::str::from_utf8(value).ok()?.split_once(' '));
        let Some((scheme, credentials)) = header else { return false };
        let sent = match scheme.to_ascii_lowercase().as_str() {
            "bearer" => credentials.trim().as_bytes().to_vec(),
            "basic" => password(credentials.trim()).unwrap_or_default(),
            _ => return false,
        };
        self.0.as_bytes().ct_eq(&sent).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

fn password(credentials: &str) -> Option<Vec<u8>> {
    let decoded = STANDARD.decode(credentials).ok()?;
    let colon = decoded.iter().position(|&byte| byte == b':')?;
    Some(decoded[colon + 1..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_is_accepted() {
        let token = Token::new(" s3cret\n").unwrap();
        let check = |header: &str, expect: bool| {
            assert_eq!(token.is_in(Some(header.as_bytes())), expect, "{header}");
        };
        check("Bearer s3cret", true);
        check("bearer  s3cret ", true);
        check(&format!("Basic {}", STANDARD.encode("anyone:s3cret")), true);
        check(&format!("Basic {}", STANDARD.encode(":s3cret")), true);
        check(&format!("Basic {}", STANDARD.encode("s3cret")), false);
        check(&format!("Basic {}", STANDARD.encode("s3cret:other")), false);
        check("Basic s3cret", false);
        for wrong in ["s3cret", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3cret2", "Digest s3cret", ""] {
            check(wrong, false);
        }
        assert!(!token.is_in(Some(b"Bearer s3cr\xE9t")));
        assert!(!token.is_in(None));
    }

    #[test]
    fn a_token_is_never_empty_and_never_printed() {
        assert!(Token::new(" \n").is_none());
        assert!(Token::new("two words").is_none());
        assert!(!format!("{:?}", Token::new("s3cret")).contains("s3cret"));
    }
}
