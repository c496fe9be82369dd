//! The database that is computed again and thrown away, in a folder beside the one that is checked.

use std::{
    collections::HashSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use tempfile::TempDir;
use tributary_config::{Brake, CacheConfig, Config};
use tributary_store::{DatabaseUrl, DocumentRow, DocumentState, Lock, Place, Store};

use crate::{clock, documents::DocumentFolder};

/// Begins the name of each folder of a check.
const PREFIX: &str = ".tributary-check-";

/// A folder with a database that nobody else knows.
pub(super) struct Scratch {
    /// The configuration, but for the place of everything that is written.
    pub(super) config: Config,
    /// The database that is checked.
    pub(super) database: DatabaseUrl,
    uploads: PathBuf,
    _folder: TempDir,
    /// Tells other checks that the folder is in use. The system gives it back even after SIGKILL.
    _lock: File,
}

impl Scratch {
    /// Creates the folder, and in it an empty database.
    pub(super) fn create(config: &Config) -> Result<Self> {
        let database = config.database.clone();
        let catalog = Store::open_existing(&database)?.catalog_settings()?;
        let path = std::path::absolute(database.path()).context("failed to find the database")?;
        let beside = path.parent().unwrap_or(Path::new("/"));
        let (folder, lock) =
            own_folder(beside).with_context(|| format!("failed to create a folder in {}", beside.display()))?;
        let computed = folder.path().join("database.db");
        let mut scratch = config.clone();
        scratch.database = computed.to_str().context("the path of the database is no text")?.parse()?;
        scratch.uploads.dir = Some(folder.path().join("uploads"));
        scratch.cache = CacheConfig { size: 0, dir: None };
        scratch.accept = Vec::new();
        scratch.sources.iter_mut().for_each(|source| source.brake = Brake::OFF);
        // Columns keep the ids that they got over time: the order of texts, and so the reading of each file, depends on them.
        Store::open(&scratch.database)?.transaction(|computed| computed.put_catalog_settings(&catalog))?;
        let uploads = config.uploads.folder(&database);
        Ok(Self { config: scratch, uploads, database, _folder: folder, _lock: lock })
    }

    /// Takes over the documents that have a file now, without those of an earlier call. Returns the path of one whose file is missing: the
    /// master may have deleted it meanwhile.
    pub(super) fn take_documents(&self) -> Result<Option<String>> {
        let rows = Store::open_existing(&self.database)?.placed_documents()?;
        let from = DocumentFolder::new(self.uploads.clone());
        let to = DocumentFolder::new(self.config.uploads.folder(&self.config.database));
        if from.exists() {
            to.create().context("failed to create a folder for uploads")?;
        }
        for row in &rows {
            if !link(&from, &to, row).with_context(|| format!("failed to copy the upload `{}`", row.path))? {
                return Ok(Some(row.path.clone()));
            }
        }
        let _lock = Lock::acquire(&self.config.database, "starter check")?;
        let mut computed = Store::open(&self.config.database)?;
        computed.transaction(|computed| put(computed, rows))?;
        Ok(None)
    }
}

/// Deletes the folders of checks that were killed, and creates one that is locked.
fn own_folder(beside: &Path) -> io::Result<(TempDir, File)> {
    for entry in fs::read_dir(beside)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && entry.file_type().is_ok_and(|kind| kind.is_dir())
        {
            delete_unused(&entry.path());
        }
    }
    loop {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(beside)?;
        // Another check may take it for one that was killed, until it is locked.
        let lock = match File::open(folder.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            opened => opened?,
        };
        lock.lock()?;
        if folder.path().exists() {
            return Ok((folder, lock));
        }
    }
}

/// Deletes the folder of a check that was killed. It is in nobody's way, so a failure is only logged.
fn delete_unused(folder: &Path) {
    let delete = || match File::open(folder)?.try_lock() {
        Ok(()) => fs::remove_dir_all(folder),
        Err(_) => Ok(()),
    };
    if let Err(error) = delete() {
        tracing::warn!("failed to delete {}, which a check has left: {error}", folder.display());
    }
}

/// Stores the documents as ones that are to be read, and ends those that are not among them.
fn put(computed: &mut Store, rows: Vec<DocumentRow>) -> Result<()> {
    let ids: HashSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    for row in computed.all_standing_documents()? {
        if !ids.contains(row.id.as_str()) {
            let (state, finished_at) = (DocumentState::Superseded, Some(clock::now()));
            computed.update_document(&DocumentRow { state, place: None, finished_at, ..row })?;
        }
    }
    // A path may stand for the one that waited before.
    for row in &rows {
        if let Some(known) = computed.document(&row.id)?.filter(|known| known.place != row.place) {
            computed.update_document(&DocumentRow { place: None, ..known })?;
        }
    }
    for row in rows {
        let state = if row.place == Some(Place::Current) { DocumentState::Complete } else { DocumentState::Queued };
        let row = DocumentRow { state, ..row };
        match computed.document(&row.id)? {
            Some(_) => computed.update_document(&row)?,
            None => computed.insert_document(&row)?,
        }
    }
    Ok(())
}

/// Links the file of a document into another folder, or copies it where links are not possible. Returns false if it is missing.
fn link(from: &DocumentFolder, to: &DocumentFolder, row: &DocumentRow) -> io::Result<bool> {
    let place = to.path_of(&row.id, &row.path);
    for source in from.paths_of(&row.id, &row.path) {
        match fs::hard_link(&source, &place) {
            Ok(()) => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => break,
        }
    }
    match from.open(&row.id, &row.path) {
        Ok(mut file) => io::copy(&mut file, &mut File::create(&place)?).map(|_| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A check that was killed left its folder for ever.
    #[test]
    fn the_folder_of_a_check_that_was_killed_is_deleted_and_no_other() {
        let beside = tempfile::tempdir().unwrap();
        let killed = beside.path().join(".tributary-check-killed");
        fs::create_dir_all(killed.join("uploads")).unwrap();
        fs::write(beside.path().join(".tributary-check-file"), "").unwrap();
        let (running, _lock) = own_folder(beside.path()).unwrap();
        assert!(!killed.exists());
        let (_second, _second_lock) = own_folder(beside.path()).unwrap();
        assert!(running.path().exists() && beside.path().join(".tributary-check-file").exists());
    }
}
