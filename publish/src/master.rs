//! The client of a master's uploads: its requests, its time limits, and what became of each. It tries nothing twice.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode, Url,
    header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER},
    redirect,
};
use serde::de::DeserializeOwned;
use tributary_admission::Token;
use tributary_protocol::{Problem, encoded_path};

use crate::{
    LocalFile,
    body::body,
    job::{Accepted, Job},
};

const CONNECT: Duration = Duration::from_secs(5);
/// How long a question about a job may take.
const QUESTION: Duration = Duration::from_secs(10);
/// An upload may take any time, but not stand still for so long; a disk that has to take the last of it stands still too.
const IDLE: Duration = Duration::from_secs(300);
/// How often it is looked how far an upload is.
const TICK: Duration = Duration::from_millis(100);
/// What an answer may have at most.
const ANSWER_BYTES: usize = 1 << 20;

/// Asks one master.
pub(crate) struct Master {
    http: Client,
    base: Url,
    token: Option<Token>,
}

/// A request that did not get what it asked for.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) kind: RefusedKind,
    /// When to ask again, if the master says so.
    pub(crate) after: Option<Duration>,
    /// The reason in a person's words.
    pub(crate) why: String,
}

/// Who or what refused a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusedKind {
    /// There was no answer, or the connection broke.
    Broken,
    /// The master answers so.
    Answered(StatusCode),
    /// The file cannot be read.
    Unreadable,
    /// Whoever answers is no master.
    Strange,
}

impl Refused {
    fn new(kind: RefusedKind, why: String) -> Self {
        Self { kind, after: None, why }
    }

    /// Whether the same request may do better in a while.
    pub(crate) fn may_pass(&self) -> bool {
        match self.kind {
            RefusedKind::Broken => true,
            RefusedKind::Answered(status) => matches!(status.as_u16(), 408 | 425 | 429 | 502 | 503 | 504),
            RefusedKind::Unreadable | RefusedKind::Strange => false,
        }
    }

    pub(crate) fn is(&self, status: StatusCode) -> bool {
        self.kind == RefusedKind::Answered(status)
    }
}

impl Master {
    /// A client of the master at `base`; nothing is asked yet.
    ///
    /// # Errors
    /// Only if the system's certificates cannot be had.
    pub(crate) fn new(base: Url, token: Option<Token>) -> Result<Self> {
        // It fails only where one was installed before, which is as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .connect_timeout(CONNECT)
            .tcp_keepalive(Duration::from_secs(30))
            // A body that was read from a disk cannot be sent on to another place.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("tributary-publish/", env!("CARGO_PKG_VERSION")))
            .build()
            .context("failed to make an HTTP client")?;
        Ok(Self { http, base, token })
    }

    /// `POST /api/v1/uploads`: sends a file under the id that was chosen for its job. Returns its job's id; `show` is told now
    /// and then how many bytes have gone.
    pub(crate) async fn send(
        &self,
        file: &LocalFile,
        id: &str,
        replace: bool,
        show: impl Fn(u64),
    ) -> std::result::Result<String, Refused> {
        let replaced = if replace { "&replace=1" } else { "" };
        let (body, sent) = body(file);
        let request = self
            .request(Method::POST, &format!("?filename={}{replaced}&id={id}", encoded(&file.name)))
            .header(CONTENT_LENGTH, file.size)
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(body);
        let mut answer = std::pin::pin!(request.send());
        let mut ticks = tokio::time::interval(TICK);
        let mut moved = (0, Instant::now());
        let response = loop {
            tokio::select! {
                response = &mut answer => break response,
                _ = ticks.tick() => {}
            }
            let bytes = sent.bytes();
            show(bytes);
            if bytes != moved.0 {
                moved = (bytes, Instant::now());
            } else if moved.1.elapsed() > IDLE {
                let why = format!("{} has taken nothing for {} s", self.base, IDLE.as_secs());
                return Err(Refused::new(RefusedKind::Broken, why));
            }
        };
        sent.break_off();
        match (response, sent.fault()) {
            (Err(_), Some(fault)) => Err(Refused::new(RefusedKind::Unreadable, fault)),
            (response, _) => json::<Accepted>(accepted(response).await?).await.map(|accepted| accepted.id),
        }
    }

    /// `GET /api/v1/uploads/{id}`: how far a job is.
    pub(crate) async fn job(&self, id: &str) -> std::result::Result<Job, Refused> {
        let request = self.request(Method::GET, &format!("/{}", encoded(id))).timeout(QUESTION);
        json(accepted(request.send().await).await?).await
    }

    /// `DELETE /api/v1/uploads/{id}`: takes a job back.
    pub(crate) async fn cancel(&self, id: &str) -> std::result::Result<(), Refused> {
        let request = self.request(Method::DELETE, &format!("/{}", encoded(id))).timeout(QUESTION);
        accepted(request.send().await).await.map(drop)
    }

    fn request(&self, method: Method, rest: &str) -> RequestBuilder {
        let base = self.base.as_str().trim_end_matches('/');
        let request = self.http.request(method, format!("{base}/api/v1/uploads{rest}"));
        match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        }
    }
}

/// A name or an id as a part of a URL.
fn encoded(text: &str) -> String {
    encoded_path(text).replace('/', "%2F")
}

/// Takes only a good answer.
async fn accepted(response: reqwest::Result<Response>) -> std::result::Result<Response, Refused> {
    let response = response.map_err(|error| Refused::new(RefusedKind::Broken, unanswered(&error)))?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let problem = body_of(response).await.ok().and_then(|body| serde_json::from_slice::<Problem>(&body).ok());
    let why = match problem {
        Some(problem) => problem.detail,
        None if status.is_redirection() => format!("the master answers {status}; give the address that it now has"),
        None => format!("the master answers {status}"),
    };
    Err(Refused { kind: RefusedKind::Answered(status), after: after.map(Duration::from_secs), why })
}

async fn json<T: DeserializeOwned>(response: Response) -> std::result::Result<T, Refused> {
    let path = response.url().path().to_owned();
    let body = body_of(response).await?;
    serde_json::from_slice(&body).map_err(|error| {
        let why = format!("{path} does not answer as a master does ({error}); is the URL that of a master?");
        Refused::new(RefusedKind::Strange, why)
    })
}

async fn body_of(mut response: Response) -> std::result::Result<Vec<u8>, Refused> {
    let mut body = Vec::new();
    let broken = |error: reqwest::Error| Refused::new(RefusedKind::Broken, unanswered(&error));
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_BYTES {
            return Err(Refused::new(RefusedKind::Strange, format!("the answer is longer than {ANSWER_BYTES} bytes")));
        }
    }
    Ok(body)
}

/// Why a request got no answer, in a person's words: of reqwest's chain of causes only the last one says anything.
fn unanswered(error: &reqwest::Error) -> String {
    let host = error.url().map_or_else(|| "the master".into(), |url| url.origin().ascii_serialization());
    if error.is_timeout() {
        return format!("{host} timed out");
    }
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let failed = if error.is_connect() { "cannot be reached" } else { "broke the connection" };
    format!("{host} {failed}: {cause}")
}
