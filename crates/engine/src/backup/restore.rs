//! Puts a backup in the place of a database that is empty.
//!
//! Everything is unpacked beside its place first, and checked. Then the database gets its name, and then the folder of documents. If
//! that is broken off in between, restoring the same backup again finishes it. Until then a master does not start if products come from
//! documents, because their folder is missing.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use tributary_store::{DatabaseUrl, Error as StoreError, Lock, Store};

use super::{
    archive::{About, DATABASE, UPLOADS, about, unpack},
    part::sync_parent,
};
use crate::documents::FoundFile;

/// Endings of the files that SQLite keeps beside a database. Of another database they would change this one.
const LOGS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The result of a restore.
#[derive(Debug)]
pub struct Restored {
    /// The moment that the backup shows, RFC 3339.
    pub created_at: String,
    /// Number of documents.
    pub documents: u64,
}

/// Restores the backup `from` to a database that is missing or empty, and to the folder of documents `uploads`.
///
/// # Errors
/// A master runs; the database or the folder is not empty; the backup is damaged or of a newer version. Then nothing has changed.
pub fn restore(database: &DatabaseUrl, uploads: &Path, from: &Path) -> Result<Restored> {
    ensure!(!database.is_postgres(), "a backup is restored to a SQLite file; `pg_restore` fills a PostgreSQL database");
    let told = about(from)?;
    let _lock = Lock::acquire(database, "starter restore")?;
    let stage = Stage::new(database.path(), uploads);
    if let Some(begun) = stage.half_placed(database.path())? {
        stage.check_same(&begun, &told)?;
        stage.place_documents()?;
        return Ok(done(told));
    }
    check_empty(database)?;
    check_free(uploads)?;
    let restored = stage.fill(from).and_then(|told| {
        check_schema(&stage.database)?;
        Ok(told)
    });
    let told = match restored {
        Ok(told) => told,
        Err(error) => {
            // It is in nobody's way, and the next restore deletes it, too.
            let _ = stage.clear();
            return Err(error);
        }
    };
    stage.place_database(database.path())?;
    stage.place_documents()?;
    Ok(done(told))
}

fn done(About { created_at, documents, .. }: About) -> Restored {
    Restored { created_at, documents }
}

/// The description of a restore that was begun.
#[derive(Serialize, Deserialize)]
struct Begun {
    #[serde(flatten)]
    about: About,
    /// The unpacked database, once everything is unpacked.
    database: Option<FileIdentity>,
}

/// Identifies a file, whatever its name. A number of a file that is gone may be given again, so the time of its creation belongs to it.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct FileIdentity {
    inode: u64,
    /// `None` if the file system does not keep it.
    created: Option<SystemTime>,
}

impl FileIdentity {
    fn of(path: &Path) -> io::Result<Self> {
        let found = fs::metadata(path)?;
        Ok(Self { inode: found.ino(), created: found.created().ok() })
    }
}

/// The places where a backup is unpacked: on the file systems of its places, so that it can be renamed.
struct Stage {
    /// The description of the backup: the first that is written, and the last that is deleted.
    about: PathBuf,
    /// Becomes the database.
    database: PathBuf,
    /// Becomes the folder of documents.
    documents: PathBuf,
    uploads: PathBuf,
}

impl Stage {
    fn new(database: &Path, uploads: &Path) -> Self {
        Self {
            about: with(database, ".restore.json"),
            database: with(database, ".restore"),
            documents: with(uploads, ".restore"),
            uploads: uploads.to_owned(),
        }
    }

    /// The restore that has placed its database, and not the documents; `None` if there is none, or if its database is no longer in
    /// place: then everything is restored again. The folder is made after the database, and deleted before it.
    fn half_placed(&self, database: &Path) -> Result<Option<Begun>> {
        if !self.about.exists() || !self.documents.exists() || self.database.exists() {
            return Ok(None);
        }
        let text = fs::read(&self.about).with_context(|| format!("failed to read {}", self.about.display()))?;
        let begun: Begun = serde_json::from_slice(&text)
            .with_context(|| format!("{} cannot be understood; delete it", self.about.display()))?;
        let is_in_place = begun.database.is_some() && FileIdentity::of(database).ok() == begun.database;
        Ok(is_in_place.then_some(begun))
    }

    /// Fails if it is another backup that was placed by half.
    fn check_same(&self, Begun { about: other, .. }: &Begun, told: &About) -> Result<()> {
        ensure!(
            other == told,
            "the restore of the backup of {} was broken off; finish it with that backup, or delete the database and {}",
            other.created_at,
            self.documents.display()
        );
        Ok(())
    }

    /// Deletes what an earlier run has left.
    fn clear(&self) -> Result<()> {
        let failed = |path: &Path| format!("failed to delete {}", path.display());
        unless_missing(fs::remove_dir_all(&self.documents)).with_context(|| failed(&self.documents))?;
        for path in [&self.database, &self.about] {
            unless_missing(fs::remove_file(path)).with_context(|| failed(path))?;
        }
        Ok(())
    }

