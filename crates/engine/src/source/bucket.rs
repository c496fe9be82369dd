//! The objects of a bucket as the files of a source. S3 neither tells of changes nor lists only what has changed, so a version is the digest
//! of a whole list, and the identity of a content is the `ETag`. An object is read only as it was listed.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail};
use futures_util::stream;
use tokio::{sync::OnceCell, time::timeout};
use tributary_budget::Share;
use tributary_config::{SourceConfig, SourceLimits};
use tributary_format_rules::size_text;
use tributary_object_storage::{Access, Body, Error, ErrorKind, Listing, Location, ObjectStorage, Page};
use tributary_pace::Pace;
use tributary_protocol::{CompactManifest, ManifestEntry, Sense};

use super::{
    client::Http,
    fetch::{BodyFault, BodyLimit, FetchError, Hasher, receive},
    kept::KeptBodies,
    memory::{ListRoom, TURN_SPEED},
    objects::{Found, ListDigest, ObjectRules, etag_of},
    spool::{NewBody, SpooledBody},
};

const USER_AGENT: &str = concat!("tributary-master/", env!("CARGO_PKG_VERSION"));
/// Time for one page of a list, beyond the patience: a server may have to be asked more than once.
const PAGE_TIMEOUT: Duration = Duration::from_secs(5);
/// Pages without an object, after which a list is not believed to have an end.
const MAX_EMPTY_PAGES: usize = 1_000;

/// The client of one bucket; clones share it.
#[derive(Clone)]
pub(crate) struct BucketClient(Arc<Shared>);

struct Shared {
    location: Location,
    /// Opened when it is first asked, off the executor: certificates are read. What is wrong with it is the source's error.
    storage: OnceCell<ObjectStorage>,
    rules: ObjectRules,
    limits: SourceLimits,
    http: Http,
    kept: Mutex<KeptBodies>,
}

