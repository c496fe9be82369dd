//! The origin of a source's files: another program over HTTP, or a folder of this machine. Both answer the same questions.
//! Files are read in different ways, which is up to the caller.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use tributary_protocol::{Manifest, Sense};

use super::{LocalSource, client::SourceClient};

/// The origin of one source; clones share it. There are only these two, and they are read in different ways, so this is no trait.
#[derive(Clone)]
pub(crate) enum Origin {
    /// Over HTTP.
    Remote(SourceClient),
    /// In place.
    Local(Arc<LocalSource>),
}

impl Origin {
    /// Asks for the current version.
    pub(crate) async fn sense(&self) -> Result<Sense> {
        match self {
            Self::Remote(client) => client.sense().await,
            Self::Local(local) => local.sense().await,
        }
    }

    /// Waits until the version differs from `since`, at most for `wait`, and returns it.
    pub(crate) async fn sense_change(&self, since: &str, wait: Duration) -> Result<Sense> {
        match self {
            Self::Remote(client) => client.sense_change(since, wait).await,
            Self::Local(local) => local.sense_change(since, wait).await,
        }
    }

    /// Lists every file.
    pub(crate) async fn manifest(&self) -> Result<Manifest> {
        match self {
            Self::Remote(client) => client.manifest().await,
            Self::Local(local) => local.manifest().await,
        }
    }
}
