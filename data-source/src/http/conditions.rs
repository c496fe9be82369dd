//! Conditional requests and ranges (RFC 9110, sections 13 and 14), for a content whose tag and time are known. It sends
//! nothing itself.

use std::time::SystemTime;

use actix_web::{
    HttpRequest,
    http::{
        Method,
        header::{self, ByteRangeSpec, EntityTag, Header, HttpDate, IfMatch, IfNoneMatch, IfRange, Range},
    },
};

/// Result of a request's conditions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Respond as if there were no conditions.
    Proceed,
    /// The caller has the content already: 304.
    NotModified,
    /// The content is not what the caller expects: 412.
    Failed,
}

/// The bytes that a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ByteRange {
    /// All bytes: there is no range, or this server does not understand it, or it is about another content.
    Whole,
    /// The first and the last byte, both inclusive.
    Part(u64, u64),
    /// Bytes beyond the end: 416.
    Unsatisfiable,
}

/// Judges the conditions in the order of RFC 9110, section 13.2.2. `modified` is `None` for a content without a time.
pub(crate) fn judge(request: &HttpRequest, tag: &EntityTag, modified: Option<SystemTime>) -> Condition {
    if request.headers().contains_key(header::IF_MATCH) {
        if !matches_strongly(request, tag) {
            return Condition::Failed;
        }
    } else if let (Some(since), Some(modified)) = (date(request, &header::IF_UNMODIFIED_SINCE), modified)
        && whole_seconds(modified) > since
    {
        return Condition::Failed;
    }
    if request.headers().contains_key(header::IF_NONE_MATCH) {
        return if is_known_to(request, tag) { Condition::NotModified } else { Condition::Proceed };
    }
    match (date(request, &header::IF_MODIFIED_SINCE), modified) {
        (Some(since), Some(modified)) if whole_seconds(modified) <= since => Condition::NotModified,
        _ => Condition::Proceed,
    }
}

/// Returns whether `If-None-Match` names this tag, by the weak comparison.
pub(crate) fn is_known_to(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}

fn matches_strongly(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfMatch::parse(request) {
        Ok(IfMatch::Any) => true,
        Ok(IfMatch::Items(tags)) => tags.iter().any(|expected| expected.strong_eq(tag)),
        Err(_) => false,
    }
}

/// Returns the bytes that a request asks for, out of `size`. Ranges apply to GET only (RFC 9110 section 14.2).
pub(crate) fn byte_range(request: &HttpRequest, tag: &EntityTag, size: u64) -> ByteRange {
    let applies = request.method() == Method::GET && range_applies(request, tag);
    let Some(range) = single_range(request).filter(|_| applies) else { return ByteRange::Whole };
    range.to_satisfiable_range(size).map_or(ByteRange::Unsatisfiable, |(first, last)| ByteRange::Part(first, last))
}

/// Returns the range if there is exactly one, of bytes.
fn single_range(request: &HttpRequest) -> Option<ByteRangeSpec> {
    let text = request.headers().get(header::RANGE)?.to_str().ok()?;
    match text.parse() {
        Ok(Range::Bytes(ranges)) if !text.contains(',') => ranges.into_iter().next(),
        _ => None,
    }
}

/// Returns whether `If-Range` matches strongly. A date never does: it has whole seconds only, and two contents may share one.
fn range_applies(request: &HttpRequest, tag: &EntityTag) -> bool {
    if !request.headers().contains_key(header::IF_RANGE) {
        return true;
    }
    matches!(IfRange::parse(request), Ok(IfRange::EntityTag(expected)) if expected.strong_eq(tag))
}

fn date(request: &HttpRequest, name: &header::HeaderName) -> Option<SystemTime> {
    let date: HttpDate = request.headers().get(name)?.to_str().ok()?.parse().ok()?;
    Some(date.into())
}

