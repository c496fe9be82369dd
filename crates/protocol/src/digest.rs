//! `Content-Digest` (RFC 9530): what a sender hashed, so that the other side notices bytes that changed on the way.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest as _, Sha256};

/// The name of the header.
pub const CONTENT_DIGEST: &str = "content-digest";

/// The digest of a body, or of a part of one, that comes in pieces.
#[derive(Debug, Clone, Default)]
pub struct BodyDigest(Sha256);

impl BodyDigest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut digest = Self::default();
        digest.update(bytes);
        digest
    }

    /// Adds the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The value of the header: `sha-256=:BASE64:`.
    #[must_use]
    pub fn header(&self) -> String {
        format!("sha-256=:{}:", BASE64_STANDARD.encode(self.0.clone().finalize()))
    }

    /// Whether a value of the header is of the same bytes. Digests of other algorithms are not looked at.
    #[must_use]
    pub fn is(&self, header: &str) -> bool {
        let mut members = header.split(',').map(|member| member.split(';').next().unwrap_or_default().trim());
        members.find(|member| member.starts_with("sha-256=")).is_none_or(|announced| announced == self.header())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_of_the_same_bytes_or_of_another_algorithm() {
        // From RFC 9530, section B.1.
        let example = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
        let digest = BodyDigest::of(b"{\"hello\": \"world\"}\n");
        assert_eq!(digest.header(), example);
        for same in [example, &format!("sha-512=:AAAA:, {example}"), &format!("{example};x=1"), "sha-512=:AAAA:", ""] {
            assert!(digest.is(same), "{same}");
        }
        assert!(!BodyDigest::of(b"{\"hello\": \"World\"}\n").is(example));
        assert!(!digest.is("sha-256=:RK:") && !digest.is("sha-256=nonsense"));
    }
}
