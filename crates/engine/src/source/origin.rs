//! The origin of a source's files: another program over HTTP, or the documents of this master. Both answer the same questions.
//! Files are read in different ways, which is up to the caller.

use std::time::Duration;

use anyhow::Result;
use tributary_budget::Share;
use tributary_protocol::{CompactManifest, Sense};

use super::client::SourceClient;
use crate::documents::Documents;

/// The origin of one source; clones share it. There are only these two, and they are read in different ways, so this is no trait.
#[derive(Clone)]
pub(crate) enum Origin {
    /// Over HTTP.
    Remote(SourceClient),
    /// Documents, read in place.
    Documents(Documents),
}

impl Origin {
    /// Asks for the current version.
    pub(crate) async fn sense(&self) -> Result<Sense> {
        match self {
            Self::Remote(client) => client.sense().await,
            Self::Documents(documents) => Ok(documents.sense()),
        }
    }

    /// Waits until the version differs from `since`, at most for `wait`, and returns it.
    pub(crate) async fn sense_change(&self, since: &str, wait: Duration) -> Result<Sense> {
        match self {
            Self::Remote(client) => client.sense_change(since, wait).await,
            Self::Documents(documents) => Ok(documents.sense_change(since, wait).await),
        }
    }

    /// Lists every file, or only what has changed since a version if the origin knows it.
    pub(crate) async fn manifest(&self, since: Option<&str>) -> Result<(CompactManifest, Option<Share>)> {
        match self {
            Self::Remote(client) => client.manifest(since).await.map(|(manifest, share)| (manifest, Some(share))),
            Self::Documents(documents) => Ok((documents.list(since), None)),
        }
    }

    /// The documents, if they are the origin.
    pub(crate) fn documents(&self) -> Option<&Documents> {
        match self {
            Self::Remote(_) => None,
            Self::Documents(documents) => Some(documents),
        }
    }
}
