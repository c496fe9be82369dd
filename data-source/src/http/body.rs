//! Parses bodies of requests, which are objects in JSON.

use serde::de::DeserializeOwned;
use tributary_http_common::plain;

use super::error::ApiError;

/// Most bytes of all bodies that are being received, beside the beginnings of small ones.
pub(super) const MAX_BODIES_BYTES: u64 = 16 << 20;

/// Parses the body of a request for something.
pub(super) fn object<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<T, ApiError> {
    let bad = |why: &str| ApiError::BadRequest(format!("the body is not a request for {what}: {why}"));
    // A list would be taken for the members in order.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(bad("it must be an object"));
    }
    serde_json::from_slice(body).map_err(|why| bad(&plain(&why.to_string())))
}

#[cfg(test)]
mod tests {
    use tributary_protocol::{AskPlain, CapabilityRequest};

    use super::*;

    fn check<T: DeserializeOwned + std::fmt::Debug>(body: &str, expect: &str) {
        let error = object::<T>(body.as_bytes(), "it").unwrap_err().to_string();
        assert_eq!(error, format!("the body is not a request for it: {expect}"));
    }

    #[test]
    fn a_body_is_one_object_that_can_be_read_in_one_way() {
        check::<CapabilityRequest>(r#" [["a.csv"], "10m"]"#, "it must be an object");
        check::<AskPlain>(r#"["a.csv", "h", "1", null]"#, "it must be an object");
        let twice = r#"{"paths": ["a.csv"], "paths": null}"#;
        check::<CapabilityRequest>(twice, "`paths` occurs twice (line 1, column 28)");
        check::<CapabilityRequest>("{} {}", "something follows its end (line 1, column 4)");
        check::<CapabilityRequest>("", "it ends too early (line 1, column 0)");
        let all: CapabilityRequest = object(b" {} ", "it").unwrap();
        assert_eq!(all, CapabilityRequest::default());
    }
}
