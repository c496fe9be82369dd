//! Lists objects, page by page. object_store fails a whole page if one key has an odd form, so the list of a bucket is asked for here.

use std::{borrow::Cow, time::Duration};

use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use http::Method;
use object_store::{
    path::Path,
    signer::{SignedUrlOptions, Signer},
};
use reqwest::StatusCode;
use serde::Deserialize;
use tributary_http_client::{Backoff, read_body};
use url::Url;

use crate::{Error, ErrorKind, ObjectStorage, error::innermost, storage::Store};

/// Objects of one page.
const PAGE: usize = 1_000;
/// Longest page: 1,000 keys of 1,024 bytes, each of which may be written as `%00`, and what stands beside them.
const MAX_PAGE_BYTES: usize = 8 << 20;
/// The time within which the signature of a request for a page is good.
const SIGNED_FOR: Duration = Duration::from_secs(300);
/// Tries for one page.
const TRIES: usize = 4;
/// The first and the longest delay between them.
const DELAYS: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(2)];

/// Storage classes of objects that have to be restored before they can be read.
const ARCHIVES: [&str; 2] = ["GLACIER", "DEEP_ARCHIVE"];

/// One object of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The key, relative to the location.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// The `ETag` as the server sends it, with quotes. Equal ones have equal contents; of an object that was written in parts it is no MD5.
    pub etag: Option<String>,
    /// Last change, as `2026-11-30T06:00:00Z`. Of no use to tell contents apart.
    pub modified: Option<String>,
    /// Whether it has to be restored before it can be read.
    pub is_archived: bool,
}

/// A part of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Objects that can be read. Those of a bucket are sorted by the bytes of their keys; others are not.
    pub objects: Vec<Object>,
    /// Keys, relative to the location, that [`ObjectStorage::read`] cannot name: with an empty part, with `.` or `..` as a part, with control
    /// characters, in another encoding than UTF-8, or with `/` at the end (markers of folders).
    pub odd: Vec<String>,
}

/// A list that is read page by page, with at most one page in memory.
pub struct Listing<'a> {
    storage: &'a ObjectStorage,
    state: State,
}

enum State {
    /// A bucket: where the next page begins, `None` for the first one.
    Pages(Option<String>),
    Stream(BoxStream<'static, object_store::Result<object_store::ObjectMeta>>),
    Done,
}

impl ObjectStorage {
    /// Lists all objects below the location.
    #[must_use]
    pub fn list(&self) -> Listing<'_> {
        let state = match &self.store {
            Store::S3 { .. } => State::Pages(None),
            _ => State::Stream(self.store().list(Some(&self.location.prefix))),
        };
        Listing { storage: self, state }
    }

    /// The text that all keys in the bucket begin with.
    fn key_prefix(&self) -> String {
        if self.location.prefix.is_root() { String::new() } else { format!("{}/", self.location.prefix) }
    }
}

impl Listing<'_> {
    /// Asks for the next page; `None` after the last one. A page may be empty. After an error the same page can be asked for again, of a
    /// bucket.
    ///
    /// # Errors
    /// The server does not answer with a list.
    pub async fn next_page(&mut self) -> Result<Option<Page>, Error> {
        match &mut self.state {
            State::Done => Ok(None),
            State::Pages(token) => {
                let (page, next) = self.storage.page(token.as_deref()).await?;
                self.state = next.map_or(State::Done, |token| State::Pages(Some(token)));
                Ok(Some(page))
            }
            State::Stream(stream) => {
                let metas: Result<Vec<_>, _> = stream.by_ref().take(PAGE).try_collect().await;
                let metas = metas.map_err(|why| self.storage.error("", &why))?;
                let mut page = Page::default();
                for meta in &metas {
                    let whole = Object {
                        key: meta.location.to_string(),
                        size: meta.size,
                        etag: meta.e_tag.clone(),
                        modified: Some(meta.last_modified.to_rfc3339()),
                        is_archived: false,
                    };
                    page.add(self.storage, whole);
                }
                Ok((!metas.is_empty()).then_some(page))
            }
        }
    }
}

impl std::fmt::Debug for Listing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listing").field("location", &self.storage.location).finish_non_exhaustive()
    }
}

impl Page {
    /// Adds an object with its key in the bucket.
    fn add(&mut self, storage: &ObjectStorage, object: Object) {
        // A server that lists what was not asked for is not believed.
        let Some(key) = object.key.strip_prefix(&storage.key_prefix()) else { return };
        let key = key.to_owned();
        match storage.path(&key) {
            Ok(_) => self.objects.push(Object { key, ..object }),
            // The marker of the location itself.
            Err(_) if key.is_empty() => {}
            Err(_) => self.odd.push(key),
        }
    }
}

