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
    sync::{Semaphore, mpsc},
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tonic::transport::server::Connected;
use tributary_tls::PairInForce;

/// TLS handshakes at a time, and the most time of one.
const MAX_HANDSHAKES: usize = 1_000;
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// Wait after the system refused to give a connection: it has no descriptors left.
const REFUSED_WAIT: Duration = Duration::from_millis(100);
/// Time after which the system gives up a client that takes nothing.
#[cfg(target_os = "linux")]
const ABANDONED: Duration = Duration::from_secs(120);

/// One connection.
pub(super) enum Connection {
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
    let places = Arc::new(Semaphore::new(MAX_HANDSHAKES));
    loop {
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
            let _ = sender.send(Connection::Plain(tcp)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let sender = sender.clone();
        tokio::spawn(async move {
            let _place = place;
            match timeout(HANDSHAKE_TIME, acceptor.accept(tcp)).await {
                Ok(Ok(tls)) => drop(sender.send(Connection::Encrypted(Box::new(tls))).await),
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
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Encrypted(tls) => tls.get_ref().0,
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
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Self::Encrypted(tls) => Pin::new(tls).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, data),
            Self::Encrypted(tls) => Pin::new(tls).poll_write(cx, data),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, data),
            Self::Encrypted(tls) => Pin::new(tls).poll_write_vectored(cx, data),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(tcp) => tcp.is_write_vectored(),
            Self::Encrypted(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Encrypted(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Encrypted(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
