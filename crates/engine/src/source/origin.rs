//! The origin of a source's files: another program over HTTP, the objects of a bucket, or the documents of this master. All answer the same
//! questions. Files are read in different ways, which is up to the caller.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, anyhow};
use tributary_budget::Share;
use tributary_protocol::{CompactManifest, ManifestEntry, Sense};

use super::{
    bucket::BucketClient,
    client::SourceClient,
    fetch::FetchError,
    spool::{NewBody, SpooledBody},
};
use crate::documents::Documents;

/// The origin of one source; clones share it. There are only these three, and they are read in different ways, so this is no trait.
#[derive(Clone)]
pub(crate) enum Origin {
    /// Over HTTP.
    Remote(Box<SourceClient>),
    /// Objects in S3.
    Bucket(BucketClient),
    /// Documents, read in place.
    Documents(Documents),
}

impl Origin {
    /// Asks for the current version.
    pub(crate) async fn sense(&self) -> Result<Sense> {
        match self {
            Self::Remote(client) => client.sense().await,
            // The list, which is asked for next, tells all.
            Self::Bucket(_) => Ok(BucketClient::unasked()),
            Self::Documents(documents) => Ok(documents.sense()),
        }
    }

    /// Waits until the version differs from `since`, at most for `wait`, and returns it. A bucket does not wait.
    pub(crate) async fn sense_change(&self, since: &str, wait: Duration) -> Result<Sense> {
        match self {
            Self::Remote(client) => client.sense_change(since, wait).await,
            Self::Bucket(client) => client.sense().await,
            Self::Documents(documents) => Ok(documents.sense_change(since, wait).await),
        }
    }

    /// Waits until files that have changed under a pass may be listed again.
    pub(crate) async fn settle(&self, since: &str, wait: Duration) -> Result<()> {
        match self {
            Self::Bucket(_) => tokio::time::sleep(wait).await,
            _ => drop(self.sense_change(since, wait).await?),
        }
        Ok(())
    }

    /// Whether it may hold its answer until there is news.
    pub(crate) fn may_hold(&self) -> bool {
        !matches!(self, Self::Bucket(_))
    }

    /// Whether its version changes with the times of its files, too.
    pub(crate) fn versions_times(&self) -> bool {
        matches!(self, Self::Bucket(_))
    }

    /// Lists every file, or only what has changed since a version if the origin knows it.
    pub(crate) async fn manifest(&self, since: Option<&str>) -> Result<(CompactManifest, Option<Share>)> {
        let (manifest, share) = match self {
            Self::Remote(client) => client.manifest(since).await?,
            Self::Bucket(client) => client.manifest().await?,
            Self::Documents(documents) => return Ok((documents.list(since), None)),
        };
        Ok((manifest, Some(share)))
    }

    /// Fetches a file with exactly the content that is listed.
    pub(crate) async fn fetch(
        &self,
        entry: &ManifestEntry,
        new: NewBody,
        arrived: impl Fn(u64),
    ) -> Result<SpooledBody, FetchError> {
        match self {
            Self::Remote(client) => client.fetch(entry, new, arrived).await,
            Self::Bucket(client) => client.fetch(entry, new, arrived).await,
            Self::Documents(_) => Err(FetchError::Failed(anyhow!("documents are read in place"))),
        }
    }

    /// Shares a body, and keeps it for so many other readers if it was fetched from a bucket.
    pub(crate) fn keep(&self, entry: &ManifestEntry, body: SpooledBody, readers: usize) -> Arc<SpooledBody> {
        match self {
            Self::Bucket(client) => client.keep(entry, body, readers),
            _ => Arc::new(body),
        }
    }

    /// The bucket, if it is the origin.
    pub(crate) fn bucket(&self) -> Option<&BucketClient> {
        match self {
            Self::Bucket(client) => Some(client),
            _ => None,
        }
    }

    /// The documents, if they are the origin.
    pub(crate) fn documents(&self) -> Option<&Documents> {
        match self {
            Self::Documents(documents) => Some(documents),
            _ => None,
        }
    }
}
