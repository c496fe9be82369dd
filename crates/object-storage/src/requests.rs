//! The requests of `object_store` over our own HTTP client: its TLS rules and time limits, and bounded answers.

use std::{io, time::Duration};

use async_trait::async_trait;
use futures_util::StreamExt;
use http::Method;
use object_store::{
    ClientOptions as StoreOptions, Result as StoreResult,
    client::{HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService},
};
use reqwest::Client;
use tributary_http_client::{ClientOptions, Error, Trust};

/// The longest time without a byte of an answer, and for the answer to a request that sends nothing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// The least speed, in bytes per second, at which a server takes what is sent.
const MIN_SPEED: u64 = 64 << 10;
/// Longest answer that is no object and no list.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// The clients that all requests for one location share.
#[derive(Debug, Clone)]
pub(crate) struct Requests {
    /// It gives up a server that sends nothing.
    reading: Client,
    /// A server answers only after the last byte it is sent, so its time depends on their number.
    writing: Client,
}

impl Requests {
    pub(crate) fn new(user_agent: &'static str, trust: &Trust) -> Result<Self, Error> {
        let with = |idle_timeout| ClientOptions { user_agent, idle_timeout, decompress: false }.build_trusting(trust);
        Ok(Self { reading: with(Some(IDLE_TIMEOUT))?, writing: with(None)? })
    }

    /// The client for lists.
    pub(crate) fn reading(&self) -> &Client {
        &self.reading
    }
}

#[async_trait]
impl HttpService for Requests {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if *request.method() == Method::GET {
            let response = self.reading.call(request).await?;
            // The body of an object goes on as a stream.
            return if response.status().is_success() {
                Ok(response)
            } else {
                in_time(IDLE_TIMEOUT, bounded(response)).await
            };
        }
        let to_send = request.body().content_length() as u64;
        let limit = IDLE_TIMEOUT + Duration::from_secs(to_send / MIN_SPEED);
        in_time(limit, async { bounded(self.writing.call(request).await?).await }).await
    }
}

async fn in_time(
    limit: Duration,
    answer: impl Future<Output = Result<HttpResponse, HttpError>>,
) -> Result<HttpResponse, HttpError> {
    let answered = tokio::time::timeout(limit, answer).await;
    answered.unwrap_or_else(|_| {
        let cause = format!("there was no answer within {} s", limit.as_secs());
        Err(HttpError::new(HttpErrorKind::Timeout, io::Error::new(io::ErrorKind::TimedOut, cause)))
    })
}

/// Reads the body of an answer whole, which the library would do without a bound.
async fn bounded(response: HttpResponse) -> Result<HttpResponse, HttpError> {
    let (parts, body) = response.into_parts();
    let (mut pieces, mut bytes) = (body.bytes_stream(), Vec::new());
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece?);
        if bytes.len() > MAX_ANSWER_BYTES {
            let cause = io::Error::other(format!("the answer is longer than {MAX_ANSWER_BYTES} bytes"));
            return Err(HttpError::new(HttpErrorKind::Decode, cause));
        }
    }
    Ok(HttpResponse::from_parts(parts, bytes.into()))
}

/// Gives `object_store` these clients in place of its own.
#[derive(Debug)]
pub(crate) struct Connector(pub(crate) Requests);

impl HttpConnector for Connector {
    fn connect(&self, _: &StoreOptions) -> StoreResult<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}
