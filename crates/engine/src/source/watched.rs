//! Objects that other programs read from the bucket by themselves. They compare no `ETag`, and one scan is many requests, so the contents are
//! compared here: before those programs begin, and after they have ended.

use std::collections::HashMap;

use futures_util::{StreamExt, stream};
use tributary_object_storage::{Head, Server};
use tributary_protocol::{ManifestEntry, encoded_path};

use super::{bucket::BucketClient, fetch::FetchError, objects::etag_of};

/// Objects that a server is asked about at a time.
const MAX_CONCURRENT_HEADS: usize = 8;

/// Objects with the contents that they had before other programs began to read them.
pub(crate) struct WatchedObjects {
    client: BucketClient,
    server: Server,
    before: Vec<(ManifestEntry, Head)>,
}

impl BucketClient {
    /// Notes what the objects are now. Those that do not have the content that was listed are left out; the reasons are by path.
    ///
    /// # Errors
    /// The bucket cannot be used at all.
    pub(crate) async fn watch_objects(
        &self,
        entries: Vec<ManifestEntry>,
    ) -> Result<(WatchedObjects, HashMap<String, String>), FetchError> {
        let server = self.storage().await?.server().cloned().unwrap_or_default();
        let (mut before, mut left_out) = (Vec::new(), HashMap::new());
        let mut heads = stream::iter(entries).map(|entry| self.head_of(entry)).buffered(MAX_CONCURRENT_HEADS);
        while let Some((entry, head)) = heads.next().await {
            match head {
                Ok(head) if is_listed(&head, &entry) => before.push((entry, head)),
                Ok(_) => drop(left_out.insert(entry.path, "the object was replaced after it was listed".to_owned())),
                Err(why) => drop(left_out.insert(entry.path, why)),
            }
        }
        drop(heads);
        Ok((WatchedObjects { client: self.clone(), server, before }, left_out))
    }

    async fn head_of(&self, entry: ManifestEntry) -> (ManifestEntry, Result<Head, String>) {
        let asked = match self.storage().await {
            Ok(storage) => storage.head(&entry.path).await.map_err(|error| error.to_string()),
            Err(error) => Err(format!("{error:#}")),
        };
        (entry, asked)
    }
}

fn is_listed(head: &Head, entry: &ManifestEntry) -> bool {
    let (etag, _) = etag_of(&entry.hash);
    head.size == entry.size && head.etag.as_deref().is_some_and(|found| found.trim_matches('"') == etag)
}

impl WatchedObjects {
    /// The URL of an object for a program that has credentials of its own.
    pub(crate) fn url(&self, entry: &ManifestEntry) -> String {
        let url = self.client.location().url_of(&entry.path);
        format!("s3://{}", encoded_path(url.strip_prefix("s3://").unwrap_or(&url)))
    }

    /// Options of a session that name the server. Without them executors might read a bucket of the same name elsewhere.
    pub(crate) fn options(&self) -> Vec<(&'static str, String)> {
        let Server { endpoint, region } = &self.server;
        let is_http = endpoint.as_ref().is_some_and(|url| url.starts_with("http://"));
        let allow_http = is_http.then(|| ("s3.allow_http", "true".to_owned()));
        let endpoint = endpoint.clone().map(|url| ("s3.endpoint", url));
        let region = region.clone().map(|region| ("s3.region", region));
        [allow_http, endpoint, region].into_iter().flatten().collect()
    }

    /// Asks once more, and returns the reasons for which what was read of some objects does not count, by path.
    pub(crate) async fn changed(&self) -> HashMap<String, String> {
        let again = |(entry, before): (ManifestEntry, Head)| async move {
            let (entry, now) = self.client.head_of(entry).await;
            // An object that was replaced twice may have its first content again, and then another time.
            let why = match now {
                Ok(now) if now == before => None,
                Ok(_) => Some("the object was replaced while the cluster read it".to_owned()),
                Err(why) => Some(format!("nobody knows whether the cluster has read this content: {why}")),
            };
            why.map(|why| (entry.path, why))
        };
        let asked = stream::iter(self.before.clone()).map(again).buffer_unordered(MAX_CONCURRENT_HEADS);
        asked.filter_map(std::future::ready).collect().await
    }
}
