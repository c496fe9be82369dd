//! A client of HTTP/2 that writes what it likes, frame by frame, and takes what it likes.

use std::{collections::BTreeMap, future::poll_fn, time::Duration};

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use h2::{
    SendStream,
    client::{self, ResponseFuture, SendRequest},
};
use http::{HeaderMap, Request};
use tokio::{net::TcpStream, task::JoinSet, time::timeout};

/// Longest wait for the end of a call.
const MAX_WAIT: Duration = Duration::from_secs(120);

/// A connection. Clones are the same one.
#[derive(Clone)]
pub(super) struct Line(SendRequest<Bytes>);

/// A call that has begun.
pub(super) struct Call {
    pub(super) sender: SendStream<Bytes>,
    response: ResponseFuture,
}

impl Line {
    pub(super) async fn open(address: &str) -> Result<Self> {
        let tcp = TcpStream::connect(address).await.context("failed to connect")?;
        let (send, connection) = client::Builder::new().max_concurrent_reset_streams(100_000).handshake(tcp).await?;
        tokio::spawn(async move { drop(connection.await) });
        Ok(Self(send))
    }

    /// Begins a call of a method.
    pub(super) async fn call(&self, method: &str) -> Result<Call> {
        self.call_with(method, "").await
    }

    /// Begins a call that has a header of this text.
    pub(super) async fn call_with(&self, method: &str, text: &str) -> Result<Call> {
        let head = Request::post(format!("http://localhost{method}")).header("x-text", text);
        let head = head.header("content-type", "application/grpc").header("te", "trailers").body(())?;
        let (response, sender) = self.0.clone().ready().await?.send_request(head, false)?;
        Ok(Call { sender, response })
    }
}

impl Call {
    /// Sends bytes as fast as they are taken.
    pub(super) async fn write(&mut self, bytes: &Bytes) -> Result<()> {
        let mut rest = bytes.clone();
        while !rest.is_empty() {
            self.sender.reserve_capacity(rest.len());
            let room = poll_fn(|cx| self.sender.poll_capacity(cx)).await.context("the call has ended")??;
            self.sender.send_data(rest.split_to(room.min(rest.len())), false)?;
        }
        Ok(())
    }

    /// Waits for the end of the call, and returns its status in words.
    pub(super) async fn end(self) -> String {
        let status = |headers: &HeaderMap| headers.get("grpc-status").map(|status| format!("{status:?}"));
        let ended = timeout(MAX_WAIT, async {
            let (head, mut body) = self.response.await?.into_parts();
            if let Some(status) = status(&head.headers) {
                return Ok(status);
            }
            while let Some(data) = body.data().await {
                body.flow_control().release_capacity(data?.len())?;
            }
            let trailers = body.trailers().await?.unwrap_or_default();
            Ok::<_, h2::Error>(status(&trailers).unwrap_or_else(|| "no status".to_owned()))
        });
        match ended.await {
            Ok(Ok(status)) => status,
            Ok(Err(error)) if error.is_reset() || error.is_go_away() => {
                error.reason().map_or_else(|| "cut".to_owned(), |reason| format!("{reason:?}"))
            }
            Ok(Err(_)) => "cut".to_owned(),
            Err(_) => "never".to_owned(),
        }
    }
}

/// A message of gRPC.
pub(super) fn message(body: &[u8]) -> Bytes {
    let length = u32::try_from(body.len()).expect("a message is short").to_be_bytes();
    [&[0][..], &length, body].concat().into()
}

/// The begin of a message of `length` bytes, of which `sent` are there.
pub(super) fn begun(length: usize, sent: usize) -> Bytes {
    let mut bytes = message(&vec![b'x'; sent]).to_vec();
    bytes[1..5].copy_from_slice(&u32::try_from(length).expect("a message is short").to_be_bytes());
    bytes.into()
}

/// A `CsvChunk`.
pub(super) fn chunk(data: &[u8]) -> Bytes {
    let mut body = vec![0x0a];
    let mut length = data.len();
    while length > 0x7f {
        body.push(u8::try_from(length & 0x7f).expect("seven bits") | 0x80);
        length >>= 7;
    }
    body.push(u8::try_from(length).expect("seven bits"));
    body.extend_from_slice(data);
    message(&body)
}

/// Runs so many clients at once, each with its number and its connection, of which many share one, and counts what they return.
pub(super) async fn many<F: Future<Output = Result<String>> + Send + 'static>(
    address: &str,
    (clients, per_connection): (usize, usize),
    client: impl Fn(Line, usize) -> F,
) -> Result<String> {
    let mut running = JoinSet::new();
    for first in (0..clients).step_by(per_connection) {
        let line = Line::open(address).await?;
        for number in first..clients.min(first + per_connection) {
            running.spawn(client(line.clone(), number));
        }
    }
    let mut counts = BTreeMap::new();
    while let Some(ended) = running.join_next().await {
        // A client that was cut off is what there should be.
        let how = ended.map_err(|_| anyhow!("a client panicked"))?.unwrap_or_else(|_| "cut".to_owned());
        *counts.entry(how).or_insert(0) += 1;
    }
    Ok(counts.iter().map(|(how, count)| format!("{count} × {how}")).collect::<Vec<_>>().join(", "))
}
