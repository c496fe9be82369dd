//! The folder of uploaded files, and what is done in it: a body is received under a hidden name and renamed when it is whole; a
//! file that it replaces is kept under another hidden name until that is known to be right. Each step can be taken again after
//! a crash. Blocking: never on an async worker.

use std::{
    fs::{self, File},
    io,
    path::PathBuf,
};

/// The folder.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    folder: PathBuf,
}

/// What has a name in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum There {
    /// Nothing.
    Nothing,
    /// A file.
    File,
    /// A folder, a link, or worse.
    Other,
}

/// A hidden file of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A body that is coming in, of the upload with this id.
    Part(String),
    /// What the upload with this id takes the place of.
    Former(String),
}

impl Shelf {
    /// The folder at this path, which need not be there.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Whether the folder is there.
    pub(crate) fn exists(&self) -> bool {
        self.folder.is_dir()
    }

    /// Makes the folder if need be.
    pub(crate) fn make(&self) -> io::Result<()> {
        fs::create_dir_all(&self.folder)
    }

    /// Bytes that this process may still write to the disk on which it is, or will be.
    pub(crate) fn free(&self) -> io::Result<u64> {
        let there = self.folder.ancestors().find(|folder| folder.exists()).unwrap_or(&self.folder);
        let disk = rustix::fs::statvfs(there)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// What has this name.
    pub(crate) fn there(&self, filename: &str) -> There {
        match fs::symlink_metadata(self.file(filename)) {
            Ok(metadata) if metadata.is_file() => There::File,
            Err(error) if error.kind() == io::ErrorKind::NotFound => There::Nothing,
            _ => There::Other,
        }
    }

    /// A new file for the body of an upload.
    pub(crate) fn begin(&self, id: &str) -> io::Result<File> {
        File::create_new(self.part(id))
    }

    /// Gives a received body its name; what it replaces is kept, which is what the upload `rival` kept that it drives out. Does
    /// nothing if that was done before, and says whether it did.
    pub(crate) fn publish(&self, id: &str, filename: &str, replaces: bool, rival: Option<&str>) -> io::Result<bool> {
        if !self.part(id).exists() {
            return Ok(false);
        }
        let (path, former) = (self.file(filename), self.former(id));
        if replaces && !former.exists() {
            let kept = rival.map(|rival| self.former(rival)).filter(|kept| kept.exists());
            match kept {
                Some(kept) => fs::rename(kept, &former)?,
                None if rival.is_some() => {}
                // Where a file can have but one name, it loses this one for a moment.
                None => fs::hard_link(&path, &former).or_else(|_| fs::rename(&path, &former))?,
            }
        }
        fs::rename(self.part(id), path)?;
        self.sync()?;
        Ok(true)
    }

    /// Removes what was received of a body.
    pub(crate) fn discard(&self, id: &str) -> io::Result<()> {
        unless_gone(fs::remove_file(self.part(id)))
    }

    /// The upload's file stays: removes what it has replaced.
    pub(crate) fn keep(&self, id: &str) -> io::Result<()> {
        unless_gone(fs::remove_file(self.former(id)))
    }

    /// The upload's file goes, and what it has replaced comes back.
    pub(crate) fn take_back(&self, id: &str, filename: &str, replaces: bool) -> io::Result<()> {
        if !replaces {
            self.keep(id)?;
            return self.remove(filename);
        }
        match fs::rename(self.former(id), self.file(filename)) {
            // It was taken back before.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            renamed => renamed.and_then(|()| self.sync()),
        }
    }

    /// Removes a file.
    pub(crate) fn remove(&self, filename: &str) -> io::Result<()> {
        unless_gone(fs::remove_file(self.file(filename)))?;
        self.sync()
    }

    /// All hidden files of uploads.
    pub(crate) fn pieces(&self) -> io::Result<Vec<Piece>> {
        let mut pieces = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let Some((id, kind)) = name.to_str().and_then(|name| name.strip_prefix('.')?.split_once('.')) else {
                continue;
            };
            if super::name::id(id).is_ok_and(|written| written == id) {
                match kind {
                    "part" => pieces.push(Piece::Part(id.to_owned())),
                    "former" => pieces.push(Piece::Former(id.to_owned())),
                    _ => {}
                }
            }
        }
        Ok(pieces)
    }

