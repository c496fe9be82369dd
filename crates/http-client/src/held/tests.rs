//! Against servers that write fixed texts, so that no code of ours answers.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

use super::*;
use crate::ClientOptions;

const AGENT: &str = "tests/1";
const LIMIT: Duration = Duration::from_secs(20);

/// Answers each connection with these texts, one per request, and closes it behind the last. Keeps the heads that it was sent.
fn server(answers: Vec<String>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/sense?since=a%20b&wait=1", listener.local_addr().unwrap());
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            for answer in &answers {
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") {
                    if stream.read_line(&mut head).unwrap_or(0) == 0 {
                        break;
                    }
                }
                seen.lock().unwrap().push(head);
                let _ = stream.get_mut().write_all(answer.as_bytes());
            }
        }
    });
    (url, heads)
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nX-Own: 1\r\n\r\n{body}", body.len())
}

fn request(url: &str) -> Request {
    let options = ClientOptions { user_agent: AGENT, idle_timeout: None, decompress: false };
    options.build().unwrap().get(url).bearer_auth("secret").build().unwrap()
}

#[tokio::test]
async fn a_connection_is_kept_and_opened_again_when_the_server_has_closed_it() {
    let (url, heads) = server(vec![ok("one"), ok("two")]);
    let mut held = HeldConnection::default();
    for expect in ["one", "two", "one", "two"] {
        let response = held.send(request(&url), AGENT, LIMIT).await.unwrap();
        assert_eq!((response.status().as_u16(), response.url().as_str()), (200, url.as_str()));
        assert_eq!(response.headers()["x-own"], "1");
        assert_eq!(response.text().await.unwrap(), expect);
    }
    let heads = heads.lock().unwrap();
    assert!(heads[0].starts_with("GET /sense?since=a%20b&wait=1 HTTP/1.1\r\n"), "{}", heads[0]);
    for line in ["authorization: Bearer secret", "user-agent: tests/1", "accept: */*", "host: 127.0.0.1:"] {
        assert!(heads[0].to_ascii_lowercase().contains(&line.to_ascii_lowercase()), "{line}: {}", heads[0]);
    }
}

#[tokio::test]
async fn an_answer_that_ends_with_its_connection_is_whole() {
    let (url, _) = server(vec!["HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\nwait".to_owned()]);
    let response = HeldConnection::default().send(request(&url), AGENT, LIMIT).await.unwrap();
    assert_eq!((response.status().as_u16(), response.text().await.unwrap().as_str()), (503, "wait"));
}

/// A source that says more than it was asked must not have that taken for the answer to the next question.
#[tokio::test]
async fn a_connection_is_used_again_only_if_both_sides_have_said_all() {
    let last = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\none".to_owned();
    for first in [ok("one") + &ok("stray"), ok("one") + "x", last] {
        let (url, heads) = server(vec![first, ok("two")]);
        let mut held = HeldConnection::default();
        for _ in 0..2 {
            let response = held.send(request(&url), AGENT, LIMIT).await.unwrap();
            assert_eq!(response.text().await.unwrap(), "one", "over a connection of its own");
        }
        assert_eq!(heads.lock().unwrap().iter().filter(|head| head.starts_with("GET")).count(), 2);
    }
}

#[tokio::test]
async fn an_answer_in_chunks_is_whole() {
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\non\r\n1\r\ne\r\n0\r\n\r\n";
    let (url, heads) = server(vec![chunks.to_owned(), ok("two")]);
    let mut held = HeldConnection::default();
    for expect in ["one", "two"] {
        let response = held.send(request(&url), AGENT, LIMIT).await.unwrap();
        assert_eq!(response.text().await.unwrap(), expect);
    }
    assert_eq!(heads.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn what_it_cannot_do_is_left_to_the_ordinary_client() {
    let mut held = HeldConnection::default();
    let long = |bytes: usize| ok(&"x".repeat(bytes));
    let head = format!("HTTP/1.1 200 OK\r\nX-Long: {}\r\nContent-Length: 0\r\n\r\n", "x".repeat(BUFFER_BYTES));
    for answer in [long(MAX_BODY_BYTES + 1), head, "no HTTP\r\n\r\n".to_owned(), String::new()] {
        let (url, _) = server(vec![answer]);
        assert!(held.send(request(&url), AGENT, Duration::from_secs(2)).await.is_none());
    }
    assert!(held.send(request("http://127.0.0.1:1/sense"), AGENT, LIMIT).await.is_none(), "nobody listens there");
    assert!(held.send(request("https://127.0.0.1:1/sense"), AGENT, LIMIT).await.is_none());
    let (url, _) = server(vec![long(MAX_BODY_BYTES)]);
    assert!(held.send(request(&url), AGENT, LIMIT).await.is_some());
}
