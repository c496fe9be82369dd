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
    /// Returns the URL path of a file as long as it has this content. With another one it is 412.
    #[must_use]
    pub fn pinned(&self, path: &str, hash: &str) -> String {
        format!("{}~{hash}/{}", self.prefix, encoded_path(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_pinned_to_a_content() {
        let capability =
            Capability { token: "T".to_owned(), expires_at: String::new(), prefix: "/read/~T/".to_owned() };
        assert_eq!(capability.pinned("a b/~c.csv", "blake3:0f"), "/read/~T/~blake3:0f/a%20b/~c.csv");
    }
}
