//! The socket to a broker: TCP, with TLS above it for `amqps://`.
//!
//! It belongs here because the client library, built without its own TLS, speaks plain TCP to an `amqps://` address, password included.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use async_rs::{Runtime, Tokio, traits::Reactor, util::RuntimeParts};
use futures_util::{AsyncRead, AsyncWrite, Stream};
use lapin::{
    tcp::AsyncTcpStream,
    uri::{AMQPScheme, AMQPUri},
};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

use tributary_tls::Trust;

/// A connection to read from and to write to, encrypted or not.
pub(crate) trait Duplex: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}

impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Duplex for T {}

/// A socket as the client library reads and writes it.
pub(crate) type Socket = Compat<Box<dyn Duplex>>;

/// Tokio, but with our sockets.
pub(crate) type Kit = RuntimeParts<Tokio, Sockets>;

/// The runtime of a connection.
pub(crate) fn runtime() -> Runtime<Kit> {
    Runtime::new(RuntimeParts::new(Tokio::current(), Sockets(Tokio::current())))
}

/// Connects to the host of an address. With `amqps://` what it returns is encrypted, and the broker has proved who it is.
///
/// # Errors
/// The host cannot be reached; its certificate is not trusted, which is a [`rustls::Error`].
pub(crate) async fn connect(uri: &AMQPUri, trust: &Trust) -> io::Result<AsyncTcpStream<Socket>> {
    let host = uri.authority.host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((host, uri.authority.port)).await?;
    stream.set_nodelay(true)?;
    let stream: Box<dyn Duplex> = match uri.scheme {
        AMQPScheme::AMQP => Box::new(stream),
        AMQPScheme::AMQPS => Box::new(encrypt(trust, host, stream).await?),
    };
    Ok(AsyncTcpStream::Plain(stream.compat()))
}

/// Encrypts a connection, once the certificate of its other end is trusted.
async fn encrypt(trust: &Trust, host: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(Arc::new(trust.client().map_err(io::Error::other)?)).connect(name, stream).await
}

/// The part of a runtime that knows sockets and time.
#[derive(Debug, Clone)]
pub(crate) struct Sockets(Tokio);

impl Reactor for Sockets {
    type TcpStream = Socket;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: io::Read + io::Write + Send + 'static>(
        &self,
        _: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        Err::<Socket, _>(io::Error::from(io::ErrorKind::Unsupported))
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = std::time::Instant> + Send + 'static {
        self.0.interval(duration)
    }

    /// Not used: [`connect`] knows the scheme, and this does not.
    fn tcp_connect_addr(&self, _: SocketAddr) -> impl Future<Output = io::Result<Socket>> + Send + 'static {
        std::future::ready(Err(io::Error::from(io::ErrorKind::Unsupported)))
    }
}
