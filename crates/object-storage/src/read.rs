//! Reads one object, or a part of it.

use std::ops::Range;

use bytes::Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use object_store::{GetOptions, ObjectStoreExt};

use crate::{Error, ObjectStorage};

/// The signs that tell one content of an object from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Bytes.
    pub size: u64,
    /// The `ETag`, as it is sent: with quotes.
    pub etag: Option<String>,
    /// When it was written, as RFC 3339. S3 counts seconds.
    pub modified: String,
}

/// An object whose bytes arrive.
pub struct Body {
    /// Bytes of the whole object, also if only a part was asked for.
    pub size: u64,
    /// Its `ETag`, as it is sent: with quotes.
    pub etag: Option<String>,
    url: String,
    pieces: BoxStream<'static, object_store::Result<Bytes>>,
}

impl ObjectStorage {
    /// Begins to read an object: all of it, or a range of its bytes. With an `ETag` (as [`Object::etag`](crate::Object::etag) has it) only
    /// that content is read; another one is the error [`Changed`](crate::ErrorKind::Changed).
    ///
    /// # Errors
    /// There is no such object, it has changed, or the server does not answer so.
    pub async fn read(&self, key: &str, range: Option<Range<u64>>, etag: Option<&str>) -> Result<Body, Error> {
        let options =
            GetOptions { range: range.map(Into::into), if_match: etag.map(str::to_owned), ..GetOptions::default() };
        let answered = self.store().get_opts(&self.path(key)?, options).await;
        let result = answered.map_err(|why| self.error(key, &why))?;
        let (size, etag) = (result.meta.size, result.meta.e_tag.clone());
        Ok(Body { size, etag, url: self.location.url_of(key), pieces: result.into_stream() })
    }

    /// Asks which content an object has, without reading it.
    ///
    /// # Errors
    /// There is no such object, or the server does not answer so.
    pub async fn head(&self, key: &str) -> Result<Head, Error> {
        let meta = self.store().head(&self.path(key)?).await.map_err(|why| self.error(key, &why))?;
        Ok(Head { size: meta.size, etag: meta.e_tag, modified: meta.last_modified.to_rfc3339() })
    }
}

impl Body {
    /// Waits for the next bytes; `None` at the end. An object that ends too early is an error.
    ///
    /// # Errors
    /// The connection broke, and asking for the rest did not help.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let piece = self.pieces.next().await.transpose();
        piece.map_err(|why| Error::of_store(&self.url, crate::ErrorKind::Unavailable, &why))
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("url", &self.url).field("size", &self.size).finish_non_exhaustive()
    }
}
