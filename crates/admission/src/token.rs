//! The shared secret, sent as `Authorization: Bearer` or as the password of Basic authentication (RFC 6750, RFC 7617).

use std::fmt;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

/// Least number of bits of a token that opens a server.
const MIN_BITS: u32 = 128;
/// Least number of different characters of such a token: of 128 random bits in hex fewer than 8 differ once in 10^7 tokens.
const MIN_DIFFERENT: usize = 8;
/// Random bytes of a token that is made here.
const NEW_BYTES: usize = 32;

/// A secret that callers must send. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// A token that can be guessed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// It is too short for its characters.
    #[error("the token has about {bits} bits, and must have at least {MIN_BITS}")]
    Short {
        /// The bits that it may have at most.
        bits: u32,
    },
    /// It repeats a few characters.
    #[error("the token has {0} different characters, and must have at least {MIN_DIFFERENT}")]
    Alike(usize),
}

impl Token {
    /// Parses one word; surrounding white space is ignored. Returns `None` if nothing is left, or if a header could not carry it.
    #[must_use]
    pub fn new(word: &str) -> Option<Self> {
        let token = word.trim();
        let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        is_token.then(|| Self(token.to_owned()))
    }

    /// Makes a token of 256 random bits.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; NEW_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Returns the secret for the `Authorization` header of an outgoing request. Do not use it for anything else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Checks that the token has 128 bits if it was made at random: as many as its characters can carry, by the smallest of these
    /// alphabets that has them all: digits, hexadecimal, letters of one case with digits, everything else.
    ///
    /// # Errors
    /// It can be guessed.
    pub fn check(&self) -> Result<(), Weak> {
        let of = |is_one: fn(&u8) -> bool| self.0.as_bytes().iter().all(is_one);
        let tenths_per_character = if of(u8::is_ascii_digit) {
            33
        } else if of(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            || of(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
        {
            40
        } else if of(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'z'))
            || of(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'Z'))
        {
            50
        } else {
            60
        };
        let bits = u32::try_from(self.0.len()).unwrap_or(u32::MAX).saturating_mul(tenths_per_character) / 10;
        if bits < MIN_BITS {
            return Err(Weak::Short { bits });
        }
        let mut characters = self.0.clone().into_bytes();
        characters.sort_unstable();
        characters.dedup();
        if characters.len() < MIN_DIFFERENT { Err(Weak::Alike(characters.len())) } else { Ok(()) }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Returns the secret that an `Authorization` header carries, in one of the two schemes.
pub(crate) fn sent(authorization: Option<&[u8]>) -> Option<Vec<u8>> {
    let (scheme, credentials) = std::str::from_utf8(authorization?).ok()?.split_once(' ')?;
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Some(credentials.trim().as_bytes().to_vec()),
        "basic" => password(credentials.trim()),
        _ => None,
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
    fn both_schemes_carry_a_secret() {
        let check = |header: &str, expect: Option<&str>| {
            assert_eq!(sent(Some(header.as_bytes())), expect.map(|secret| secret.as_bytes().to_vec()), "{header}");
        };
        check("Bearer s3cret", Some("s3cret"));
        check("bearer  s3cret ", Some("s3cret"));
        check(&format!("Basic {}", STANDARD.encode("anyone:s3:cret")), Some("s3:cret"));
        check(&format!("Basic {}", STANDARD.encode(":s3cret")), Some("s3cret"));
        check(&format!("Basic {}", STANDARD.encode("s3cret")), None);
        check("Basic s3cret", None);
        check("Bearer ", Some(""));
        for none in ["s3cret", "Bearer", "Digest s3cret", ""] {
            check(none, None);
        }
        assert_eq!((sent(Some(b"Bearer s3cr\xE9t")), sent(None)), (None, None));
    }

    #[test]
    fn a_token_is_never_empty_and_never_printed() {
        assert!(Token::new(" \n").is_none());
        assert!(Token::new("two words").is_none());
        assert!(!format!("{:?}", Token::new("s3cret")).contains("s3cret"));
    }

    #[test]
    fn a_token_has_128_bits() {
        let check = |token: &str, expect: Result<(), Weak>| {
            assert_eq!(Token::new(token).unwrap().check(), expect, "{token}");
        };
        check("x", Err(Weak::Short { bits: 5 }));
        check("314159265358979323846264338327950288419", Ok(()));
        check("31415926535897932384626433832795028841", Err(Weak::Short { bits: 125 }));
        check("0123456789abcdef0123456789abcdef", Ok(()));
        check("0123456789ABCDEF0123456789ABCDE", Err(Weak::Short { bits: 124 }));
        check("abcdefghijklmnopqrstuvwxyz", Ok(()));
        check("abcdefghijklmnopqrstuvwxy", Err(Weak::Short { bits: 125 }));
        check("abcdefghijklmnopqrstuV", Ok(()));
        check("abcdefghijklmnopqrstU", Err(Weak::Short { bits: 126 }));
        check(&"x".repeat(500), Err(Weak::Alike(1)));
        check(&"abcdefg".repeat(9), Err(Weak::Alike(7)));
        let (one, other) = (Token::random().unwrap(), Token::random().unwrap());
        assert!(one != other && one.check().is_ok() && one.expose().len() == 43);
    }
}
