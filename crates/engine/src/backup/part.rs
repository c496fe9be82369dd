//! The file of a backup while it is written. It gets its name once it is whole and on disk.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use tempfile::TempPath;

/// A backup that is being written: `TO.part`, and `TO.part-db` for the copy of the database. Both go when this is dropped.
pub(super) struct Part {
    to: PathBuf,
    part: TempPath,
    database: TempPath,
    /// Locked, so that no two processes write it.
    file: File,
}

impl Part {
    /// Begins to write `to`, which must not exist. What a killed process has left is written over.
    pub(super) fn create(to: &Path) -> Result<Self> {
        let shown = to.display();
        if fs::symlink_metadata(to).is_ok() {
            bail!("{shown} exists; give the backup another name, or delete that file");
        }
        let with = |ending: &str| {
            let mut name = to.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        let (part, database) = (with(".part"), with(".part-db"));
        let file = File::options().write(true).create(true).truncate(false).open(&part);
        let file = file.with_context(|| format!("failed to create {}", part.display()))?;
        if file.try_lock().is_err() || !is_at(&file, &part) {
            bail!("another backup is writing {}, or has just written it", part.display());
        }
        let this = Self { to: to.to_owned(), part: owned(part)?, database: owned(database)?, file };
        this.file.set_len(0).with_context(|| format!("failed to empty {}", this.part.display()))?;
        match fs::remove_file(&this.database) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("failed to delete {}", this.database.display()))
            }
            _ => Ok(this),
        }
    }

    /// The file to write to.
    pub(super) fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// The path for a copy of the database. Nothing is there.
    pub(super) fn database(&self) -> &Path {
        &self.database
    }

    /// Gives the written and synced file its name.
    pub(super) fn place(self) -> Result<()> {
        let Self { to, part, .. } = self;
        let failed = || format!("failed to rename the backup to {}", to.display());
        part.persist_noclobber(&to).map_err(|error| error.error).with_context(failed)?;
        sync_parent(&to)
    }
}

/// Whether this is the file at a path. Between opening and locking it another backup may have given it its name, and it would be emptied.
fn is_at(file: &File, path: &Path) -> bool {
    let identity = |found: io::Result<fs::Metadata>| found.ok().map(|found| (found.dev(), found.ino()));
    identity(file.metadata()).is_some_and(|own| Some(own) == identity(fs::symlink_metadata(path)))
}

fn owned(path: PathBuf) -> Result<TempPath> {
    TempPath::try_from_path(&path).with_context(|| format!("{} is no path of a file", path.display()))
}

/// Syncs the folder of a path: until then a crash may undo a rename.
pub(super) fn sync_parent(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.with_context(|| format!("failed to sync {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A finished backup was emptied by another one that had opened it while it was written.
    #[test]
    fn a_file_that_got_its_name_meanwhile_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let file = File::create(path("b.part")).unwrap();
        assert!(is_at(&file, &path("b.part")));
        fs::rename(path("b.part"), path("b")).unwrap();
        assert!(!is_at(&file, &path("b.part")));
        File::create(path("b.part")).unwrap();
        assert!(!is_at(&file, &path("b.part")));
    }

    #[test]
    fn one_backup_writes_at_a_time_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("b");
        let one = Part::create(&to).unwrap();
        assert!(format!("{:#}", Part::create(&to).err().unwrap()).contains("another backup is writing"));
        drop(one);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        Part::create(&to).unwrap().place().unwrap();
        assert!(format!("{:#}", Part::create(&to).err().unwrap()).contains("exists"));
    }
}