    /// Whether an upload keeps a file that it has replaced.
    pub(crate) fn has_former(&self, id: &str) -> bool {
        self.former(id).exists()
    }

    fn file(&self, filename: &str) -> PathBuf {
        self.folder.join(filename)
    }

    fn part(&self, id: &str) -> PathBuf {
        self.folder.join(format!(".{id}.part"))
    }

    fn former(&self, id: &str) -> PathBuf {
        self.folder.join(format!(".{id}.former"))
    }

    /// A rename holds once its folder is on disk.
    fn sync(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

fn unless_gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const A: &str = "0000000000000000000000000000000a";
    const B: &str = "0000000000000000000000000000000b";

    fn shelf() -> (tempfile::TempDir, Shelf) {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(folder.path().join("a/b"));
        shelf.make().unwrap();
        (folder, shelf)
    }

    fn receive(shelf: &Shelf, id: &str, content: &str) {
        shelf.begin(id).unwrap().write_all(content.as_bytes()).unwrap();
    }

    #[track_caller]
    fn check(shelf: &Shelf, content: Option<&str>, pieces: &[Piece]) {
        assert_eq!(fs::read_to_string(shelf.file("f.csv")).ok().as_deref(), content);
        assert_eq!(shelf.pieces().unwrap(), pieces);
    }

    #[test]
    fn a_new_file_comes_and_goes() {
        let (_folder, shelf) = shelf();
        receive(&shelf, A, "one");
        check(&shelf, None, &[Piece::Part(A.into())]);
        assert!(shelf.begin(A).is_err());
        for _ in 0..2 {
            shelf.publish(A, "f.csv", false, None).unwrap();
            check(&shelf, Some("one"), &[]);
        }
        for _ in 0..2 {
            shelf.take_back(A, "f.csv", false).unwrap();
            check(&shelf, None, &[]);
        }
        receive(&shelf, B, "two");
        shelf.discard(B).unwrap();
        shelf.discard(B).unwrap();
        check(&shelf, None, &[]);
    }

    #[test]
    fn what_is_replaced_comes_back_or_goes() {
        let (_folder, shelf) = shelf();
        let replace = |content: &str| {
            fs::write(shelf.file("f.csv"), "former").unwrap();
            receive(&shelf, A, content);
            shelf.publish(A, "f.csv", true, None).unwrap();
            check(&shelf, Some(content), &[Piece::Former(A.into())]);
        };
        replace("one");
        for _ in 0..2 {
            shelf.take_back(A, "f.csv", true).unwrap();
            check(&shelf, Some("former"), &[]);
        }
        replace("two");
        shelf.keep(A).unwrap();
        shelf.keep(A).unwrap();
        check(&shelf, Some("two"), &[]);
    }

    #[test]
    fn what_a_rival_has_replaced_is_kept_by_the_one_that_drives_it_out() {
        let (_folder, shelf) = shelf();
        fs::write(shelf.file("f.csv"), "former").unwrap();
        receive(&shelf, A, "one");
        shelf.publish(A, "f.csv", true, None).unwrap();
        receive(&shelf, B, "two");
        shelf.publish(B, "f.csv", true, Some(A)).unwrap();
        check(&shelf, Some("two"), &[Piece::Former(B.into())]);
        shelf.take_back(B, "f.csv", true).unwrap();
        check(&shelf, Some("former"), &[]);
    }

    #[test]
    fn what_is_there_is_told_apart() {
        let (_folder, shelf) = shelf();
        fs::create_dir(shelf.file("folder.csv")).unwrap();
        fs::write(shelf.file("f.csv"), "").unwrap();
        std::os::unix::fs::symlink("f.csv", shelf.file("link.csv")).unwrap();
        let check = |name: &str, expect: There| assert_eq!(shelf.there(name), expect, "{name}");
        check("f.csv", There::File);
        check("folder.csv", There::Other);
        check("link.csv", There::Other);
        check("none.csv", There::Nothing);
        assert!(shelf.free().unwrap() > 0);
    }
}
