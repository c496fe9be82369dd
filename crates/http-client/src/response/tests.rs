//! Responses of faulty servers: each error names the fault and the server.

use std::net::TcpListener;

use reqwest::{Method, Url};
use serde_json::Value;
use tributary_admission::Token;
use tributary_testkit::faulty::{Answer, FaultySource};

use super::*;
use crate::{ClientOptions, Endpoint};

const LIMIT: usize = 1_000;

#[test]
fn errors_name_no_secrets() {
    let url = Url::parse("http://user:pass@host:1/a/b?filename=x#y").unwrap();
    assert_eq!(public(&url), "http://host:1/a/b");
}

/// Asks for `path` and reads the JSON of the answer.
async fn ask_at(server: &str, path: &str) -> Result<Value, Error> {
    let options =
        ClientOptions { user_agent: "test/1", idle_timeout: Some(Duration::from_millis(200)), decompress: false };
    let endpoint = Endpoint::new(Url::parse(server).unwrap(), Token::new("s3cret"));
    assert!(!format!("{endpoint:?}").contains("s3cret"));
    let request = endpoint.request(&options.build().unwrap(), Method::GET, path);
    read_json(expect_ok(request.send().await).await?, LIMIT, "a test").await
}

async fn ask(answer: Answer) -> Result<Value, Error> {
    ask_at(&FaultySource::start(&[("/a", answer)]).url, "a?name=secret.csv").await
}

/// The text of the error, with the server's address cut off; its query is never part of it.
async fn complaint(answer: Answer) -> String {
    let error = ask(answer).await.unwrap_err().to_string();
    assert!(error.starts_with("http://127.0.0.1:") && !error.contains("secret"), "{error}");
    error.trim_start_matches("http://127.0.0.1:").trim_start_matches(|digit: char| digit.is_ascii_digit()).to_owned()
}

#[tokio::test]
async fn a_good_answer_is_read() {
    assert_eq!(ask(Answer::json("[1]")).await.unwrap(), Value::from(vec![1]));
}

/// A source or a proxy that redirects could send the master, with the token, to any address of its network.
#[tokio::test]
async fn a_redirect_is_refused_and_its_target_named() {
    let target = FaultySource::start(&[("/b", Answer::json("1")), ("/sub/b", Answer::json("1"))]);
    for status in ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let answer = format!("HTTP/1.1 {status}\r\nLocation: {}/b\r\nContent-Length: 0\r\n\r\n", target.url);
        let error = ask(Answer::Raw(answer.leak().as_bytes())).await.unwrap_err();
        assert!(matches!(error, Error::Redirected { .. }), "{error:?}");
        assert!(error.to_string().contains(&format!("/a redirects to {}/b; ", target.url)), "{error}");
        assert!(!error.is_transient());
    }
    assert_eq!(target.requests(), [""; 0], "it was never asked");
    let relative = Answer::Raw(b"HTTP/1.1 301 Moved\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n");
    let source = FaultySource::start(&[("/a", relative), ("/b", Answer::json("1"))]);
    let error = ask_at(&source.url, "a").await.unwrap_err().to_string();
    assert!(error.contains(&format!("redirects to {}/b; ", source.url)), "{error}");
    assert_eq!(source.requests().len(), 1);
}

#[tokio::test]
async fn a_status_is_reported_with_the_text_of_its_problem() {
    assert_eq!(complaint(Answer::Status("500 Internal Server Error")).await, "/a answers 500 Internal Server Error");
    let answer = |head: &str, body: &str| {
        let length = body.len();
        let text = format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\n\r\n{body}");
        Answer::Raw(text.leak().as_bytes())
    };
    let problem = r#"{"title":"t","status":503,"detail":"not yet"}"#;
    let busy = || answer("503 Service Unavailable\r\nRetry-After: 7", problem);
    assert_eq!(complaint(busy()).await, "/a answers 503 Service Unavailable: not yet");
    let error = ask(busy()).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert!(error.is_busy() && error.is_transient() && !error.is_unanswered());
    let dated = "503 Service Unavailable\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT";
    assert_eq!(ask(answer(dated, problem)).await.unwrap_err().retry_after(), Some(RETRY_AFTER_DATE));
    let error = ask(answer("503 Service Unavailable", problem)).await.unwrap_err();
    assert!(!error.is_busy() && error.is_transient());
    let error = ask(answer("409 Conflict\r\nRetry-After: 7", problem)).await.unwrap_err();
    assert!(!error.is_busy() && !error.is_transient() && error.status() == Some(StatusCode::CONFLICT));
    // Neither a part of what was asked for nor a redirect without a target is an answer.
    assert_eq!(complaint(answer("206 Partial Content", "[1]")).await, "/a answers 206 Partial Content");
    assert_eq!(complaint(answer("302 Found", "")).await, "/a answers 302 Found");
}

#[tokio::test]
async fn a_body_is_bounded_and_must_be_json() {
    assert_eq!(complaint(Answer::json(&" ".repeat(LIMIT + 1))).await, "/a answers with more than 1000 bytes");
    let page = complaint(Answer::json("<p>")).await;
    assert!(page.starts_with("/a does not answer as a test does (expected value"), "{page}");
    assert!(page.ends_with("; is this the URL of a test?"), "{page}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_told_from_one_that_breaks_off() {
    assert_eq!(complaint(Answer::Hang).await, "/a timed out");
    assert_eq!(complaint(Answer::Stall("text/plain", vec![b' '; 100])).await, "/a timed out");
    let cut = complaint(Answer::Cut("text/plain", vec![b' '; 100])).await;
    assert!(cut.starts_with("/a broke the connection: "), "{cut}");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = ask_at(&format!("http://{free}"), "a").await.unwrap_err();
    assert!(
        error.to_string().starts_with(&format!("http://{free}/a cannot be reached: Connection refused")),
        "{error}"
    );
    assert!(error.is_unanswered() && error.is_transient() && error.status().is_none());
}