impl ObjectStorage {
    /// Asks for one page, and where the next one begins.
    async fn page(&self, token: Option<&str>) -> Result<(Page, Option<String>), Error> {
        let mut backoff = Backoff::new(DELAYS[0], DELAYS[1]);
        let mut tries = 1;
        let answer = loop {
            match self.ask(token).await {
                Err(error) if error.kind() == ErrorKind::Unavailable && tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(backoff.next_delay()).await;
                }
                asked => break asked?,
            }
        };
        let url = self.location.to_string();
        let no_list = |why: String| {
            Error::new(
                &url,
                ErrorKind::Other,
                format!("the answer is no list of objects: {why}; is AWS_ENDPOINT_URL that of an S3 server?"),
            )
        };
        // The parser takes any element for the outermost one, and a page that asks to log in would be an empty list.
        if !answer.contains("<ListBucketResult") {
            return Err(no_list("it has no ListBucketResult".to_owned()));
        }
        let listed: ListBucketResult = quick_xml::de::from_str(&answer).map_err(|why| no_list(why.to_string()))?;
        let mut page = Page::default();
        for object in &listed.contents {
            let Some(key) = listed.decoded(&object.key) else {
                page.odd.push(object.key.clone());
                continue;
            };
            let Contents { size, e_tag, last_modified, storage_class, .. } = object;
            let is_archived = storage_class.as_deref().is_some_and(|class| ARCHIVES.contains(&class));
            let (key, etag, modified) = (key.into_owned(), e_tag.clone(), last_modified.clone());
            page.add(self, Object { key, size: *size, etag, modified, is_archived });
        }
        let next = listed.next_continuation_token.filter(|next| listed.is_truncated && !next.is_empty());
        match next {
            None if listed.is_truncated => Err(no_list("it goes on nowhere".to_owned())),
            Some(next) if Some(next.as_str()) == token => Err(no_list("it goes on where it began".to_owned())),
            next => Ok((page, next)),
        }
    }

    async fn ask(&self, token: Option<&str>) -> Result<String, Error> {
        let url = self.location.to_string();
        let Store::S3 { requests, .. } = &self.store else { return Ok(String::new()) };
        let sent = requests.reading().get(self.signed_list(token).await?).send().await;
        let response = sent.map_err(|why| Error::unanswered(&url, &innermost(&why)))?;
        let status = response.status();
        let body = read_body(response, MAX_PAGE_BYTES).await;
        // The words of this error name the server without its query, which has the signature.
        let body = body.map_err(|why| Error::new(&url, ErrorKind::Unavailable, why.to_string()))?;
        let text = String::from_utf8_lossy(&body);
        if status.is_success() {
            return Ok(text.into_owned());
        }
        let kind = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ErrorKind::Denied,
            StatusCode::NOT_FOUND => ErrorKind::Missing,
            StatusCode::TOO_MANY_REQUESTS => ErrorKind::Unavailable,
            status if status.is_server_error() => ErrorKind::Unavailable,
            status if status.is_redirection() => ErrorKind::Setting,
            _ => ErrorKind::Other,
        };
        let text = if text.contains("<Code>") { text } else { Cow::Owned(format!("the server answers {status}")) };
        Err(Error::of_answer(&url, kind, &text))
    }

    /// The URL of a page, with its signature.
    async fn signed_list(&self, token: Option<&str>) -> Result<Url, Error> {
        let Store::S3 { client, is_unsigned, .. } = &self.store else {
            return Err(Error::new(&self.location.to_string(), ErrorKind::Other, "it is no bucket"));
        };
        let mut query =
            vec![("list-type", "2".to_owned()), ("encoding-type", "url".to_owned()), ("max-keys", PAGE.to_string())];
        query.push(("prefix", self.key_prefix()));
        query.extend(token.map(|token| ("continuation-token", token.to_owned())));
        let options = SignedUrlOptions::new().with_query(query);
        let signed = client.signed_url_opts(Method::GET, &Path::ROOT, SIGNED_FOR, &options).await;
        let mut url = signed.map_err(|why| self.error("", &why))?;
        if *is_unsigned {
            let kept: Vec<(String, String)> = url
                .query_pairs()
                .filter(|(name, _)| !name.starts_with("X-Amz-"))
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect();
            url.query_pairs_mut().clear().extend_pairs(kept);
        }
        Ok(url)
    }
}

/// The answer of ListObjectsV2.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListBucketResult {
    #[serde(default)]
    contents: Vec<Contents>,
    #[serde(default)]
    encoding_type: Option<String>,
    #[serde(default)]
    is_truncated: bool,
    #[serde(default)]
    next_continuation_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Contents {
    key: String,
    #[serde(default)]
    size: u64,
    #[serde(rename = "ETag", default)]
    e_tag: Option<String>,
    #[serde(default)]
    last_modified: Option<String>,
    #[serde(default)]
    storage_class: Option<String>,
}

impl ListBucketResult {
    /// Takes a key out of the encoding, in which `+` is a space: XML cannot carry every character. A server that does not know it says so by
    /// leaving `EncodingType` out.
    fn decoded<'a>(&self, key: &'a str) -> Option<Cow<'a, str>> {
        if self.encoding_type.as_deref() != Some("url") {
            return Some(Cow::Borrowed(key));
        }
        let spaced = key.replace('+', " ");
        let decoded = percent_encoding::percent_decode_str(&spaced).decode_utf8().ok()?;
        Some(Cow::Owned(decoded.into_owned()))
    }
}
