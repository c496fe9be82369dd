//! Connections as they come, with TLS or without.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use anyhow::Context as _;
use futures_util::{Stream, StreamExt, stream};
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{Sleep, sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tonic::transport::server::Connected;
use tributary_tls::PairInForce;

/// Connections at a time; the system keeps others waiting.
const MAX_CONNECTIONS: usize = 1_000;
/// The most time of a TLS handshake, and the time within which a client has to send the greeting of HTTP/2.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// Bytes of that greeting.
const GREETING_BYTES: usize = 24;
/// Wait after the system refused to give a connection: it has no descriptors left.
const REFUSED_WAIT: Duration = Duration::from_millis(100);
/// Time after which the system gives up a client that takes nothing.
#[cfg(target_os = "linux")]
const ABANDONED: Duration = Duration::from_secs(120);

/// One connection.
pub(super) struct Connection {
    link: Link,
    /// The time for the greeting, and the bytes that it lacks. None once it is there: from then on the library asks who is silent.
    greeting: Option<(Pin<Box<Sleep>>, usize)>,
    _place: OwnedSemaphorePermit,
}

enum Link {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

/// The two ends of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub(super) local: Option<SocketAddr>,
    pub(super) peer: Option<SocketAddr>,
}

/// The connections to `listener`.
///
/// # Errors
/// The listener or the certificate cannot be used.
pub(super) fn incoming(
    listener: std::net::TcpListener,
    pair: Option<&PairInForce>,
) -> anyhow::Result<impl Stream<Item = io::Result<Connection>> + use<>> {
    let listener = TcpListener::from_std(listener).context("failed to use the listener of gRPC")?;
    let acceptor = pair.map(PairInForce::server).transpose()?.map(|mut settings| {
        settings.alpn_protocols = vec![b"h2".to_vec()];
        TlsAcceptor::from(Arc::new(settings))
    });
    let (sender, mut receiver) = mpsc::channel(1);
    tokio::spawn(accept(listener, acceptor, sender));
    Ok(stream::poll_fn(move |cx| receiver.poll_recv(cx)).map(Ok))
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, sender: mpsc::Sender<Connection>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let tcp = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((tcp, _)) => tcp,
                Err(error) => {
                    tracing::debug!(%error, "failed to accept a connection of gRPC: {error}");
                    sleep(REFUSED_WAIT).await;
                    continue;
                }
            },
            () = sender.closed() => return,
        };
        prepare(&tcp);
        let Some(acceptor) = acceptor.clone() else {
            let _ = sender.send(Connection::new(Link::Plain(tcp), place)).await;
            continue;
        };
        let sender = sender.clone();
        tokio::spawn(async move {
            match timeout(HANDSHAKE_TIME, acceptor.accept(tcp)).await {
                Ok(Ok(tls)) => drop(sender.send(Connection::new(Link::Encrypted(Box::new(tls)), place)).await),
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed: {error}"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            }
        });
    }
}

fn prepare(tcp: &TcpStream) {
    // A connection that refuses these is only slower, or lasts longer.
    let _ = tcp.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = SockRef::from(tcp).set_tcp_user_timeout(Some(ABANDONED));
}

impl Connection {
    fn new(link: Link, place: OwnedSemaphorePermit) -> Self {
        Self { link, greeting: Some((Box::pin(sleep(HANDSHAKE_TIME)), GREETING_BYTES)), _place: place }
    }

    fn tcp(&self) -> &TcpStream {
        match &self.link {
            Link::Plain(tcp) => tcp,
            Link::Encrypted(tls) => tls.get_ref().0,
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = Ends;

    fn connect_info(&self) -> Ends {
        Ends { local: self.tcp().local_addr().ok(), peer: self.tcp().peer_addr().ok() }
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (Self { link, greeting, .. }, before) = (self.get_mut(), buffer.filled().len());
        if greeting.as_mut().is_some_and(|(time, _)| time.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let read = match link {
            Link::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Link::Encrypted(tls) => Pin::new(tls).poll_read(cx, buffer),
        };
        let came = buffer.filled().len() - before;
        *greeting =
            greeting.take().and_then(|(time, left)| Some((time, left.checked_sub(came).filter(|left| *left > 0)?)));
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().link {
            Link::Plain(tcp) => Pin::new(tcp).poll_write(cx, data),
            Link::Encrypted(tls) => Pin::new(tls).poll_write(cx, data),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().link {
            Link::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, data),
            Link::Encrypted(tls) => Pin::new(tls).poll_write_vectored(cx, data),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.link {
            Link::Plain(tcp) => tcp.is_write_vectored(),
            Link::Encrypted(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().link {
            Link::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Link::Encrypted(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().link {
            Link::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Link::Encrypted(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
