//! A connection for small questions that a server holds for long. One of the ordinary client takes 38 KiB while it waits, and one of hyper
//! 15 KiB, most of it in buffers; a master holds ten thousand. This one has no buffer until the answer is there.

mod asked;

use std::{env, future::poll_fn, pin::Pin, sync::OnceLock, task::Poll, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1::Builder;
use hyper_util::rt::TokioIo;
use reqwest::{Request, Response, ResponseBuilderExt, Url, header};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{Instant, timeout},
};

use self::asked::Asked;
use crate::client::{CONNECT_TIMEOUT, POOL_TIMEOUT};

/// Limit for the head of an answer. Longer ones are left to the ordinary client.
const BUFFER_BYTES: usize = 2 << 10;
/// The same for a body.
const MAX_BODY_BYTES: usize = 16 << 10;
/// Variables that may name a proxy, which the ordinary client asks.
const PROXY_VARIABLES: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];

/// A connection to one server, opened when it is needed.
#[derive(Default)]
pub struct HeldConnection(Option<Open>);

struct Open {
    stream: TcpStream,
    used: Instant,
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

impl HeldConnection {
    /// Sends a request without a body, and waits for the whole answer. Returns `None` if there is none within `limit`, or none that such a
    /// connection takes: then the ordinary client asks, and says why.
    pub async fn send(&mut self, request: Request, user_agent: &'static str, limit: Duration) -> Option<Response> {
        if request.url().scheme() != "http" || has_proxy() {
            return None;
        }
        let question = head(&request, user_agent)?;
        let url = request.url().clone();
        // Neither is needed while the answer is held.
        drop(request);
        let kept = self.0.take().filter(Open::is_unused);
        let asked = async {
            if let Some(kept) = kept
                && let Ok(answered) = self.ask(kept.stream, &question).await
            {
                return Ok(answered);
            }
            // The server may have closed the connection just now.
            let stream = Box::pin(open(&url)).await?;
            self.ask(stream, &question).await
        };
        let answer = timeout(limit, asked).await.ok()?.ok()?;
        let (head, body) = answer.into_parts();
        let mut response = http::Response::builder().status(head.status).url(url).body(body).ok()?;
        *response.headers_mut() = head.headers;
        Some(response.into())
    }

    /// Asks over a connection, and keeps it if it can be used again.
    async fn ask(&mut self, mut stream: TcpStream, question: &[u8]) -> Result<http::Response<Bytes>, Failed> {
        stream.write_all(question).await?;
        if stream.peek(&mut [0]).await? == 0 {
            return Err("the server has closed the connection".into());
        }
        let (answer, stream) = Box::pin(read(stream)).await?;
        self.0 = stream.map(|stream| Open { stream, used: Instant::now() });
        Ok(answer)
    }
}

impl Open {
    /// Whether the server still waits for a question: it has neither closed the connection nor sent anything.
    fn is_unused(&self) -> bool {
        let read = self.stream.try_read(&mut [0]);
        self.used.elapsed() < POOL_TIMEOUT && read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }
}

/// Reads an answer that has begun to arrive. Returns the stream, too, if another question may be sent over it.
async fn read(stream: TcpStream) -> Result<(http::Response<Bytes>, Option<TcpStream>), Failed> {
    let (mut sender, mut connection) = Builder::new()
        .read_buf_exact_size(Some(BUFFER_BYTES))
        .handshake::<_, Empty<Bytes>>(TokioIo::new(Asked::new(stream)))
        .await?;
    let sent = sender.send_request(http::Request::new(Empty::new()));
    let answered = async {
        let (head, body) = sent.await?.into_parts();
        let body = Limited::new(body, MAX_BODY_BYTES).collect().await?.to_bytes();
        Ok::<_, Failed>(http::Response::from_parts(head, body))
    };
    let mut answered = std::pin::pin!(answered);
    let (is_open, answer) = tokio::select! {
        biased;
        answer = &mut answered => (true, answer),
        // What has arrived before the end can still be taken.
        _ = &mut connection => (false, answered.await),
    };
    let answer = answer?;
    // It ends by itself if one of both sides wants no further question.
    let is_open = is_open && poll_fn(|cx| Poll::Ready(Pin::new(&mut connection).poll(cx).is_pending())).await;
    let parts = connection.into_parts();
    let stream = (is_open && parts.read_buf.is_empty()).then(|| parts.io.into_inner().into_stream());
    Ok((answer, stream))
}

async fn open(url: &Url) -> Result<TcpStream, Failed> {
    let host = url.host_str().ok_or("a URL without a host")?.trim_matches(['[', ']']);
    let port = url.port_or_known_default().ok_or("a URL without a port")?;
    let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect((host, port))).await??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The head of a request as the ordinary client would send it. Neither a URL nor the value of a header contains a line break.
fn head(request: &Request, user_agent: &'static str) -> Option<Box<[u8]>> {
    let (url, mut headers) = (request.url(), request.headers().clone());
    let host = url.host_str()?;
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    headers.insert(header::HOST, host.parse().ok()?);
    headers.insert(header::USER_AGENT, header::HeaderValue::from_static(user_agent));
    headers.entry(header::ACCEPT).or_insert(header::HeaderValue::from_static("*/*"));
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let mut head = format!("{} {target} HTTP/1.1\r\n", request.method()).into_bytes();
    for (name, value) in &headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            head.extend_from_slice(part);
        }
    }
    head.extend_from_slice(b"\r\n");
    Some(head.into())
}

/// Whether requests may go through a proxy. Looked up once: variables of a process do not change.
fn has_proxy() -> bool {
    static HAS_PROXY: OnceLock<bool> = OnceLock::new();
    *HAS_PROXY
        .get_or_init(|| PROXY_VARIABLES.iter().any(|name| env::var_os(name).is_some_and(|proxy| !proxy.is_empty())))
}

#[cfg(test)]
mod tests;
