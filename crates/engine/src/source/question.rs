//! A question about one file, which a source answers in lines: which answers mean that it does not know the question, and which are failures.

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use reqwest::{StatusCode, header::CONTENT_TYPE};
use serde::Serialize;
use tributary_http_client::Error;
use tributary_protocol::{BodyDigest, CONTENT_DIGEST, ManifestEntry};

use super::{
    FetchError,
    body_lines::{BodyLines, FileProgress},
    client::{SourceClient, answer},
};

impl SourceClient {
    /// Asks about exactly the content that the manifest lists, at a path that is called `route` in errors. `None`: the source cannot
    /// answer such a question.
    ///
    /// # Errors
    /// [`FetchError`].
    pub(super) async fn ask(
        &self,
        (path, route): (&str, &'static str),
        asked: &impl Serialize,
        entry: &ManifestEntry,
    ) -> Result<Option<BodyLines<BoxStream<'static, reqwest::Result<Bytes>>>>, FetchError> {
        let body = serde_json::to_vec(asked).context("failed to write a question about a file")?;
        let request = self.post(path).header(CONTENT_DIGEST, BodyDigest::of(&body).header());
        match answer(request.header(CONTENT_TYPE, "application/json").body(body)).await {
            Ok(response) => {
                let (chunks, line) = (response.bytes_stream().boxed(), self.http.memory.line());
                Ok(Some(BodyLines::new(route, chunks, self.pace(), FileProgress::of(entry.size), line)))
            }
            Err(error) if is_unsupported(&error) => Ok(None),
            Err(error) if error.status() == Some(StatusCode::PRECONDITION_FAILED) => {
                Err(FetchError::Changed(error.to_string()))
            }
            Err(error) if error.is_unanswered() => Err(FetchError::Stalled(error.to_string())),
            Err(error) => Err(FetchError::Failed(error.into())),
        }
    }
}

/// Whether the source cannot answer: a program that does not know this request, or a version that counts
/// differently or understands less.
fn is_unsupported(error: &Error) -> bool {
    matches!(
        error.status(),
        Some(
            StatusCode::BAD_REQUEST
                | StatusCode::NOT_FOUND
                | StatusCode::METHOD_NOT_ALLOWED
                | StatusCode::CONFLICT
                | StatusCode::PAYLOAD_TOO_LARGE
                | StatusCode::UNPROCESSABLE_ENTITY
                | StatusCode::NOT_IMPLEMENTED
        )
    )
}
