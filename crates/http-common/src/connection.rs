//! Settings of an accepted connection.

use std::{any::Any, net::SocketAddr};

use actix_web::{dev::Extensions, rt::net::TcpStream};

/// The server's own end of a connection. Where a server listens on every address, this is the one that the client asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LocalAddress(pub(crate) SocketAddr);

/// Prepares a connection: remembers at which address it arrived. Pass this to `HttpServer::on_connect`.
pub fn prepare_connection(connection: &dyn Any, data: &mut Extensions) {
    let Some(tcp) = connection.downcast_ref::<TcpStream>() else { return };
    if let Ok(address) = tcp.local_addr() {
        data.insert(LocalAddress(address));
    }
}