/// The reason why a list ends early.
enum ListEnd {
    /// There is no room for it beside the lists of other sources.
    NoRoom,
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for ListEnd {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl BucketClient {
    /// The client of a bucket, with the credentials of this process. It asks no server.
    pub(crate) fn new(http: Http, source: &SourceConfig, location: Location) -> Self {
        let storage = OnceCell::new();
        let (rules, limits) = (ObjectRules::new(source), source.limits);
        Self(Arc::new(Shared { location, storage, rules, limits, http, kept: Mutex::default() }))
    }

    /// Lists all objects, and returns the version of the list. At most one page of it is in memory.
    pub(crate) async fn sense(&self) -> Result<Sense> {
        let (mut digest, mut files) = (ListDigest::default(), 0);
        let listed = self.list(|found| {
            files += u64::from(!matches!(found, Found::LeftOut(..)));
            digest.add(&found);
            self.check_count(files)
        });
        match listed.await {
            Ok(()) => Ok(Sense { version: Some(digest.version()), ..Self::unasked() }),
            Err(ListEnd::Failed(error)) => Err(error),
            Err(ListEnd::NoRoom) => bail!("a digest takes no room; this is a bug"),
        }
    }

    /// News of which nobody was asked: a list tells more, and costs the same.
    pub(crate) fn unasked() -> Sense {
        Sense { status: 1, version: Some(String::new()), name: None, files: None, bytes: None, changed_at: None }
    }

    /// Lists all objects that are offered. The list counts as long as the share is held.
    pub(crate) async fn manifest(&self) -> Result<(CompactManifest, Share)> {
        let memory = &self.0.http.memory;
        let mut room = memory.list();
        loop {
            let lost = room.lost();
            let read = tokio::select! {
                read = self.read_manifest(&mut room) => read,
                () = lost.cancelled() => bail!(
                    "the list of objects is too slow while other long lists wait: it takes less than {} per second",
                    size_text(TURN_SPEED)
                ),
            };
            match read {
                Ok(manifest) => return Ok((manifest, room.arrived())),
                Err(ListEnd::Failed(error)) => return Err(error),
                Err(ListEnd::NoRoom) if room.wait().await => {}
                Err(ListEnd::NoRoom) => {
                    let lists = size_text(memory.list_bytes());
                    bail!(
                        "there are more objects than there is room for beside the lists of other sources: `lists` in `[limits]` is {lists}"
                    )
                }
            }
        }
    }

    async fn read_manifest(&self, room: &mut ListRoom<'_>) -> Result<CompactManifest, ListEnd> {
        let (mut digest, mut manifest) = (ListDigest::default(), CompactManifest::default());
        self.list(|found| {
            if !room.grow(found.listed_bytes()) {
                return Err(ListEnd::NoRoom);
            }
            digest.add(&found);
            found.add_to(&mut manifest);
            self.check_count((manifest.files.len() + manifest.unreadable.len()) as u64)
        })
        .await?;
        manifest.version = digest.version();
        // A million are sorted, if the server has not done so.
        let sorted = tokio::task::spawn_blocking(move || sorted(manifest)).await;
        Ok(sorted.context("sorting a list of objects panicked; this is a bug")??)
    }

    /// Asks for all pages, and passes on what is found.
    async fn list(&self, mut take: impl FnMut(Found) -> Result<(), ListEnd>) -> Result<(), ListEnd> {
        let mut listing = self.storage().await?.list();
        let mut empty = 0;
        while let Some(Page { objects, odd }) = self.next_page(&mut listing).await? {
            empty = if objects.is_empty() && odd.is_empty() { empty + 1 } else { 0 };
            if empty > MAX_EMPTY_PAGES {
                return Err(anyhow!("the server lists no object in {empty} pages, and says that there are more").into());
            }
            let found = objects.into_iter().map(|object| self.0.rules.find(object));
            let odd = odd.into_iter().filter_map(|key| self.0.rules.find_odd(key)).map(Ok);
            found.chain(odd).try_for_each(|found| take(found?))?;
        }
        Ok(())
    }

    async fn next_page(&self, listing: &mut Listing<'_>) -> Result<Option<Page>> {
        let limit = self.0.http.patience + PAGE_TIMEOUT;
        let page = timeout(limit, listing.next_page()).await;
        Ok(page.map_err(|_| anyhow!("the server gives no list of objects within {} s", limit.as_secs()))??)
    }

    fn check_count(&self, files: u64) -> Result<(), ListEnd> {
        let max_files = self.0.limits.max_files;
        let is_within = files <= max_files;
        let why = || anyhow!("there are more objects than the limit `max_files` of this source, which is {max_files}");
        if is_within { Ok(()) } else { Err(why().into()) }
    }

    pub(super) async fn storage(&self) -> Result<&ObjectStorage> {
        let open = async || {
            let location = self.0.location.clone();
            let open = move || ObjectStorage::open(location, &Access::from_environment(), USER_AGENT);
            let opened = tokio::task::spawn_blocking(open).await;
            Ok(opened.context("preparing a bucket panicked; this is a bug, and the log says where")??)
        };
        self.0.storage.get_or_try_init(open).await
    }

    /// Reads an object with exactly the content that was listed, and streams it to the spool.
    pub(crate) async fn fetch(
        &self,
        entry: &ManifestEntry,
        new: NewBody,
        arrived: impl Fn(u64),
    ) -> Result<SpooledBody, FetchError> {
        BodyLimit::check_announced(entry.size, self.0.limits.max_file_size)?;
        let (wanted, condition) = etag_of(&entry.hash);
        let body = self.storage().await?.read(&entry.path, None, condition.as_deref()).await?;
        // Not every server knows the condition.
        let is_other = body.etag.as_ref().is_some_and(|etag| etag.trim_matches('"') != wanted);
        if is_other || body.size != entry.size {
            return Err(FetchError::Changed("the object was replaced after it was listed".to_owned()));
        }
        let pieces = Box::pin(stream::try_unfold(body, async |mut body: Body| {
            Ok::<_, Error>(body.chunk().await?.map(|piece| (piece, body)))
        }));
        let pace = Pace::new(self.0.http.patience);
        let received = receive((pieces, pace), new, Hasher::None, BodyLimit::Announced(entry.size), arrived).await?;
        match received.size == entry.size {
            true => Ok(received.body),
            false => {
                let (size, of) = (received.size, entry.size);
                Err(FetchError::Changed(format!("the server sends {size} bytes of an object of {of}")))
            }
        }
    }

    /// The place of the objects.
    pub(super) fn location(&self) -> &Location {
        &self.0.location
    }

    /// Keeps a body for so many other readers, if there is room.
    pub(crate) fn keep(&self, entry: &ManifestEntry, body: SpooledBody, readers: usize) -> Arc<SpooledBody> {
        let body = Arc::new(body);
        self.kept().put(entry, &body, readers);
        body
    }

    /// The body that was kept for this reader, if there is one.
    pub(crate) fn take_kept(&self, entry: &ManifestEntry) -> Option<Arc<SpooledBody>> {
        self.kept().take(entry)
    }

    /// Lets go of the bodies that were kept.
    pub(crate) fn forget_kept(&self) {
        self.kept().clear();
    }

    /// Locked for one of these.
    fn kept(&self) -> MutexGuard<'_, KeptBodies> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sorts a list. No object may be in it twice.
fn sorted(mut manifest: CompactManifest) -> Result<CompactManifest> {
    manifest.files.sort();
    manifest.unreadable.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    let paths = || manifest.files.paths();
    if let Some((path, _)) = paths().zip(paths().skip(1)).find(|(one, other)| one == other) {
        bail!("the server lists {path} twice");
    }
    Ok(manifest)
}

/// Sorts an error by what it says about the other objects.
impl From<Error> for FetchError {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Changed | ErrorKind::Missing => Self::Changed(error.cause().to_owned()),
            ErrorKind::Unavailable | ErrorKind::Setting => Self::Stalled(error.to_string()),
            _ => Self::Failed(error.into()),
        }
    }
}

impl BodyFault for Error {
    fn into_fetch_error(self, _: u64) -> FetchError {
        self.into()
    }
}
