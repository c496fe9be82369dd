//! Makes a backup, while a master runs or without one.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tributary_store::{DatabaseUrl, Snapshot, StandingDocument, Store};
use url::Url;

use super::{
    archive::{About, ArchiveWriter, DATABASE, UPLOADS},
    part::Part,
};
use crate::{clock, documents::DocumentFolder};

/// Snapshots that are taken until all documents of one could be opened. Each try has only those to open that came since the last one.
const MAX_TRIES: usize = 100;
/// Open files besides those of documents.
const OTHER_FILES: u64 = 64;

/// The result of a backup.
#[derive(Debug)]
pub struct Saved {
    /// Number of documents in it.
    pub documents: usize,
    /// Size of its file.
    pub bytes: u64,
    /// Documents that it lacks or that are damaged, one sentence each.
    pub faults: Vec<String>,
}

/// Documents that belong to a snapshot, open, so that nobody can delete them.
#[derive(Default)]
struct Held {
    /// In order of their paths.
    documents: Vec<(StandingDocument, File)>,
    missing: Vec<StandingDocument>,
}

/// Writes the database as it is at one moment, with all documents that it names, to the new file `to`. `uploads` is the folder of
/// documents if the database does not name another.
///
/// # Errors
/// `to` exists or cannot be written; the database is missing, damaged or of another version. Then there is no file.
pub fn backup(database: &DatabaseUrl, uploads: &Path, to: &Path) -> Result<Saved> {
    let part = Part::create(to)?;
    let folder = stored_folder(database)?.unwrap_or_else(|| uploads.to_owned());
    let created_at = clock::now();
    let (snapshot, Held { documents, missing }) = hold(database, &folder)?;
    snapshot.copy_to(part.database())?;
    drop(snapshot);
    let mut faults: Vec<String> = missing.iter().map(|document| missing_file(document, &folder)).collect();
    let failed = || format!("failed to write the backup {}", to.display());
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let about = About::new(created_at, documents.len());
    let mut archive = ArchiveWriter::new(part.file()?, &about, time).with_context(failed)?;
    let copy = File::open(part.database()).with_context(failed)?;
    archive.add(DATABASE, copy.metadata()?.len(), copy).with_context(failed)?;
    let count = documents.len();
    for (document, file) in documents {
        faults.extend(add(&mut archive, &document, file).with_context(failed)?);
    }
    let bytes = archive.finish().with_context(failed)?.metadata()?.len();
    part.place()?;
    Ok(Saved { documents: count, bytes, faults })
}

/// Adds a document. Returns a sentence if it is not what was sent.
fn add(archive: &mut ArchiveWriter, document: &StandingDocument, file: File) -> Result<Option<String>> {
    let StandingDocument { id, path, hash } = document;
    let name = format!("{UPLOADS}{}", DocumentFolder::file_name(id, path));
    let bytes = file.metadata()?.len();
    let found = archive.add(&name, bytes, file).with_context(|| format!("failed to read the upload `{path}`"))?;
    let is_damaged = hash.as_ref().is_some_and(|hash| *hash != found);
    Ok(is_damaged.then(|| format!("the upload `{path}` is damaged: its file has changed since it was sent")))
}

fn missing_file(document: &StandingDocument, folder: &Path) -> String {
    format!("the upload `{}` is not part of it: its file is missing from {}", document.path, folder.display())
}

/// The folder of documents, as the master that wrote the database named it.
fn stored_folder(database: &DatabaseUrl) -> Result<Option<PathBuf>> {
    let sources = Store::open_existing(database)?.sources()?;
    let uploads = sources.into_iter().find(|source| source.name == tributary_config::UPLOADS);
    Ok(uploads.and_then(|source| Url::parse(&source.url).ok()?.to_file_path().ok()))
}

/// Takes a snapshot, and opens all documents that it names. A master may delete a file while it is looked for, but only after it has
/// committed that it is no longer needed: so a file that two snapshots name and that is missing both times is lost.
fn hold(database: &DatabaseUrl, folder: &Path) -> Result<(Snapshot, Held)> {
    let documents = DocumentFolder::new(folder.to_owned());
    let mut opened: HashMap<String, File> = HashMap::new();
    let mut missed: HashSet<String> = HashSet::new();
    for _ in 0..MAX_TRIES {
        let snapshot = Snapshot::open(database)?;
        let standing = snapshot.standing_documents()?;
        ensure!(
            standing.is_empty() || documents.exists(),
            "the folder of uploads {} is missing, and a backup without them is none",
            folder.display()
        );
        allow_open_files(standing.len())?;
        let names: HashSet<&str> = standing.iter().map(|document| document.id.as_str()).collect();
        opened.retain(|id, _| names.contains(id.as_str()));
        let missing = open_new(&documents, &standing, &mut opened)?;
        if missing.is_subset(&missed) {
            let mut held = Held::default();
            for document in standing {
                match opened.remove(&document.id) {
                    Some(file) => held.documents.push((document, file)),
                    None => held.missing.push(document),
                }
            }
            return Ok((snapshot, held));
        }
        missed = missing;
    }
    bail!("uploads are replaced faster than they can be opened; try again when there are fewer")
}

/// Opens the documents that are not open yet. Returns the ids of those whose file is not there.
fn open_new(
    folder: &DocumentFolder,
    standing: &[StandingDocument],
    opened: &mut HashMap<String, File>,
) -> Result<HashSet<String>> {
    let mut missing = HashSet::new();
    for StandingDocument { id, path, .. } in standing {
        if opened.contains_key(id) {
            continue;
        }
        match folder.open(id, path) {
            Ok(file) => drop(opened.insert(id.clone(), file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => drop(missing.insert(id.clone())),
            Err(error) => return Err(error).with_context(|| format!("failed to open the upload `{path}`")),
        }
    }
    Ok(missing)
}

/// Raises the limit of open files as far as it must and may.
fn allow_open_files(documents: usize) -> Result<()> {
    let needed = documents as u64 + OTHER_FILES;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    ensure!(
        limit.maximum.is_none_or(|maximum| maximum >= needed),
        "{documents} uploads have to be open at the same time; allow it with `ulimit -n {needed}`"
    );
    setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum: limit.maximum })
        .context("failed to raise the limit of open files")
}
