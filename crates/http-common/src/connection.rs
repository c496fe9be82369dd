//! Settings of an accepted connection.

use std::{any::Any, net::SocketAddr};

use actix_web::{dev::Extensions, rt::net::TcpStream};

/// The server's own end of a connection. Where a server listens on every address, this is the one that the client asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LocalAddress(pub(crate) SocketAddr);

/// Time after which a connection whose client takes nothing is cut off by the system. Without it one that stands still for ever
/// would hold its buffers for ever.
#[cfg(target_os = "linux")]
const MAX_UNTAKEN_MILLIS: u32 = 120_000;

/// Prepares a connection: remembers at which address it arrived, sends small pieces at once, and is cut off if its client takes nothing.
/// Pass this to `HttpServer::on_connect`.
pub fn prepare_connection(connection: &dyn Any, data: &mut Extensions) {
    let Some(tcp) = connection.downcast_ref::<TcpStream>() else { return };
    // A streamed response is written in several pieces. With Nagle's algorithm the last one waits for the client's delayed
    // acknowledgement, 40 ms per small file: a master needed 13 s to load 2,000 one-row files, and 0.6 s with this option.
    // A connection that refuses it is only slower.
    let _ = tcp.set_nodelay(true);
    limit_silence(tcp);
    if let Ok(address) = tcp.local_addr() {
        data.insert(LocalAddress(address));
    }
}

#[cfg(target_os = "linux")]
fn limit_silence(tcp: &TcpStream) {
    // A connection that refuses it only lasts longer.
    let _ = rustix::net::sockopt::set_tcp_user_timeout(tcp, MAX_UNTAKEN_MILLIS);
}

#[cfg(not(target_os = "linux"))]
fn limit_silence(_: &TcpStream) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_knows_its_address_and_does_not_wait() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (_client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (connection, _) = accepted.unwrap();
        assert!(!connection.nodelay().unwrap(), "else this tests nothing");
        let mut data = Extensions::new();
        prepare_connection(&connection, &mut data);
        assert!(connection.nodelay().unwrap());
        #[cfg(target_os = "linux")]
        assert_eq!(rustix::net::sockopt::tcp_user_timeout(&connection).unwrap(), 120_000);
        assert_eq!(data.get::<LocalAddress>().map(|local| local.0), Some(address));
    }
}
