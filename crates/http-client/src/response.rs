//! Checks of a response: its status, and a body that is read up to a limit.

use std::time::Duration;

use reqwest::{
    Response, StatusCode,
    header::{LOCATION, RETRY_AFTER},
};
use serde::de::DeserializeOwned;
use tributary_protocol::Problem;

use crate::{Error, error::public};

/// Limit for the body of a problem. A longer one only loses its text.
const MAX_PROBLEM_BYTES: usize = 64 << 10;

/// Delay where `Retry-After` is a date: the clocks of two machines differ.
const RETRY_AFTER_DATE: Duration = Duration::from_secs(1);

/// Returns the response if its status is 200: the whole of what was asked for. Anything else, a part (206) too, is an error.
///
/// # Errors
/// There is no answer, or it has another status.
pub async fn expect_ok(answered: reqwest::Result<Response>) -> Result<Response, Error> {
    expect(answered, |status| status == StatusCode::OK).await
}

/// Returns the response if its status is 2xx.
///
/// # Errors
/// There is no answer, or it has another status.
pub async fn expect_success(answered: reqwest::Result<Response>) -> Result<Response, Error> {
    expect(answered, |status| status.is_success()).await
}

async fn expect(
    answered: reqwest::Result<Response>,
    is_expected: impl Fn(StatusCode) -> bool,
) -> Result<Response, Error> {
    let response = answered?;
    if is_expected(response.status()) {
        return Ok(response);
    }
    let (url, status) = (public(response.url()), response.status());
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    if status.is_redirection()
        && let Some(target) = header(LOCATION).and_then(|location| response.url().join(location).ok())
    {
        return Err(Error::Redirected { url, status, target: public(&target) });
    }
    let retry_after =
        header(RETRY_AFTER).map(|value| value.trim().parse().map_or(RETRY_AFTER_DATE, Duration::from_secs));
    let body = read_body(response, MAX_PROBLEM_BYTES).await.unwrap_or_default();
    let detail = serde_json::from_slice::<Problem>(&body).ok().map(|problem| problem.detail);
    Err(Error::Status { url, status, retry_after, detail })
}

/// Reads a whole body of at most `limit` bytes.
///
/// # Errors
/// The body is longer, or the connection breaks.
pub async fn read_body(mut response: Response, limit: usize) -> Result<Vec<u8>, Error> {
    let url = public(response.url());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Error::unanswered(url.clone(), &error))? {
        if body.len() + chunk.len() > limit {
            return Err(Error::TooLong { url, limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Reads a JSON body of at most `limit` bytes. `peer` names the kind of server that was expected, such as "a master".
///
/// # Errors
/// The body is longer, is other JSON or none, or the connection breaks.
pub async fn read_json<T: DeserializeOwned>(response: Response, limit: usize, peer: &'static str) -> Result<T, Error> {
    let url = public(response.url());
    let body = read_body(response, limit).await?;
    serde_json::from_slice(&body).map_err(|cause| Error::Json { url, peer, cause })
}

#[cfg(test)]
mod tests;
