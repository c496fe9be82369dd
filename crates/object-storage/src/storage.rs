//! One place of objects, ready to be asked.

use std::time::Duration;

use http::Method;
use object_store::{ObjectStore, aws::AmazonS3, local::LocalFileSystem, memory::InMemory, path::Path, signer::Signer};
use url::Url;

use crate::{Access, Error, ErrorKind, Location, Server, error::innermost, location::Root, requests::Requests};

/// The time for which a link is good.
const LINK_TIME: Duration = Duration::from_secs(12 * 3_600);

/// The objects below one location. Keys are relative to it: `a/b.csv` of `s3://bucket/prefix` is `prefix/a/b.csv` in the bucket.
#[derive(Debug)]
pub struct ObjectStorage {
    pub(crate) location: Location,
    pub(crate) store: Store,
}

#[derive(Debug)]
pub(crate) enum Store {
    S3 { client: AmazonS3, requests: Requests, is_unsigned: bool, server: Server },
    Folder(LocalFileSystem),
    Memory(InMemory),
}

impl ObjectStorage {
    /// Prepares a location. It asks no server. `user_agent` is such as `tributary-master/0.1.0`.
    ///
    /// # Errors
    /// A variable is missing or cannot be used, or the folder does not exist.
    pub fn open(location: Location, access: &Access, user_agent: &'static str) -> Result<Self, Error> {
        let url = location.to_string();
        let store = match &location.root {
            Root::S3 { bucket } => {
                let trust = access.trust().map_err(|why| Error::setting(&url, why))?;
                let requests =
                    Requests::new(user_agent, &trust).map_err(|why| Error::setting(&url, why.to_string()))?;
                let client = access.client_of(bucket, &url, &requests)?;
                Store::S3 { client, requests, is_unsigned: access.is_unsigned(), server: access.server() }
            }
            Root::Folder(folder) => {
                // A folder is not made: where a disk is not mounted, the objects would go elsewhere.
                let opened = LocalFileSystem::new_with_prefix(folder);
                let opened =
                    opened.map_err(|why| Error::setting(&url, format!("{}; make the folder", innermost(&why))))?;
                Store::Folder(opened.with_fsync(true))
            }
            Root::Memory => Store::Memory(InMemory::new()),
        };
        Ok(Self { location, store })
    }

    /// The location.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The server that has the bucket; `None` where there is no bucket.
    #[must_use]
    pub fn server(&self) -> Option<&Server> {
        match &self.store {
            Store::S3 { server, .. } => Some(server),
            Store::Folder(_) | Store::Memory(_) => None,
        }
    }

    /// Signs a link with which anyone can read one object for 12 hours. `None` where there are no links: in a
    /// folder, in memory, and in a bucket that is read without a signature.
    ///
    /// # Errors
    /// The key cannot be used, or the credentials cannot be fetched.
    pub async fn link(&self, key: &str) -> Result<Option<Url>, Error> {
        let Store::S3 { client, is_unsigned: false, .. } = &self.store else { return Ok(None) };
        let signed = client.signed_url(Method::GET, &self.path(key)?, LINK_TIME).await;
        signed.map(Some).map_err(|why| self.error(key, &why))
    }

    pub(crate) fn store(&self) -> &dyn ObjectStore {
        match &self.store {
            Store::S3 { client, .. } => client,
            Store::Folder(folder) => folder,
            Store::Memory(memory) => memory,
        }
    }

    /// The path in the bucket. A key that would become another one, such as `a/`, cannot be used.
    pub(crate) fn path(&self, key: &str) -> Result<Path, Error> {
        let prefix = &self.location.prefix;
        let whole = if prefix.is_root() { key.to_owned() } else { format!("{prefix}/{key}") };
        match Path::parse(&whole) {
            Ok(path) if path.as_ref() == whole && !key.is_empty() => Ok(path),
            _ => {
                Err(Error::new(&self.location.to_string(), ErrorKind::Other, format!("the key {key:?} cannot be used")))
            }
        }
    }

    pub(crate) fn error(&self, key: &str, error: &object_store::Error) -> Error {
        let unknown = if self.location.is_s3() { ErrorKind::Unavailable } else { ErrorKind::Other };
        Error::of_store(&self.location.url_of(key), unknown, error)
    }
}
