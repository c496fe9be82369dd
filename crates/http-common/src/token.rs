//! Who may ask: one token, as `Authorization: Bearer` or as the password of Basic authentication (RFC 6750, RFC 7617).

use std::fmt;

use actix_web::http::header::HeaderValue;
use base64::{Engine, engine::general_purpose::STANDARD};
use subtle::ConstantTimeEq;

/// A secret that callers must know. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The token of a token file's content: white space around it does not count. `None` if nothing is left, or something
    /// that no header can carry.
    #[must_use]
    pub fn new(content: &str) -> Option<Self> {
        let token = content.trim();
        let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        is_token.then(|| Self(token.to_owned()))
    }

    /// For the header of a request of ours, and nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether an `Authorization` header brings this token. The time this takes does not tell how much of it was right.
    #[must_use]
    pub fn is_brought_by(&self, authorization: Option<&HeaderValue>) -> bool {
        let Some((scheme, credentials)) = authorization.and_then(|value| value.to_str().ok()?.split_once(' ')) else {
            return false;
        };
        let brought = match scheme.to_ascii_lowercase().as_str() {
            "bearer" => credentials.trim().as_bytes().to_vec(),
            "basic" => password(credentials.trim()).unwrap_or_default(),
            _ => return false,
        };
        self.0.as_bytes().ct_eq(&brought).into()
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
    fn only_the_token_lets_in() {
        let token = Token::new(" s3cret\n").unwrap();
        let check = |header: &str, expect: bool| {
            assert_eq!(token.is_brought_by(Some(&HeaderValue::from_str(header).unwrap())), expect, "{header}");
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
        assert!(!token.is_brought_by(None));
    }

    #[test]
    fn a_token_is_never_empty_and_never_printed() {
        assert!(Token::new(" \n").is_none());
        assert!(Token::new("two words").is_none());
        assert!(!format!("{:?}", Token::new("s3cret")).contains("s3cret"));
    }
}
