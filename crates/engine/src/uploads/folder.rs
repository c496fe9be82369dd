//! The folder of uploaded files, and each step that changes it. A body is received under a hidden name and renamed once it is
//! complete. A file that it replaces is kept under another hidden name until the new one is applied. Each step can be repeated
//! after a crash. All calls block: never make them on an async worker.

use std::{
    fs::{self, File},
    io,
    path::PathBuf,
};

use super::name;

/// The folder of uploaded files.
#[derive(Debug, Clone)]
pub(crate) struct UploadFolder {
    path: PathBuf,
}

/// The kind of entry that has a name in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// No entry has the name.
    Missing,
    /// A regular file.
    File,
    /// A folder, a link, a device, or an entry that cannot be inspected.
    Other,
}

/// A hidden file in the folder, with the id of its upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HiddenFile {
    /// A body that is being received.
    Incoming(String),
    /// The file that the upload replaced.
    Backup(String),
}

/// A completely received file and the name it takes in the folder.
#[derive(Debug, Clone)]
pub(super) struct Placement {
    /// The upload's id.
    pub(super) id: String,
    /// The name.
    pub(super) filename: String,
    /// True if a file that has the name is kept as the upload's backup.
    pub(super) replaces: bool,
}

impl UploadFolder {
    /// The folder at this path, which need not exist.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Returns true if the folder exists.
    pub(crate) fn exists(&self) -> bool {
        self.path.is_dir()
    }

    /// Creates the folder unless it exists.
    pub(super) fn create(&self) -> io::Result<()> {
        fs::create_dir_all(&self.path)
    }

    /// Bytes that this process may still write to the disk of the folder. While the folder does not exist, its nearest existing
    /// ancestor tells.
    pub(super) fn free_bytes(&self) -> io::Result<u64> {
        let existing = self.path.ancestors().find(|folder| folder.exists()).unwrap_or(&self.path);
        let disk = rustix::fs::statvfs(existing)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// The kind of entry that has this name.
    pub(super) fn entry_kind(&self, filename: &str) -> EntryKind {
        match fs::symlink_metadata(self.file_path(filename)) {
            Ok(metadata) if metadata.is_file() => EntryKind::File,
            Err(error) if error.kind() == io::ErrorKind::NotFound => EntryKind::Missing,
            _ => EntryKind::Other,
        }
    }

    /// Creates the hidden file for the body of an upload.
    pub(super) fn create_incoming(&self, id: &str) -> io::Result<File> {
        File::create_new(self.incoming_path(id))
    }

    /// Gives a received body its name. The file that it replaces becomes its backup; if the upload `overtaken` put that file
    /// there, the backup of `overtaken` does instead. Returns false, and does nothing, if the body has its name already.
    ///
    /// A backup is a hard link, so it takes no space of its own, and restoring it is a rename.
    pub(super) fn publish(&self, placement: &Placement, overtaken: Option<&str>) -> io::Result<bool> {
        let incoming = self.incoming_path(&placement.id);
        if !incoming.exists() {
            return Ok(false);
        }
        let path = self.file_path(&placement.filename);
        let backup = self.backup_path(&placement.id);
        if placement.replaces && !backup.exists() {
            let inherited = overtaken.map(|id| self.backup_path(id)).filter(|kept| kept.exists());
            match inherited {
                Some(inherited) => fs::rename(inherited, &backup)?,
                None if overtaken.is_some() => {}
                // On a file system without hard links the name is unused for a moment.
                None => fs::hard_link(&path, &backup).or_else(|_| fs::rename(&path, &backup))?,
            }
        }
        fs::rename(incoming, path)?;
        self.sync()?;
        Ok(true)
    }

    /// Deletes the received part of a body.
    pub(super) fn delete_incoming(&self, id: &str) -> io::Result<()> {
        unless_missing(fs::remove_file(self.incoming_path(id)))
    }

    /// Deletes the file that an upload replaced: its own file stays.
    pub(super) fn delete_backup(&self, id: &str) -> io::Result<()> {
        unless_missing(fs::remove_file(self.backup_path(id)))
    }

    /// Deletes an upload's file, and restores the one that it replaced.
    pub(super) fn roll_back(&self, placement: &Placement) -> io::Result<()> {
        if !placement.replaces {
            self.delete_backup(&placement.id)?;
            return self.delete(&placement.filename);
        }
        match fs::rename(self.backup_path(&placement.id), self.file_path(&placement.filename)) {
            // It was rolled back before.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            renamed => renamed.and_then(|()| self.sync()),
        }
    }

    /// Deletes a file.
    pub(super) fn delete(&self, filename: &str) -> io::Result<()> {
        unless_missing(fs::remove_file(self.file_path(filename)))?;
        self.sync()
    }

    /// All hidden files of uploads.
    pub(super) fn hidden_files(&self) -> io::Result<Vec<HiddenFile>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let filename = entry?.file_name();
            let parts = filename.to_str().and_then(|filename| filename.strip_prefix('.')?.split_once('.'));
            let Some((id, ending)) = parts else { continue };
            if name::id(id).is_ok_and(|written| written == id) {
                match ending {
                    "part" => files.push(HiddenFile::Incoming(id.to_owned())),
                    "former" => files.push(HiddenFile::Backup(id.to_owned())),
                    _ => {}
                }
            }
        }
        Ok(files)
    }

    /// Returns true if an upload has a backup of a file that it replaced.
    pub(super) fn has_backup(&self, id: &str) -> bool {
        self.backup_path(id).exists()
    }

    fn file_path(&self, filename: &str) -> PathBuf {
        self.path.join(filename)
    }

    fn incoming_path(&self, id: &str) -> PathBuf {
        self.path.join(format!(".{id}.part"))
    }

    fn backup_path(&self, id: &str) -> PathBuf {
        self.path.join(format!(".{id}.former"))
    }

    /// Syncs the folder itself: a rename may be lost in a crash until then.
    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

fn unless_missing(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests;
