//! Sends a request that may be sent twice.

use reqwest::{RequestBuilder, Response};

/// Sends a request that changes nothing. A server may close a kept connection while the next request is on its way; such a request is sent
/// once more, over another connection (RFC 9112, section 9.3.1).
///
/// # Errors
/// Both got no answer, or the first one failed in another way.
pub async fn send_safe(request: RequestBuilder) -> reqwest::Result<Response> {
    let again = request.try_clone();
    match (request.send().await, again) {
        (Err(error), Some(again)) if error.is_request() && !error.is_connect() && !error.is_timeout() => {
            again.send().await
        }
        (answered, _) => answered,
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader, Write},
        net::TcpListener,
        thread,
    };

    use crate::ClientOptions;

    use super::*;

    /// Answers the first request of each connection, and closes it when it has read the second one.
    fn closing_server() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut reader = BufReader::new(stream.unwrap());
                read_head(&mut reader);
                reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
                read_head(&mut reader);
            }
        });
        format!("http://{address}/")
    }

    fn read_head(reader: &mut impl BufRead) {
        let mut line = String::new();
        while reader.read_line(&mut line).unwrap() > 2 {
            line.clear();
        }
    }

    #[tokio::test]
    async fn a_connection_that_was_just_closed_costs_nothing() {
        let client = ClientOptions { user_agent: "test", idle_timeout: None, decompress: false }.build().unwrap();
        let url = closing_server();
        for _ in 0..3 {
            let text = send_safe(client.get(&url)).await.unwrap().text().await.unwrap();
            assert_eq!(text, "ok");
        }
        assert!(client.get(&url).send().await.is_err(), "else this tests nothing");
    }
}
