//! A connection for small questions that a server holds for long. One of the ordinary client takes 38 KiB while it waits, most of it in
//! buffers; a master holds ten thousand.

use std::{env, pin::Pin, sync::OnceLock, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use reqwest::{Request, Response, ResponseBuilderExt, Url, header};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};

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
    sender: SendRequest<Empty<Bytes>>,
    /// Does the work while it is polled.
    connection: Pin<Box<Connection<TokioIo<TcpStream>, Empty<Bytes>>>>,
    used: Instant,
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

impl HeldConnection {
    /// Sends a request without a body, and waits for the whole answer. Returns `None` if there is none within `limit`, or none that such a
    /// connection takes: then the ordinary client asks, and says why.
    pub async fn send(&mut self, request: &Request, user_agent: &'static str, limit: Duration) -> Option<Response> {
        if request.url().scheme() != "http" || has_proxy() {
            return None;
        }
        let kept = self.0.take().filter(|open| open.used.elapsed() < POOL_TIMEOUT);
        let asked = async {
            if let Some(kept) = kept
                && let Ok(answered) = self.ask(kept, request, user_agent).await
            {
                return Ok(answered);
            }
            // The server may have closed the connection just now.
            let open = open(request.url()).await?;
            self.ask(open, request, user_agent).await
        };
        timeout(limit, asked).await.ok()?.ok()
    }

    /// Asks over a connection, and keeps it if it can be used again.
    async fn ask(&mut self, mut open: Open, request: &Request, user_agent: &'static str) -> Result<Response, Failed> {
        let sent = open.sender.send_request(head(request, user_agent)?);
        let answered = async {
            let (head, body) = sent.await?.into_parts();
            let body = Limited::new(body, MAX_BODY_BYTES).collect().await?.to_bytes();
            Ok::<_, Failed>((head, body))
        };
        let mut answered = std::pin::pin!(answered);
        let (is_open, answer) = tokio::select! {
            biased;
            answer = &mut answered => (true, answer),
            // What has arrived before the end can still be taken.
            _ = &mut open.connection => (false, answered.await),
        };
        let (head, body) = answer?;
        if is_open {
            self.0 = Some(Open { used: Instant::now(), ..open });
        }
        let mut response = http::Response::builder().status(head.status).url(request.url().clone()).body(body)?;
        *response.headers_mut() = head.headers;
        Ok(response.into())
    }
}

async fn open(url: &Url) -> Result<Open, Failed> {
    let host = url.host_str().ok_or("a URL without a host")?.trim_matches(['[', ']']);
    let port = url.port_or_known_default().ok_or("a URL without a port")?;
    let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect((host, port))).await??;
    stream.set_nodelay(true)?;
    let (sender, connection) =
        Builder::new().read_buf_exact_size(Some(BUFFER_BYTES)).handshake(TokioIo::new(stream)).await?;
    Ok(Open { sender, connection: Box::pin(connection), used: Instant::now() })
}

/// The head of a request as the ordinary client would send it.
fn head(request: &Request, user_agent: &'static str) -> Result<http::Request<Empty<Bytes>>, Failed> {
    let url = request.url();
    let host = url.host_str().ok_or("a URL without a host")?;
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let mut head = http::Request::builder().method(request.method()).uri(target).body(Empty::new())?;
    *head.headers_mut() = request.headers().clone();
    head.headers_mut().insert(header::HOST, host.parse()?);
    head.headers_mut().insert(header::USER_AGENT, header::HeaderValue::from_static(user_agent));
    head.headers_mut().entry(header::ACCEPT).or_insert(header::HeaderValue::from_static("*/*"));
    Ok(head)
}

/// Whether requests may go through a proxy. Looked up once: variables of a process do not change.
fn has_proxy() -> bool {
    static HAS_PROXY: OnceLock<bool> = OnceLock::new();
    *HAS_PROXY
        .get_or_init(|| PROXY_VARIABLES.iter().any(|name| env::var_os(name).is_some_and(|proxy| !proxy.is_empty())))
}

#[cfg(test)]
mod tests;
