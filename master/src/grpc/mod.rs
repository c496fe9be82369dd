//! gRPC as an entrance. It has a port of its own, because the HTTP entrance sends no trailers.
//!
//! It belongs here if it translates between calls of gRPC and what the crates do. Messages and services are in the crate `grpc`.

mod body;
mod call;
mod guard;
mod health;
mod incoming;
mod own;
mod pieces;
mod processor;
mod room;

use std::{net::TcpListener, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tonic::transport::Server;
use tonic_reflection::server::Builder as Reflection;
use tributary_admission::Admission;
use tributary_config::Config;
use tributary_engine::Engine;
use tributary_grpc::{
    DESCRIPTORS, processor::csv_processor_server::CsvProcessorServer, tributary_v1::tributary_server::TributaryServer,
};
use tributary_tls::PairInForce;

use self::{guard::Guard, incoming::incoming, own::Own, processor::Processor};
use crate::sales::Streams;

/// Bytes of one stream, and of one connection, that may come before they are asked for.
const STREAM_WINDOW: u32 = 512 << 10;
const CONNECTION_WINDOW: u32 = 2 << 20;
/// Longest frame that a client may send. Each connection may hold one that is not complete.
const MAX_FRAME: u32 = 64 << 10;
/// Streams of one connection at a time.
const MAX_STREAMS_PER_CONNECTION: u32 = 256;
/// Bytes of the headers of a call.
const MAX_HEADER_BYTES: u32 = 16 << 10;
/// Time within which the messages of a call must be there that are needed to answer it.
const HEAD_TIME: Duration = Duration::from_secs(60);
/// Silence after which a client is asked whether it is still there, and the time that it has to say so.
const KEEP_ALIVE: [Duration; 2] = [Duration::from_secs(30), Duration::from_secs(20)];
/// Time that calls have to end in when the master stops.
const STOP_TIME: Duration = Duration::from_secs(2);

/// The entrance before it is served: its port is taken.
pub(crate) struct Entrance(TcpListener);

/// Takes the port; `None` if there is no such entrance.
///
/// # Errors
/// The address cannot be listened on, or would let in everybody.
pub(crate) fn bind(config: &Config) -> Result<Option<Entrance>> {
    let Some(listen) = &config.grpc.listen else { return Ok(None) };
    let listener = tributary_http_common::bind(listen, &config.access).context("--grpc")?;
    listener.set_nonblocking(true).context("failed to use the listener of gRPC")?;
    Ok(Some(Entrance(listener)))
}

impl Entrance {
    /// The same entrance, to be served once more.
    ///
    /// # Errors
    /// The system has no room for it.
    pub(crate) fn copy(&self) -> Result<Self> {
        self.0.try_clone().context("failed to use the listener of gRPC").map(Self)
    }

    /// Serves calls until the engine stops. Without streams no sales are taken.
    ///
    /// # Errors
    /// The listener cannot be used; the server fails.
    pub(crate) async fn serve(
        self,
        (engine, streams): (Engine, Option<Arc<Streams>>),
        config: &Config,
        admission: Admission,
        pair: Option<PairInForce>,
    ) -> Result<()> {
        let shutdown = engine.shutdown().clone();
        let address = self.0.local_addr().context("failed to ask where gRPC listens")?;
        let incoming = incoming(self.0, pair.as_ref())?;
        let processor = Processor::new(streams, config.patience, shutdown.clone());
        let processor = CsvProcessorServer::new(processor);
        let (health, told) = health::service(engine.clone());
        let reflection = || Reflection::configure().register_encoded_file_descriptor_set(DESCRIPTORS);
        let unreadable = "the descriptors of gRPC cannot be read";
        let reflections =
            (reflection().build_v1().context(unreadable)?, reflection().build_v1alpha().context(unreadable)?);
        let server = Server::builder()
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(MAX_FRAME)
            .max_concurrent_streams(MAX_STREAMS_PER_CONNECTION)
            .http2_max_header_list_size(MAX_HEADER_BYTES)
            .timeout(HEAD_TIME)
            .http2_keepalive_interval(Some(KEEP_ALIVE[0]))
            .http2_keepalive_timeout(Some(KEEP_ALIVE[1]))
            .layer(Guard::new(admission, config.grpc.max_message))
            .add_service(health)
            .add_service(reflections.0)
            .add_service(reflections.1)
            .add_service(TributaryServer::new(Own::new(engine.clone(), config)))
            .add_service(processor);
        tracing::info!(%address, "gRPC is on {address}");
        let served = server.serve_with_incoming_shutdown(incoming, shutdown.cancelled());
        tokio::select! {
            () = told => Ok(()),
            served = served => served.context("the server of gRPC failed"),
            () = async { shutdown.cancelled().await; tokio::time::sleep(STOP_TIME).await } => Ok(()),
        }
    }
}
