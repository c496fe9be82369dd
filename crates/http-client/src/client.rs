//! Builds the client that all requests of a program share.

use std::time::Duration;

use reqwest::{Client, redirect};
use tributary_tls::Trust;

use crate::Error;

/// Time limit for the connection alone, TLS included.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for which an unused connection is kept. Servers close them too, many after 5 s, and a request that is on its way just then fails.
/// Each takes 38 KiB: a master that starts with thousands of sources asks 800 of them per second.
pub(crate) const POOL_TIMEOUT: Duration = Duration::from_secs(1);
/// Interval of the probes that notice a peer whose machine is gone.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);

/// Settings in which the clients of our programs differ.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Sent as `User-Agent`, such as `tributary-master/0.1.0`.
    pub user_agent: &'static str,
    /// Limit for the time in which nothing of a response arrives; it also covers the wait for the head. `None` for uploads,
    /// which are answered only after their last byte.
    pub idle_timeout: Option<Duration>,
    /// Accept gzip and zstd and unpack them. Use it only where the unpacked length is known in advance: a few packed bytes can
    /// fill a disk.
    pub decompress: bool,
}

impl ClientOptions {
    /// Builds the client. It never follows a redirect: [`expect_ok`](crate::expect_ok) and
    /// [`expect_success`](crate::expect_success) report it as [`Error::Redirected`]. A server must not send us, with our token
    /// and from inside our network, to an address that nobody configured.
    ///
    /// # Errors
    /// The system's root certificates cannot be loaded.
    pub fn build(&self) -> Result<Client, Error> {
        self.build_trusting(&Trust::default())
    }

    /// The same, for a server whose certificate is trusted for other reasons than those of this machine.
    ///
    /// # Errors
    /// The root certificates cannot be loaded.
    pub fn build_trusting(&self, trust: &Trust) -> Result<Client, Error> {
        // Fails only if a provider is installed already, and then that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(self.user_agent)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(POOL_TIMEOUT)
            .tcp_keepalive(KEEPALIVE_INTERVAL)
            // Small requests must not wait for the acknowledgement of the one before.
            .tcp_nodelay(true)
            .redirect(redirect::Policy::none());
        if let Some(limit) = self.idle_timeout {
            builder = builder.read_timeout(limit);
        }
        if !self.decompress {
            builder = builder.no_gzip().no_zstd();
        }
        if !trust.is_default() {
            builder = builder.tls_backend_preconfigured(trust.client().map_err(Error::Roots)?);
        }
        builder.build().map_err(Error::Client)
    }
}
