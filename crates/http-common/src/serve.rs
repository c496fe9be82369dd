//! Builds the HTTP server of both programs: its threads, its limits for clients, and its end of TLS.

use std::{fmt::Debug, net::TcpListener, time::Duration};

use actix_http::Request;
use actix_service::IntoServiceFactory;
use actix_web::{
    Error, HttpServer,
    body::MessageBody,
    dev::{AppConfig, Response, Server, Service, ServiceFactory},
};
use anyhow::Context;
use tributary_tls::PairInForce;

use crate::{STOP_SECONDS, connection::prepare_connection};

/// Threads that answer requests. Files and databases are read on others.
const WORKERS: usize = 2;
/// TLS handshakes of one thread at a time. Above it nobody is let in, so a few clients that never begin would shut out all others.
const MAX_HANDSHAKES: usize = 10_000;
/// Most time of one.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

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
    let server = HttpServer::new(app)
        .workers(WORKERS)
        .on_connect(prepare_connection(patience))
        .client_request_timeout(Duration::ZERO)
        .max_connection_rate(MAX_HANDSHAKES)
        .tls_handshake_timeout(HANDSHAKE_TIME)
        .shutdown_timeout(STOP_SECONDS)
        .disable_signals();
    let server = match pair {
        Some(pair) => server.listen_rustls_0_23(listener, pair.server()?),
        None => server.listen(listener),
    };
    Ok(server.context("failed to use the listener")?.run())
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
