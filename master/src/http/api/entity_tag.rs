//! Entity tags of products, and the conditions of requests that name them (RFC 9110, section 13).

use actix_web::{
    HttpRequest,
    http::header::{ETag, EntityTag, Header, IF_MATCH, IF_NONE_MATCH, IfMatch, IfNoneMatch},
};
use tributary_engine::Expected;

use crate::http::server::error::ApiError;

/// Digits of the digest of an answer's body.
const BODY_DIGITS: usize = 16;

/// The tag of a product: what is shown and the edit, then all of the answer. `If-Match` compares the first part: a line that moved in
/// a file is no reason to refuse an edit. `If-None-Match` compares both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProductTag(String);

impl ProductTag {
    /// The tag of an answer with this body.
    pub(crate) fn new(version: &str, body: &[u8]) -> Self {
        let digest = blake3::hash(body).to_hex();
        Self(format!("{version}-{}", &digest[..BODY_DIGITS]))
    }

    /// The header that carries it.
    pub(crate) fn header(&self) -> ETag {
        ETag(EntityTag::new_strong(self.0.clone()))
    }

    /// Whether the client has this very answer already.
    pub(crate) fn is_known(&self, request: &HttpRequest) -> Result<bool, ApiError> {
        if !request.headers().contains_key(IF_NONE_MATCH) {
            return Ok(false);
        }
        Ok(match IfNoneMatch::parse(request).map_err(|_| malformed("If-None-Match"))? {
            IfNoneMatch::Any => true,
            IfNoneMatch::Items(tags) => tags.iter().any(|tag| tag.tag() == self.0),
        })
    }
}

/// Reads which product a request expects before it changes anything.
///
/// # Errors
/// A condition cannot be parsed, or can never hold.
pub(crate) fn expected(request: &HttpRequest) -> Result<Expected, ApiError> {
    let has = |name| request.headers().contains_key(name);
    if has(IF_MATCH) {
        return Ok(match IfMatch::parse(request).map_err(|_| malformed("If-Match"))? {
            IfMatch::Any => Expected::Shown,
            IfMatch::Items(tags) => {
                // A weak tag matches nothing (RFC 9110, section 13.1.1).
                let strong = tags.iter().filter(|tag| tag.strong_eq(tag));
                Expected::Versions(strong.map(|tag| version(tag.tag()).to_owned()).collect())
            }
        });
    }
    if has(IF_NONE_MATCH) {
        return match IfNoneMatch::parse(request).map_err(|_| malformed("If-None-Match"))? {
            IfNoneMatch::Any => Ok(Expected::NotShown),
            IfNoneMatch::Items(_) => Err(ApiError::BadRequest(
                "a change knows `If-None-Match: *` only; send the tag in `If-Match`".to_owned(),
            )),
        };
    }
    Ok(Expected::Anything)
}

/// The first part of a tag.
fn version(tag: &str) -> &str {
    tag.split_once('-').map_or(tag, |(version, _)| version)
}

fn malformed(header: &str) -> ApiError {
    ApiError::BadRequest(format!("`{header}` must be `*` or a list of tags in quotes, as `ETag` has them"))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn conditions_name_versions() {
        let check = |header: (&str, &str), expect: Result<Expected, ()>| {
            let request = TestRequest::default().insert_header(header).to_http_request();
            assert_eq!(expected(&request).map_err(drop), expect, "{header:?}");
        };
        let versions = |all: &[&str]| Ok(Expected::Versions(all.iter().map(|&one| one.to_owned()).collect()));
        check(("x", "y"), Ok(Expected::Anything));
        check(("If-Match", "*"), Ok(Expected::Shown));
        check(("If-None-Match", "*"), Ok(Expected::NotShown));
        check(("If-Match", "\"ab-cd\""), versions(&["ab"]));
        check(("If-Match", "\"ab-cd\", \"ef\""), versions(&["ab", "ef"]));
        check(("If-Match", "W/\"ab-cd\""), versions(&[]));
        check(("If-None-Match", "\"ab-cd\""), Err(()));
    }

    #[test]
    fn a_known_answer_is_not_sent_again() {
        let tag = ProductTag::new("ab", b"body");
        let ETag(written) = tag.header();
        let check = |header: String, expect: bool| {
            let request = TestRequest::default().insert_header(("If-None-Match", header)).to_http_request();
            assert_eq!(tag.is_known(&request).unwrap(), expect);
        };
        check(written.to_string(), true);
        check(format!("\"x\", W/{written}"), true);
        check("*".to_owned(), true);
        check("\"ab\"".to_owned(), false);
        assert_ne!(ProductTag::new("ab", b"other"), tag);
    }
}
