//! The bytes of a connection on their way from a client to the library, and back.

use std::{
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use actix_web::{
    HttpMessage,
    dev::{Payload, ServiceRequest},
    http::header::{CONTENT_LENGTH, TRANSFER_ENCODING},
    web::Bytes,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use crate::{
    connection::Connection,
    reading::{Body, Chunk},
};

/// A connection as the library reads and writes it.
pub(crate) struct Stream<T> {
    io: T,
    connection: Rc<Connection>,
    /// Bytes behind those that the library may read.
    rest: Bytes,
}

impl<T> Stream<T> {
    pub(crate) fn new(io: T, connection: Rc<Connection>) -> Self {
        Self { io, connection, rest: Bytes::new() }
    }

    pub(crate) fn connection(&self) -> &Rc<Connection> {
        &self.connection
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Stream<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let allowed = ready!(this.connection.poll_turn(cx));
        if !this.rest.is_empty() {
            let most = this.rest.len().min(out.remaining());
            let given = this.connection.give(&this.rest[..most]);
            out.put_slice(&this.rest.split_to(given));
            return Poll::Ready(Ok(()));
        }
        let begin = out.filled().len();
        ready!(Pin::new(&mut (&mut this.io).take(allowed)).poll_read(cx, out))?;
        let read = &out.filled()[begin..];
        let given = this.connection.give(read);
        this.rest = Bytes::copy_from_slice(&read[given..]);
        out.set_filled(begin + given);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Stream<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.io).poll_write(cx, bytes) {
            Poll::Ready(Ok(taken)) => Poll::Ready(this.connection.takes(taken).map(|()| taken)),
            Poll::Ready(error) => Poll::Ready(error),
            Poll::Pending => {
                this.connection.takes_nothing();
                Poll::Pending
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}

/// An answer that is under way. As long as it lives, nothing is read of the requests behind its own.
#[derive(Debug)]
pub struct Answering(Option<Rc<Connection>>);

impl Answering {
    /// Begins to answer a request.
    #[must_use]
    pub fn begin(request: &mut ServiceRequest) -> Self {
        // None in tests without a connection.
        let connection = request.conn_data::<Rc<Connection>>().cloned();
        if let Some(connection) = &connection {
            connection.begins(body(request));
        }
        Self(connection)
    }

    #[cfg(test)]
    pub(crate) fn nobody() -> Self {
        Self(None)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.iter().for_each(|connection| connection.ended());
    }
}

/// The body that comes behind the head of a request, as the library has found it.
fn body(request: &mut ServiceRequest) -> Body {
    let payload = request.take_payload();
    let has_body = !matches!(payload, Payload::None);
    request.set_payload(payload);
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.trim().parse().ok());
    match length {
        _ if !has_body => Body::None,
        // An encoding that it does not understand was refused.
        _ if request.headers().contains_key(TRANSFER_ENCODING) => Body::Chunked(Chunk::BEGIN),
        Some(length) => Body::Sized(length),
        None => Body::Endless,
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        mem::MaybeUninit,
        net::{TcpListener, TcpStream},
        thread,
        time::Duration,
    };

    use actix_web::{
        App, HttpRequest, HttpResponse,
        dev::Service,
        rt::{task::spawn_blocking, time},
        web,
    };

    use super::*;
    use crate::{paced, serve};

    /// Bytes before the body of a request in its answer.
    const BEFORE: usize = 20_000;

    async fn echo(body: Bytes) -> HttpResponse {
        HttpResponse::Ok().body([&[b'x'; BEFORE], &body[..]].concat())
    }

    /// Waits until so many bytes behind this request are not read yet.
    async fn held(request: HttpRequest, bytes: web::Path<usize>) -> HttpResponse {
        let connection = Rc::clone(request.conn_data::<Rc<Connection>>().unwrap());
        let mut begin = vec![MaybeUninit::uninit(); *bytes];
        let is_unread = async {
            loop {
                time::sleep(Duration::from_millis(10)).await;
                if connection.socket().unwrap().peek(&mut begin).is_ok_and(|unread| unread == begin.len()) {
                    break;
                }
            }
        };
        let waited = time::timeout(Duration::from_secs(20), is_unread).await;
        HttpResponse::Ok().body(if waited.is_ok() { "held" } else { "read" })
    }

    /// Sends requests and returns the answers.
    async fn exchange(requests: String) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let app = || {
            let app = App::new().route("/held/{bytes}", web::get().to(held)).default_service(web::to(echo));
            app.wrap_fn(|mut request, service| {
                let answering = Answering::begin(&mut request);
                let called = service.call(request);
                async move { Ok(paced(called.await?, answering).unwrap()) }
            })
        };
        let server = serve(app, listener, None, Duration::from_secs(30)).unwrap();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let answers = spawn_blocking(move || {
            let mut client = TcpStream::connect(address).unwrap();
            let mut writer = client.try_clone().unwrap();
            let last = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
            let writes = thread::spawn(move || writer.write_all((requests + last).as_bytes()));
            let mut answers = String::new();
            client.read_to_string(&mut answers).unwrap();
            writes.join().unwrap().unwrap();
            answers
        });
        let answers = answers.await.unwrap();
        handle.stop(false).await;
        answers
    }

    fn request(body: &str) -> String {
        match body.len() {
            0 => "GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            length if length % 2 == 0 => {
                let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
                format!("{head}{length:x}\r\n{body}\r\n0\r\n\r\n")
            }
            _ => format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
        }
    }

    #[actix_web::test]
    async fn requests_that_are_sent_together_are_answered_in_order() {
        let bodies: Vec<String> = (0..200)
            .map(|number| match number % 4 {
                0 => String::new(),
                1 => format!("body {number}"),
                2 => format!("{number}\r\n\r\nGET / HTTP/1.1\n\n\n\n{number}"),
                _ => "\n".repeat(number * 50),
            })
            .collect();
        let answers = exchange(bodies.iter().map(|body| request(body)).collect()).await;
        let (mut rest, before) = (answers.as_str(), "x".repeat(BEFORE));
        for body in &bodies {
            let (head, tail) = rest.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
            let answer = tail.strip_prefix(&before).unwrap();
            rest = answer.strip_prefix(body.as_str()).unwrap_or_else(|| panic!("{body:?} {:?}", &answer[..300]));
        }
    }

    /// They used to be parsed, 1.3 KiB each.
    #[actix_web::test]
    async fn requests_behind_one_that_is_answered_are_not_read() {
        let behind = request("").repeat(500);
        let unread = behind.len() - (2 << 10);
        let head = format!("GET /held/{unread} HTTP/1.1\r\nHost: a\r\n");
        for body in ["\r\n", "Content-Length: 1\r\n\r\nx", "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"] {
            let answers = exchange(format!("{head}{body}{behind}")).await;
            assert!(answers.contains("\r\n\r\nheldHTTP/1.1 200"), "{body:?}");
            assert_eq!(answers.matches("HTTP/1.1 200").count(), 502, "{body:?}");
        }
    }
}
