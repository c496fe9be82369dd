//! The place of a run's files: a source, which tells which of them are plain and opens them, or a bucket, which executors read with credentials
//! of their own.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tributary_protocol::{ManifestEntry, PlainFile, PlainLine};

use super::{plan::Candidate, run::Routed};
use crate::{
    database::Readers,
    input::FileToRead,
    reports::plain,
    source::{BucketClient, FetchError, IsPlain, OpenedFiles, SourceClient, WatchedObjects},
};

/// The place of files.
pub(in crate::reports) enum Place<'a> {
    /// A source over HTTP.
    Source(&'a SourceClient),
    /// The bucket of the source with this id, whose findings `readers` read.
    Bucket { client: &'a BucketClient, readers: &'a Readers, source: i64 },
}

/// Findings about some files, by path, before each is asked about.
pub(super) type Known = HashMap<String, PlainLine>;

/// Files that are open for the executors, until this is dropped.
pub(super) enum Opened {
    Files(Box<OpenedFiles>),
    Objects(WatchedObjects),
}

/// Files that are open, the candidates that are, and what is to be done with the others.
pub(super) type Opening = (Option<Opened>, Vec<Candidate>, Vec<(Arc<FileToRead>, Routed)>);

impl Place<'_> {
    /// Looks up what is known of files. A source is asked about each of them.
    pub(super) async fn known(&self, files: &[Arc<FileToRead>]) -> Result<Known, FetchError> {
        match self {
            Self::Source(_) => Ok(Known::new()),
            Self::Bucket { readers, source, .. } => {
                Ok(plain::known(readers, *source, files.iter().map(|file| &**file)).await?)
            }
        }
    }

    /// Tells whether any CSV reader reads a file alike, or why not. If nobody can tell, it says what is to be done with the file.
    pub(super) async fn is_plain(
        &self,
        file: &FileToRead,
        known: &Known,
        read_on: impl Fn(u64),
    ) -> Result<Result<PlainFile, String>, Routed> {
        match self {
            Self::Source(client) => match client.is_plain((&file.entry, &file.format), read_on).await {
                Ok(IsPlain::Yes(plain)) => Ok(Ok(plain)),
                Ok(IsPlain::No(why)) => Ok(Err(why)),
                Ok(IsPlain::Unknown) => {
                    Err(Routed::PushDown("its source does not tell which files are plain".to_owned()))
                }
                Err(error) => Err(Routed::Failed(error)),
            },
            Self::Bucket { .. } => match known.get(&file.entry.path) {
                Some(PlainLine::Plain(plain)) => Ok(Ok(plain.clone())),
                Some(PlainLine::NotPlain { reason }) => Ok(Err(reason.clone())),
                _ => Err(Routed::FirstReading),
            },
        }
    }

    /// Opens the candidates, for so long at most.
    pub(super) async fn open(&self, candidates: Vec<Candidate>, valid: Duration) -> Opening {
        let push_down = |candidate: Candidate, why: String| (candidate.file, Routed::PushDown(why));
        let not_opened = |candidates: Vec<Candidate>, why: &str| {
            let others = candidates.into_iter().map(|candidate| push_down(candidate, why.to_owned()));
            (None, Vec::new(), others.collect())
        };
        match self {
            Self::Source(client) => {
                let paths = candidates.iter().map(|candidate| candidate.file.entry.path.clone()).collect();
                match client.open_files(paths, valid).await {
                    Ok(opened) => (Some(Opened::Files(Box::new(opened))), candidates, Vec::new()),
                    Err(error) => {
                        not_opened(candidates, &format!("its source opens no files for a cluster: {error:#}"))
                    }
                }
            }
            Self::Bucket { client, .. } => {
                let entries = candidates.iter().map(|candidate| candidate.file.entry.clone()).collect();
                let (watched, mut left_out) = match client.watch_objects(entries).await {
                    Ok(watched) => watched,
                    Err(error) => return not_opened(candidates, &format!("the bucket cannot be asked: {error:#}")),
                };
                let (mut open, mut others) = (Vec::new(), Vec::new());
                for candidate in candidates {
                    match left_out.remove(&candidate.file.entry.path) {
                        Some(why) => others.push(push_down(candidate, why)),
                        None => open.push(candidate),
                    }
                }
                (Some(Opened::Objects(watched)), open, others)
            }
        }
    }
}

impl Opened {
    /// The URL of a file for the executors.
    pub(super) fn url(&self, entry: &ManifestEntry) -> String {
        match self {
            Self::Files(opened) => opened.url(entry),
            Self::Objects(watched) => watched.url(entry),
        }
    }

    /// Options of the session in which they are read.
    pub(super) fn options(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Files(_) => Vec::new(),
            Self::Objects(watched) => watched.options(),
        }
    }

    /// Once the cluster has read all of them: the reasons for which what it has read of some does not count, by path. The path of an opened
    /// file has the hash of its content, so nothing else can have been read.
    pub(super) async fn changed(&self) -> HashMap<String, String> {
        match self {
            Self::Files(_) => HashMap::new(),
            Self::Objects(watched) => watched.changed().await,
        }
    }
}