    /// Unpacks the backup.
    fn fill(&self, from: &Path) -> Result<About> {
        self.clear()?;
        let told = about(from)?;
        self.note(&told, None)?;
        let mut has_database = false;
        let told = unpack(from, |name| {
            let path = match name.strip_prefix(UPLOADS) {
                None if name == DATABASE && !has_database => {
                    has_database = true;
                    self.database.clone()
                }
                Some(file) if has_database && FoundFile::is_document(file) => {
                    fs::create_dir_all(&self.documents)
                        .with_context(|| format!("failed to create {}", self.documents.display()))?;
                    self.documents.join(file)
                }
                _ => bail!("it has a part {name:?} that no backup has"),
            };
            File::create_new(&path).with_context(|| format!("failed to create {}", path.display()))
        })?;
        ensure!(has_database, "{} holds no database", from.display());
        if self.documents.exists() {
            let synced = File::open(&self.documents).and_then(|folder| folder.sync_all());
            synced.with_context(|| format!("failed to sync {}", self.documents.display()))?;
            sync_parent(&self.documents)?;
        }
        let database = FileIdentity::of(&self.database);
        self.note(&told, Some(database.with_context(|| format!("failed to read {}", self.database.display()))?))?;
        sync_parent(&self.database)?;
        Ok(told)
    }

    /// Writes what is restored.
    fn note(&self, about: &About, database: Option<FileIdentity>) -> Result<()> {
        write_synced(&self.about, &serde_json::to_vec(&Begun { about: about.clone(), database })?)
    }

    /// Puts the database in place of the empty one, whose log must not be taken for its own.
    fn place_database(&self, database: &Path) -> Result<()> {
        for ending in LOGS {
            unless_missing(fs::remove_file(with(database, ending)))
                .context("failed to delete the log of the empty database")?;
        }
        fs::rename(&self.database, database).with_context(|| format!("failed to write {}", database.display()))?;
        sync_parent(database)
    }

    fn place_documents(&self) -> Result<()> {
        if self.documents.exists() {
            let failed = || format!("failed to rename {} to {}", self.documents.display(), self.uploads.display());
            fs::rename(&self.documents, &self.uploads).with_context(failed)?;
            sync_parent(&self.uploads)?;
        }
        unless_missing(fs::remove_file(&self.about))
            .with_context(|| format!("failed to delete {}", self.about.display()))
    }
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn check_empty(database: &DatabaseUrl) -> Result<()> {
    let path = database.path();
    let is_there = path.exists();
    for log in LOGS.map(|ending| with(path, ending)) {
        ensure!(
            is_there || !fs::metadata(&log).is_ok_and(|file| file.len() > 0),
            "{} is left of a database that is gone, and may hold the last rows of it; move it away, or delete it",
            log.display()
        );
    }
    let is_empty = match Store::open_existing(database) {
        Ok(mut store) => store.holds_nothing()?,
        Err(StoreError::Missing { .. }) => true,
        Err(StoreError::NotSetUp { .. }) => fs::metadata(path).is_ok_and(|file| file.len() == 0),
        Err(StoreError::OlderSchema { .. }) => false,
        Err(error) => return Err(error.into()),
    };
    ensure!(
        is_empty,
        "{} is not empty; restore to another database, or move this one and its folder of uploads away",
        path.display()
    );
    Ok(())
}

fn check_free(uploads: &Path) -> Result<()> {
    let shown = uploads.display();
    match fs::read_dir(uploads) {
        Ok(mut files) => ensure!(files.next().is_none(), "the folder of uploads {shown} is not empty; move it away"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("failed to read {shown}")),
    }
    ensure!(
        !is_mount_point(uploads)?,
        "the folder of uploads {shown} is a file system of its own, which a restore cannot replace; name a folder in it as `dir` of [uploads]"
    );
    Ok(())
}

fn is_mount_point(folder: &Path) -> Result<bool> {
    let device = |path: &Path| Some(fs::metadata(path).ok()?.dev());
    let folder = std::path::absolute(folder).context("failed to find the folder of uploads")?;
    let parent = folder.parent().and_then(device);
    Ok(device(&folder).is_some_and(|own| parent.is_some_and(|parent| parent != own)))
}

/// An older schema is brought up to date by the next start.
fn check_schema(database: &Path) -> Result<()> {
    let url: DatabaseUrl = database.to_str().context("the path of the database is no text")?.parse()?;
    match Store::open_existing(&url) {
        Ok(_) | Err(StoreError::OlderSchema { .. }) => Ok(()),
        Err(StoreError::NewerSchema { version, .. }) => {
            bail!("the backup is of a newer version of tributary (migration {version}); restore it with that version")
        }
        Err(error) => Err(error).context("the database in the backup cannot be used"),
    }
}

fn write_synced(path: &Path, text: &[u8]) -> Result<()> {
    use io::Write;
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(text)?;
        file.sync_all()
    };
    write().with_context(|| format!("failed to write {}", path.display()))
}

fn unless_missing(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests;
