//! The ports of a master, and whom it lets in. They are taken once: a master that takes over goes on where it has listened before.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use tributary_admission::Admission;
use tributary_config::Config;
use tributary_object_storage::ObjectStorage;
use tributary_tls::PairInForce;

use crate::{amqp, exports, grpc, http};

/// Listeners of the entrances, and whom they let in.
pub(super) struct Doors {
    pub(super) admission: Admission,
    pub(super) pair: Option<PairInForce>,
    pub(super) address: SocketAddr,
    listener: TcpListener,
    grpc: Option<grpc::Entrance>,
    gateway: Option<TcpListener>,
    /// The place that results are written to.
    pub(super) storage: Option<Arc<ObjectStorage>>,
}

/// The listeners for one term: the ports stay taken when they are dropped.
pub(super) struct Listeners {
    pub(super) http: TcpListener,
    pub(super) grpc: Option<grpc::Entrance>,
    pub(super) gateway: Option<TcpListener>,
}

impl Doors {
    /// Takes all ports, and finds what else cannot be used. One that only reads has no gateway and writes no results.
    ///
    /// # Errors
    /// A port, the certificate, the tokens, the broker or the place of results cannot be used.
    pub(super) fn open(config: &Config, listener: TcpListener, read_only: bool) -> Result<Self> {
        let pair = PairInForce::read(&config.tls)?;
        let admission = admission(config, pair.is_some())?;
        amqp::broker(&config.amqp)?;
        Ok(Self {
            admission,
            pair,
            address: listener.local_addr().context("failed to ask where the server listens")?,
            listener,
            grpc: grpc::bind(config)?,
            gateway: if read_only { None } else { http::gateway::bind(config)? },
            storage: if read_only { None } else { exports::open(&config.results)? },
        })
    }

    /// The listeners for one term.
    ///
    /// # Errors
    /// The system has no room for more of them.
    pub(super) fn listeners(&self) -> Result<Listeners> {
        let copy = |listener: &TcpListener| listener.try_clone().context("failed to use a listener");
        Ok(Listeners {
            http: copy(&self.listener)?,
            grpc: self.grpc.as_ref().map(grpc::Entrance::copy).transpose()?,
            gateway: self.gateway.as_ref().map(copy).transpose()?,
        })
    }
}

fn admission(config: &Config, is_encrypted: bool) -> Result<Admission> {
    let admission = Admission::new(config.access.tokens()?, config.allowed_hosts.clone());
    let listens = [Some(&config.listen), config.grpc.listen.as_ref(), config.sales_gateway.listen.as_ref()];
    let admission = listens.into_iter().flatten().fold(admission, |admission, listen| admission.listening_on(listen));
    Ok(if is_encrypted { admission.over_https() } else { admission })
}
