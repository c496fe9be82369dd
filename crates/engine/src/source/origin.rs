//! Where a source's files come from: another program over HTTP, or a folder of this machine. Both are asked the same questions;
//! how a file is read differs, and is `list`'s affair.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use tributary_protocol::{Manifest, Sense};

use super::{LocalSource, client::SourceClient};

/// One source, as it is asked; clones ask the same.
#[derive(Clone)]
pub(crate) enum Origin {
    /// Over HTTP.
    Remote(SourceClient),
    /// In place.
    Local(Arc<LocalSource>),
}

impl Origin {
    /// What it holds now.
    pub(crate) async fn sense(&self) -> Result<Sense> {
        match self {
            Self::Remote(client) => client.sense().await,
            Self::Local(local) => local.sense().await,
        }
    }

    /// What it holds once that differs from `since`, or when `wait` is over.
    pub(crate) async fn sense_change(&self, since: &str, wait: Duration) -> Result<Sense> {
        match self {
            Self::Remote(client) => client.sense_change(since, wait).await,
            Self::Local(local) => local.sense_change(since, wait).await,
        }
    }

    /// Every file that it holds.
    pub(crate) async fn manifest(&self) -> Result<Manifest> {
        match self {
            Self::Remote(client) => client.manifest().await,
            Self::Local(local) => local.manifest().await,
        }
    }
}
