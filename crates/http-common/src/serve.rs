//! Builds the HTTP server of both programs: its threads, its limits for clients, and its end of TLS.

use std::{
    fmt::Debug,
    future::ready,
    net::{SocketAddr, TcpListener},
    rc::Rc,
    time::Duration,
};

use actix_http::{HttpService, KeepAlive, Request, error::DispatchError};
use actix_service::{IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_tls::accept::{
    TlsError, max_concurrent_tls_connect,
    rustls_0_23::{Acceptor, TlsStream},
};
use actix_web::{
    Error,
    body::MessageBody,
    dev::{AppConfig, Response, Server, ServerHandle},
    rt::net::TcpStream,
};
use anyhow::Context;
use tokio::io::{AsyncRead, AsyncWrite};
use tributary_tls::PairInForce;

use crate::{STOP_SECONDS, connection::Connection, stream::Stream};

/// Threads that answer requests. Files and databases are read on others.
const WORKERS: usize = 2;
/// TLS handshakes of one thread at a time. Above it nobody is let in, so a few clients that never begin would shut out all others.
const MAX_HANDSHAKES: usize = 10_000;
/// Most time of one.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// Time in which a client must take what is left for it when a connection ends.
const END_TIME: Duration = Duration::from_secs(1);

/// A connection that the library serves, and its client's address.
type Accepted<T> = (Stream<T>, Option<SocketAddr>);

/// Starts to serve what `app` builds. Clients that are slower than the least speed over `patience` are let go.
///
/// # Errors
/// The listener or the certificate cannot be used.
pub fn serve<F, I, S, B>(
    app: F,
    listener: TcpListener,
    pair: Option<&PairInForce>,
    patience: Duration,
) -> anyhow::Result<Server>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error> + 'static,
    S::InitError: Debug,
    S::Response: Into<Response<B>> + 'static,
    S::Service: 'static,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    max_concurrent_tls_connect(MAX_HANDSHAKES);
    let server = Server::build().workers(WORKERS).shutdown_timeout(STOP_SECONDS).disable_signals();
    let stopping = server.graceful_shutdown_signal();
    let stopping = move || {
        let stopping = stopping.clone();
        async move { stopping.notified().await }
    };
    let accept = move |tcp: &TcpStream| (Connection::open(tcp, patience), tcp.peer_addr().ok());
    let server = match pair {
        None => server.listen("http", listener, move || {
            let accept = move |tcp: TcpStream| {
                let (connection, peer) = accept(&tcp);
                ready(Ok((Stream::new(tcp, connection), peer)))
            };
            fn_service(accept).and_then(http(app(), stopping.clone()))
        }),
        Some(pair) => {
            let mut config = pair.server()?;
            config.alpn_protocols.insert(0, b"http/1.1".to_vec());
            server.listen("https", listener, move || {
                let accept = move |tls: TlsStream<TcpStream>| {
                    let (connection, peer) = accept(tls.get_ref().0);
                    ready(Ok((Stream::new(tls, connection), peer)))
                };
                let mut acceptor = Acceptor::new(config.clone());
                acceptor.set_handshake_timeout(HANDSHAKE_TIME);
                let acceptor = acceptor.map_err(TlsError::into_service_error).and_then(accept);
                acceptor.and_then(http(app(), stopping.clone()).map_err(TlsError::Service))
            })
        }
    };
    Ok(server.context("failed to use the listener")?.run())
}

/// Speaks HTTP over connections that were accepted.
fn http<T, I, S, B, E>(
    app: I,
    stopping: impl Fn() -> E + 'static,
) -> impl ServiceFactory<Accepted<T>, Config = (), Response = (), Error = DispatchError, InitError = ()>
where
    T: AsyncRead + AsyncWrite + Unpin + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error> + 'static,
    S::InitError: Debug,
    S::Response: Into<Response<B>> + 'static,
    S::Service: 'static,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
    E: Future<Output = ()> + 'static,
{
    let app = app.into_factory().map_err(|error: S::Error| error.into().error_response());
    HttpService::build()
        // Both are up to us: its times do not ask whether a client still takes its answer.
        .client_request_timeout(Duration::ZERO)
        .keep_alive(KeepAlive::Os)
        .client_disconnect_timeout(END_TIME)
        .graceful_shutdown_signal(stopping)
        .on_connect_ext(|stream: &Stream<T>, data| {
            data.insert(Rc::clone(stream.connection()));
        })
        .h1(map_config(app, |()| AppConfig::default()))
}

/// Stops a server, once the transfers under way have ended or have had a few seconds.
pub async fn stop(server: &ServerHandle) {
    // Else it takes connections that none of its workers is there for any more: they are cut, and logged as an error. Now they wait for the
    // next server of the same listener, such as that of a standby which takes over.
    server.pause().await;
    server.stop(true).await;
}

#[cfg(test)]
mod tests {
    use std::{
        io::{ErrorKind, Read, Write},
        net::TcpStream,
        sync::Arc,
    };

    use actix_web::{App, web};
    use tributary_tls::{TlsFiles, Trust};

    use super::*;

    /// With the library's limit, 256 of them for each thread shut everybody out.
    #[actix_web::test]
    async fn handshakes_that_never_begin_shut_nobody_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| Some(folder.path().join(name));
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(path("c").unwrap(), made.cert.pem()).unwrap();
        std::fs::write(path("k").unwrap(), made.signing_key.serialize_pem()).unwrap();
        let pair = PairInForce::read(&TlsFiles { tls_cert: path("c"), tls_key: path("k") }).unwrap().unwrap();
        let trust = Trust::pinned(pair.pin().unwrap()).client().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let app = || App::new().route("/", web::get().to(async || "here"));
        let server = serve(app, listener, Some(&pair), Duration::from_secs(30)).unwrap();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let ask = move || {
            let silent: Vec<_> = (0..600).map(|_| TcpStream::connect(address).unwrap()).collect();
            let name = "localhost".try_into().unwrap();
            let mut tls = tokio_rustls::rustls::ClientConnection::new(Arc::new(trust), name).unwrap();
            let mut tcp = TcpStream::connect(address).unwrap();
            let mut stream = tokio_rustls::rustls::Stream::new(&mut tls, &mut tcp);
            stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            let is_open = |client: &TcpStream| {
                client.set_nonblocking(true).unwrap();
                client.peek(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
            };
            (answer, silent.iter().all(is_open))
        };
        let (answer, did_not_wait) = actix_web::rt::task::spawn_blocking(ask).await.unwrap();
        assert!(answer.ends_with("here") && did_not_wait, "{answer}");
        handle.stop(false).await;
    }
}
