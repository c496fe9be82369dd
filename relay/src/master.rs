//! The requests to the master, and the meaning of its answers.

use std::time::{Duration, Instant};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Body, Client, Method, Response, StatusCode, Url};
use serde::Deserialize;
use tokio::sync::Semaphore;
use tributary_admission::Token;
use tributary_http_client::{Backoff, ClientOptions, Endpoint, Error, Trust, expect_success, read_body, read_json};

use crate::{
    document::Document,
    unpack::{Fault, unpacked},
};

/// Limit for the answer to a document. The master answers after 60 s even if the document still waits to be applied.
const DOCUMENT_TIMEOUT: Duration = Duration::from_secs(180);
/// Limit for the answer to a question that moves no document.
const ASK_TIMEOUT: Duration = Duration::from_secs(5);
/// Documents that are sent at the same time if they are not small: a master receives eight, from all senders together.
const MAX_LARGE: usize = 6;
/// Bytes up to which a document is small. A packed one may be of any size.
const MAX_SMALL_BYTES: usize = 256 << 10;
/// Limit for the time in which a master only says that it is busy, or fails at one document. Others go on meanwhile.
const MAX_RETRY_TIME: Duration = Duration::from_secs(600);
/// Least delay between two tries, even if the master asks for a shorter one, and the longest.
const RETRY_DELAYS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));
/// Limit for the body of an answer.
const MAX_ANSWER_BYTES: usize = 1 << 20;
/// A path keeps its slashes.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The outcome of handing a document over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Its rows are committed, or it is stored and will be read, or a newer one took its place.
    Taken,
    /// It can never be used, for this reason.
    Unusable(String),
    /// The master cannot take it now, for this reason. The document is not to blame.
    Away(String),
}

/// A client of one master.
pub(crate) struct Master {
    http: Client,
    endpoint: Endpoint,
    /// Permits for documents that are not small.
    large: Semaphore,
}

impl Master {
    pub(crate) fn new(base: Url, token: Option<Token>, trust: &Trust) -> Result<Self, Error> {
        let user_agent = concat!("tributary-relay/", env!("CARGO_PKG_VERSION"));
        let options = ClientOptions { user_agent, idle_timeout: None, decompress: false };
        let http = options.build_trusting(trust)?;
        Ok(Self { http, endpoint: Endpoint::new(base, token), large: Semaphore::new(MAX_LARGE) })
    }

    /// Asks whether the master is there.
    ///
    /// # Errors
    /// It is not, or another server is.
    pub(crate) async fn ask(&self) -> Result<(), Error> {
        let request = self.endpoint.request(&self.http, Method::GET, "healthz").timeout(ASK_TIMEOUT);
        let response = expect_success(request.send().await).await?;
        let other = no_master(&response);
        let body = read_body(response, MAX_ANSWER_BYTES).await?;
        if body.trim_ascii() == b"ok" { Ok(()) } else { Err(other) }
    }

    /// Hands a document over and waits until its rows are committed.
    pub(crate) async fn put(&self, document: &Document) -> Verdict {
        let is_small = document.packing.is_none() && document.body.len() <= MAX_SMALL_BYTES;
        let _permit = if is_small { None } else { self.large.acquire().await.ok() };
        self.until_done(|| self.try_to_put(document)).await
    }

    /// Takes all documents below a folder back. `folder` ends in `/`.
    pub(crate) async fn remove_below(&self, folder: &str) -> Verdict {
        self.until_done(|| self.try_to_remove(folder)).await
    }

    /// Repeats a request while the master is only busy, or fails at this one.
    async fn until_done<F>(&self, request: impl Fn() -> F) -> Verdict
    where
        F: Future<Output = Result<(), Refused>>,
    {
        let (began, mut delays) = (Instant::now(), Backoff::new(RETRY_DELAYS.0, RETRY_DELAYS.1));
        loop {
            let error = match request().await {
                Ok(()) => return Verdict::Taken,
                Err(Refused::Message(why)) => return Verdict::Unusable(why),
                Err(Refused::Request(error)) => error,
            };
            let may_recover = error.is_busy() || error.status() == Some(StatusCode::INTERNAL_SERVER_ERROR);
            if !may_recover || began.elapsed() > MAX_RETRY_TIME {
                return verdict(&error);
            }
            tokio::time::sleep(error.retry_after().unwrap_or_default().max(delays.next_delay())).await;
        }
    }

    /// Sends a document. A message that the master knows, and could not use before, is refused again: a relay may have been killed
    /// before it set the message aside.
    async fn try_to_put(&self, document: &Document) -> Result<(), Refused> {
        let Document { path, message, sequence, packing, body } = document;
        let path = utf8_percent_encode(path, IN_PATH);
        let mut query = vec![("wait", "applied".to_owned())];
        query.extend(message.clone().map(|message| ("message", message)));
        query.extend(sequence.map(|sequence| ("sequence", sequence.to_string())));
        let fault = Fault::default();
        let body = match packing {
            None => Body::from(body.clone()),
            Some(packing) => Body::wrap_stream(unpacked(body.clone(), *packing, fault.clone())),
        };
        let request = self.endpoint.request(&self.http, Method::PUT, &format!("api/v1/documents/{path}"));
        let request = request.query(&query).timeout(DOCUMENT_TIMEOUT).body(body);
        let answered = match expect_success(request.send().await).await {
            // A login page or another server says 200 as well, and has taken nothing.
            Ok(response) => read_json::<Answer>(response, MAX_ANSWER_BYTES, "a master").await,
            Err(error) => Err(error),
        };
        match (answered, fault.get()) {
            (Ok(answer), _) => answer.failed_before().map_or(Ok(()), |why| Err(Refused::Message(why))),
            (Err(_), Some(why)) => Err(Refused::Message(why.to_owned())),
            (Err(error), None) => Err(Refused::Request(error)),
        }
    }

