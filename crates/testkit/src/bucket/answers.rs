//! Answers of the server, as heads and bodies.

use std::sync::Arc;

use super::Object;

/// The head and the body of an answer.
pub(super) type Answer = (String, Arc<[u8]>);

/// An answer with these headers.
pub(super) fn ok(headers: &str, body: Arc<[u8]>) -> Answer {
    (format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{headers}\r\n", body.len()), body)
}

/// An object, or a range of its bytes.
pub(super) fn read(object: &Object, range: Option<&str>, tag: &str) -> Answer {
    let size = object.body.len();
    let bounds = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let bounds = bounds.and_then(|(start, last)| {
        let last =
            if last.is_empty() { size.checked_sub(1)? } else { last.parse::<usize>().ok()?.min(size.checked_sub(1)?) };
        Some((start.parse::<usize>().ok()?, last))
    });
    let Some((start, last)) = bounds.filter(|(start, last)| start <= last) else {
        return ok(&format!("ETag: {tag}\r\n"), Arc::clone(&object.body));
    };
    let part = &object.body[start..=last];
    let range = format!("Content-Range: bytes {start}-{last}/{size}");
    let head =
        format!("HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nETag: {tag}\r\n{range}\r\n\r\n", part.len());
    (head, part.into())
}

/// An error as S3 words it.
pub(super) fn error(status: &str, code: &str) -> Answer {
    let text = "The words of the server.";
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{text}</Message></Error>");
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {}\r\n\r\n", body.len());
    (head, body.into_bytes().into())
}

/// A text as it stands in XML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
