//! Replaces one object as a whole.

use std::{fs::File, os::unix::fs::FileExt, sync::Arc};

use bytes::Bytes;
use object_store::{
    Attribute, Attributes, MultipartUpload, ObjectStoreExt, PutMultipartOptions, PutOptions, path::Path,
};

use crate::{Error, ErrorKind, ObjectStorage, storage::Store};

/// Bytes that are sent with one request, and held in memory. S3 wants 5 MiB or more.
pub const PART_BYTES: u64 = 8 << 20;
/// S3 takes no more parts of one object.
const MAX_PARTS: u64 = 10_000;

impl ObjectStorage {
    /// Replaces an object by the content of a file, or makes it. Readers see the old one until the new one is complete: one request, or
    /// several and one that switches; in a folder a new file that is synced and renamed. One part of it is held in memory.
    ///
    /// # Errors
    /// The file cannot be read, or the server does not take it. Then the old object is as it was.
    pub async fn replace(&self, key: &str, content: File, content_type: &'static str) -> Result<(), Error> {
        let path = self.path(key)?;
        let of_file = |why: std::io::Error| {
            Error::new(&self.location.url_of(key), ErrorKind::Other, format!("failed to read what to write: {why}"))
        };
        let size = content.metadata().map_err(of_file)?.len();
        let content = Parts { file: Arc::new(content), size, part: PART_BYTES.max(size.div_ceil(MAX_PARTS)) };
        if size <= content.part {
            let whole = content.read(0).await.map_err(of_file)?;
            let options = PutOptions { attributes: self.attributes(content_type), ..PutOptions::default() };
            let put = self.store().put_opts(&path, whole.into(), options).await;
            return put.map(|_| ()).map_err(|why| self.error(key, &why));
        }
        let mut upload = self.begin(&path, content_type).await.map_err(|why| self.error(key, &why))?;
        for at in (0..size).step_by(content.part as usize) {
            let sent = match content.read(at).await {
                Ok(part) => upload.put_part(part.into()).await.map_err(|why| self.error(key, &why)),
                Err(why) => Err(of_file(why)),
            };
            if let Err(error) = sent {
                // Parts that stay cost money until a rule of the bucket deletes them. If this fails too, they stay.
                let _ = upload.abort().await;
                return Err(error);
            }
        }
        upload.complete().await.map(|_| ()).map_err(|why| self.error(key, &why))
    }

    /// Deletes an object. One that does not exist is fine.
    ///
    /// # Errors
    /// The server does not do it.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        match self.store().delete(&self.path(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(why) => Err(self.error(key, &why)),
        }
    }

    async fn begin(&self, path: &Path, content_type: &'static str) -> object_store::Result<Box<dyn MultipartUpload>> {
        let options =
            PutMultipartOptions { attributes: self.attributes(content_type), ..PutMultipartOptions::default() };
        self.store().put_multipart_opts(path, options).await
    }

    /// A folder has no room for them.
    fn attributes(&self, content_type: &'static str) -> Attributes {
        let mut attributes = Attributes::new();
        if !matches!(self.store, Store::Folder(_)) {
            attributes.insert(Attribute::ContentType, content_type.into());
        }
        attributes
    }
}

/// A file that is read in parts.
struct Parts {
    file: Arc<File>,
    size: u64,
    part: u64,
}

impl Parts {
    async fn read(&self, at: u64) -> std::io::Result<Bytes> {
        let length = (self.size - at).min(self.part) as usize;
        let file = Arc::clone(&self.file);
        let read = tokio::task::spawn_blocking(move || {
            let mut part = vec![0; length];
            file.read_exact_at(&mut part, at)?;
            Ok(part.into())
        });
        read.await.map_err(std::io::Error::other)?
    }
}