    async fn try_to_remove(&self, folder: &str) -> Result<(), Refused> {
        let folder = utf8_percent_encode(folder, IN_PATH);
        let request = self.endpoint.request(&self.http, Method::DELETE, &format!("api/v1/documents/{folder}"));
        let answered = expect_success(request.timeout(DOCUMENT_TIMEOUT).send().await).await;
        let response = answered.map_err(Refused::Request)?;
        match response.status() {
            StatusCode::NO_CONTENT => Ok(()),
            _ => Err(Refused::Request(no_master(&response))),
        }
    }
}

/// The part of the answer to a document that matters here.
#[derive(Deserialize)]
struct Answer {
    state: String,
    error: Option<String>,
}

impl Answer {
    /// The reason, if it says no more than that a known message's document had failed.
    fn failed_before(self) -> Option<String> {
        let reason = || "the document of this message could not be used before".to_owned();
        (self.state == "failed").then(|| self.error.unwrap_or_else(reason))
    }
}

fn no_master(response: &Response) -> Error {
    Error::unusable(response, "not as a master does; is this the URL of a master?")
}

/// A document that was not taken.
enum Refused {
    /// Its message can never be used, for this reason.
    Message(String),
    Request(Error),
}

/// The meaning of a failed request. Only what speaks of the message itself condemns it: a wrong token, a wrong address or a proxy in between
/// are no fault of it, and neither is a request that changed on the way.
fn verdict(error: &Error) -> Verdict {
    const OF_THE_MESSAGE: [StatusCode; 4] = [
        StatusCode::BAD_REQUEST,
        // Its path is a folder, or somebody has cancelled it.
        StatusCode::CONFLICT,
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        StatusCode::UNPROCESSABLE_ENTITY,
    ];
    // Whoever answers so would answer so again.
    const TOO_LONG: [StatusCode; 3] =
        [StatusCode::PAYLOAD_TOO_LARGE, StatusCode::URI_TOO_LONG, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE];
    match error {
        Error::Status { status, detail: Some(why), .. } if OF_THE_MESSAGE.contains(status) => {
            Verdict::Unusable(why.clone())
        }
        Error::Status { status, detail, .. } if TOO_LONG.contains(status) => {
            Verdict::Unusable(detail.clone().unwrap_or_else(|| format!("the master answers {status}")))
        }
        error => Verdict::Away(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tributary_testkit::faulty::{Answer as Says, FaultySource};

    use super::*;

    #[test]
    fn only_a_fault_of_the_message_condemns_it() {
        let says = |status: u16, detail: Option<&str>| Error::Status {
            url: "http://m/".into(),
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: None,
            detail: detail.map(str::to_owned),
        };
        let error = |status| says(status, Some("why"));
        for status in [400, 409, 413, 414, 415, 422, 431] {
            assert_eq!(verdict(&error(status)), Verdict::Unusable("why".into()), "{status}");
        }
        for status in [401, 403, 404, 405, 408, 421, 429, 500, 502, 503, 504, 507] {
            assert!(matches!(verdict(&error(status)), Verdict::Away(_)), "{status}");
        }
        for status in [400, 409, 415, 422] {
            assert!(matches!(verdict(&says(status, None)), Verdict::Away(_)), "{status} of a proxy");
        }
        assert!(matches!(verdict(&says(413, None)), Verdict::Unusable(_)));
        assert!(matches!(verdict(&Error::TimedOut { url: "u".into() }), Verdict::Away(_)));
    }

    #[test]
    fn a_known_message_that_had_failed_is_told_from_others() {
        let check = |body: &str, expect: Option<&str>| {
            let answer: Answer = serde_json::from_str(body).unwrap();
            assert_eq!(answer.failed_before().as_deref(), expect, "{body}");
        };
        check(r#"{"state":"failed","error":"why"}"#, Some("why"));
        check(r#"{"state":"failed","error":null}"#, Some("the document of this message could not be used before"));
        check(r#"{"state":"complete","error":null}"#, None);
    }

    #[tokio::test]
    async fn a_login_page_in_between_takes_nothing() {
        let page = Says::Ok("text/html", b"<!doctype html><title>Log in</title>".to_vec());
        let portal = FaultySource::start(
            &["/healthz", "/api/v1/documents/a.csv", "/api/v1/documents/a/"].map(|path| (path, page.clone())),
        );
        let master = Master::new(portal.url.parse().unwrap(), None, &Trust::default()).unwrap();
        let document =
            Document { path: "a.csv".into(), message: None, sequence: None, packing: None, body: Bytes::new() };
        let asked = master.ask().await.unwrap_err().to_string();
        assert!(asked.contains("is this the URL of a master?"), "{asked}");
        for verdict in [master.put(&document).await, master.remove_below("a/").await] {
            let Verdict::Away(why) = verdict else { panic!("{verdict:?}") };
            assert!(why.contains("as a master does"), "{why}");
        }
    }

    #[test]
    fn a_path_is_encoded_but_for_its_slashes() {
        assert_eq!(utf8_percent_encode("a b/é?#%.csv", IN_PATH).to_string(), "a%20b/%C3%A9%3F%23%25.csv");
    }
}