/// Drops the fraction, which HTTP dates do not have.
fn whole_seconds(time: SystemTime) -> SystemTime {
    HttpDate::from(time).to_string().parse::<HttpDate>().map_or(time, SystemTime::from)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use actix_web::test::TestRequest;

    use super::*;

    const MODIFIED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";

    fn request(headers: &[(&'static str, &'static str)]) -> HttpRequest {
        headers.iter().fold(TestRequest::get(), |request, header| request.append_header(*header)).to_http_request()
    }

    fn tag() -> EntityTag {
        EntityTag::new_strong("blake3:ab".to_owned())
    }

    #[test]
    fn conditions_are_judged_in_order() {
        let modified = UNIX_EPOCH + Duration::from_millis(784_111_777_500);
        let check =
            |headers: &[_], expect| assert_eq!(judge(&request(headers), &tag(), Some(modified)), expect, "{headers:?}");
        let (same, weak, other) = (r#""blake3:ab""#, r#"W/"blake3:ab""#, r#""blake3:cd""#);
        check(&[], Condition::Proceed);
        check(&[("if-none-match", same)], Condition::NotModified);
        check(&[("if-none-match", weak)], Condition::NotModified);
        check(&[("if-none-match", "*")], Condition::NotModified);
        check(&[("if-none-match", r#""x", "blake3:ab""#)], Condition::NotModified);
        check(&[("if-none-match", other)], Condition::Proceed);
        check(&[("if-none-match", "blake3:ab")], Condition::Proceed);
        check(&[("if-match", same)], Condition::Proceed);
        check(&[("if-match", "*")], Condition::Proceed);
        check(&[("if-match", r#""x", "blake3:ab""#)], Condition::Proceed);
        check(&[("if-match", weak)], Condition::Failed);
        check(&[("if-match", other)], Condition::Failed);
        check(&[("if-match", "nonsense")], Condition::Failed);
        check(&[("if-match", other), ("if-none-match", same)], Condition::Failed);
        check(&[("if-match", same), ("if-none-match", same)], Condition::NotModified);
        check(&[("if-unmodified-since", MODIFIED)], Condition::Proceed);
        check(&[("if-unmodified-since", BEFORE)], Condition::Failed);
        check(&[("if-match", same), ("if-unmodified-since", BEFORE)], Condition::Proceed);
        check(&[("if-modified-since", MODIFIED)], Condition::NotModified);
        check(&[("if-modified-since", BEFORE)], Condition::Proceed);
        check(&[("if-modified-since", "yesterday")], Condition::Proceed);
        check(&[("if-none-match", other), ("if-modified-since", MODIFIED)], Condition::Proceed);
    }

    #[test]
    fn conditions_on_a_missing_time_are_ignored() {
        for name in ["if-modified-since", "if-unmodified-since"] {
            assert_eq!(judge(&request(&[(name, BEFORE)]), &tag(), None), Condition::Proceed);
        }
    }

    #[test]
    fn one_range_of_bytes_is_understood() {
        let check = |range: &'static str, size: u64, expect: ByteRange| {
            assert_eq!(byte_range(&request(&[("range", range)]), &tag(), size), expect, "{range} of {size}");
        };
        check("bytes=0-0", 10, ByteRange::Part(0, 0));
        check("bytes=2-5", 10, ByteRange::Part(2, 5));
        check("bytes=2-", 10, ByteRange::Part(2, 9));
        check("bytes=2-99", 10, ByteRange::Part(2, 9));
        check("bytes=-3", 10, ByteRange::Part(7, 9));
        check("bytes=-99", 10, ByteRange::Part(0, 9));
        check("bytes=10-", 10, ByteRange::Unsatisfiable);
        check("bytes=-0", 10, ByteRange::Unsatisfiable);
        check("bytes=0-", 0, ByteRange::Unsatisfiable);
        for ignored in ["bytes=0-1,4-5", "bytes=0-1,x", "bytes=5-2", "bytes=", "bytes=x-y", "lines=0-1", "0-1"] {
            check(ignored, 10, ByteRange::Whole);
        }
    }

    #[test]
    fn a_range_of_another_content_is_ignored() {
        let check = |if_range: &'static str, expect: ByteRange| {
            assert_eq!(
                byte_range(&request(&[("range", "bytes=1-2"), ("if-range", if_range)]), &tag(), 10),
                expect,
                "{if_range}"
            );
        };
        check(r#""blake3:ab""#, ByteRange::Part(1, 2));
        for other in [r#"W/"blake3:ab""#, r#""blake3:cd""#, MODIFIED, "nonsense"] {
            check(other, ByteRange::Whole);
        }
    }
}
