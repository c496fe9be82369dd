//! The messages of `/capabilities`, and the paths that a capability opens.

use serde::{Deserialize, Serialize};

use crate::{bounds::MAX_PATH_BYTES, encoded_path};

/// Body of `POST /capabilities`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapabilityRequest {
    /// The paths to open, as in the manifest; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<String>>,
    /// The time for which it is valid, such as `10m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid: Option<String>,
}

impl CapabilityRequest {
    /// Whether a path is longer than any of a manifest.
    #[must_use]
    pub fn has_long_path(&self) -> bool {
        self.paths.iter().flatten().any(|path| path.len() > MAX_PATH_BYTES)
    }
}

/// Answer to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capability {
    /// The secret, to revoke it with `DELETE /capabilities/TOKEN`.
    pub token: String,
    /// The time at which it expires, RFC 3339.
    pub expires_at: String,
    /// The start of the paths that it opens.
    pub prefix: String,
}

impl Capability {
    /// Returns the URL path of a file as long as it has this content. With another one it is 412. Whatever a source sends, it is a path
    /// of that source: `prefix` is not used, which could name another host.
    #[must_use]
    pub fn pinned(&self, path: &str, hash: &str) -> String {
        let [token, hash, path] = [&self.token, hash, path].map(encoded_path);
        format!("/read/~{token}/~{hash}/{path}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_pinned_to_a_content() {
        let of = |token: &str| Capability { token: token.to_owned(), expires_at: String::new(), prefix: String::new() };
        assert_eq!(of("T-_9").pinned("a b/~c.csv", "blake3:0f"), "/read/~T-_9/~blake3%3A0f/a%20b/~c.csv");
        assert_eq!(of("@evil:1?").pinned("a", "b"), "/read/~%40evil%3A1%3F/~b/a");
    }
}
