//! The folder of documents: each is an immutable file that is named after its path and its id. A body is received under a hidden
//! name. Which files count is said by the table `documents`. All calls block: never make them on an async worker.

use std::{
    fs::{self, File},
    io::{self, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use tributary_store::FolderLocks;

use super::fault::Faults;
use crate::disk;

/// Longest name that common file systems accept.
const MAX_NAME_BYTES: usize = 255;
/// Digits of an id.
const ID_DIGITS: usize = 32;
/// The ending of a hidden file that is being received.
const PART: &str = ".part";

/// The folder of documents.
#[derive(Debug, Clone)]
pub(crate) struct DocumentFolder {
    root: PathBuf,
    locks: FolderLocks,
    pub(crate) faults: Faults,
}

/// A file in the folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FoundFile {
    /// A body that is being received, or was when the master stopped. Its upload's id.
    Part(String),
    /// A document: its id and its path, unless that is too long for a name.
    Document { id: String, path: Option<String> },
    /// A file that an earlier version stored under its path, or that a person put there.
    Named(String),
    /// A file that an earlier version kept until the upload with this id had replaced it.
    Former(String),
}

impl DocumentFolder {
    /// The folder at this path, which need not exist.
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, locks: FolderLocks::default(), faults: Faults::default() }
    }

    /// Has the folder taken with `locks` when it is created.
    pub(crate) fn with(self, locks: FolderLocks) -> Self {
        Self { locks, ..self }
    }

    /// Takes the folder for this process: two masters would each delete the files of the other.
    ///
    /// # Errors
    /// Another process has it.
    pub(crate) fn take(&self) -> Result<(), tributary_store::Error> {
        self.locks.acquire(&self.root)
    }

    /// Returns true if the folder exists.
    pub(crate) fn exists(&self) -> bool {
        self.root.is_dir()
    }

    /// Creates the folder unless it exists.
    pub(crate) fn create(&self) -> io::Result<()> {
        self.faults.point("create the folder")?;
        fs::create_dir_all(&self.root)?;
        self.take().map_err(io::Error::other)
    }

    /// Bytes that this process may still write to the disk of the folder. While the folder does not exist, its nearest existing
    /// ancestor tells.
    pub(crate) fn free_bytes(&self) -> io::Result<u64> {
        let existing = self.root.ancestors().find(|folder| folder.exists()).unwrap_or(&self.root);
        disk::free_bytes(existing)
    }

    /// Creates the hidden file for the body of a document.
    pub(crate) fn create_part(&self, id: &str) -> io::Result<File> {
        self.faults.point("create a part")?;
        File::create_new(self.part_path(id))
    }

    /// Opens a body to append to it after its first `bytes` bytes; what lies behind them is cut off.
    pub(crate) fn open_part(&self, id: &str, bytes: u64) -> io::Result<File> {
        self.faults.point("open a part")?;
        let mut file = File::options().read(true).write(true).open(self.part_path(id))?;
        file.set_len(bytes)?;
        file.seek(SeekFrom::End(0))?;
        Ok(file)
    }

    /// Deletes the body of a document that is not stored.
    pub(crate) fn delete_part(&self, id: &str) -> io::Result<()> {
        self.faults.point("delete a part")?;
        unless_missing(fs::remove_file(self.part_path(id)))
    }

    /// Syncs the folder itself: a new file may be lost in a crash until then.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.faults.point("sync the folder")?;
        File::open(&self.root)?.sync_all()
    }

    /// Gives the received body of a stored document its name. Can be repeated. The folder need not be synced: until it is, a crash
    /// may bring back the hidden name, under which the file is found too.
    pub(crate) fn publish(&self, id: &str, path: &str) -> io::Result<()> {
        self.faults.point("rename a part")?;
        unless_missing(fs::rename(self.part_path(id), self.document_path(id, path)))
    }

    /// Opens a document, even while it gets its name.
    pub(crate) fn open(&self, id: &str, path: &str) -> io::Result<File> {
        self.faults.point("open a file")?;
        let (name, part) = (self.document_path(id, path), self.part_path(id));
        // It may be renamed between two attempts, but only from the second name to the first.
        open_existing(&name).or_else(|| open_existing(&part)).unwrap_or_else(|| File::open(&name))
    }

    /// Whether the file of a document is there, even while it gets its name. If that cannot be found out, it is.
    pub(crate) fn has(&self, id: &str, path: &str) -> bool {
        self.paths_of(id, path).iter().any(|path| path.try_exists().unwrap_or(true))
    }

    /// Deletes the file of a document, even while it gets its name.
    pub(crate) fn delete(&self, id: &str, path: &str) -> io::Result<()> {
        self.faults.point("delete a file")?;
        // In this order, so that a rename in between cannot save it.
        unless_missing(fs::remove_file(self.part_path(id)))?;
        unless_missing(fs::remove_file(self.document_path(id, path)))
    }

    /// Takes in a file that has another name, as the document of this id.
    pub(crate) fn adopt(&self, file: &FoundFile, id: &str, path: &str) -> io::Result<()> {
        fs::rename(self.found_path(file), self.document_path(id, path))
    }

    /// All files of the folder that may be documents, in no particular order.
    pub(crate) fn files(&self) -> io::Result<Vec<FoundFile>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            if entry.file_type()?.is_file()
                && let Some(name) = entry.file_name().to_str()
            {
                found.extend(FoundFile::of_name(name));
            }
        }
        Ok(found)
    }

    /// The path of a found file.
    pub(crate) fn found_path(&self, file: &FoundFile) -> PathBuf {
        match file {
            FoundFile::Part(id) => self.part_path(id),
            FoundFile::Document { id, path: Some(path) } => self.document_path(id, path),
            FoundFile::Document { id, path: None } => self.root.join(id),
            FoundFile::Named(name) => self.root.join(name),
            FoundFile::Former(id) => self.root.join(format!(".{id}.former")),
        }
    }

    fn part_path(&self, id: &str) -> PathBuf {
        self.root.join(format!(".{id}{PART}"))
    }

    fn document_path(&self, id: &str, path: &str) -> PathBuf {
        self.root.join(Self::file_name(id, path))
    }

    /// The path of the file of a document.
    pub(crate) fn path_of(&self, id: &str, path: &str) -> PathBuf {
        self.document_path(id, path)
    }

    /// The paths at which the file of a document may be, to be tried in this order: it may get its name meanwhile.
    pub(crate) fn paths_of(&self, id: &str, path: &str) -> [PathBuf; 3] {
        let name = self.document_path(id, path);
        [name.clone(), self.part_path(id), name]
    }

    /// The name of the file of a document.
    pub(crate) fn file_name(id: &str, path: &str) -> String {
        let name = format!("{}.{id}", encoded(path));
        if name.len() > MAX_NAME_BYTES { id.to_owned() } else { name }
    }
}

impl FoundFile {
    /// Whether this is the name of a document's file.
    pub(crate) fn is_document(name: &str) -> bool {
        !name.contains('/') && matches!(Self::of_name(name), Some(Self::Document { .. }))
    }

    fn of_name(name: &str) -> Option<Self> {
        if let Some(hidden) = name.strip_prefix('.') {
            let (id, ending) = hidden.split_at_checked(ID_DIGITS).filter(|(id, _)| is_id(id))?;
            return match ending {
                PART => Some(Self::Part(id.to_owned())),
                ".former" => Some(Self::Former(id.to_owned())),
                _ => None,
            };
        }
        if is_id(name) {
            return Some(Self::Document { id: name.to_owned(), path: None });
        }
        match name.rsplit_once('.').filter(|(_, id)| is_id(id)) {
            Some((path, id)) => Some(Self::Document { id: id.to_owned(), path: Some(decoded(path)?) }),
            None => Some(Self::Named(name.to_owned())),
        }
    }
}

/// Returns true if the text is an id as it is stored: 32 lower-case hex digits.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == ID_DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A path as a part of a file name: `%` and `/` are percent-encoded.
fn encoded(path: &str) -> String {
    path.replace('%', "%25").replace('/', "%2F")
}

fn decoded(name: &str) -> Option<String> {
    let path = name.replace("%2F", "/").replace("%25", "%");
    (encoded(&path) == name).then_some(path)
}

/// Opens a file; none if it does not exist.
fn open_existing(path: &Path) -> Option<io::Result<File>> {
    Some(File::open(path)).filter(|opened| !matches!(opened, Err(error) if error.kind() == io::ErrorKind::NotFound))
}

fn unless_missing(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Returns the length of a file and its hash as in a manifest.
pub(crate) fn hash_file(path: &Path) -> io::Result<(u64, String)> {
    let mut hasher = blake3::Hasher::new();
    let bytes = io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok((bytes, format!("blake3:{}", hasher.finalize().to_hex())))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const A: &str = "0000000000000000000000000000000a";

    fn folder() -> (tempfile::TempDir, DocumentFolder) {
        let parent = tempfile::tempdir().unwrap();
        let folder = DocumentFolder::new(parent.path().join("a/b"));
        folder.create().unwrap();
        (parent, folder)
    }

    #[test]
    fn a_body_becomes_a_document_and_is_deleted() {
        let long = format!("{}.csv", "x".repeat(240));
        for path in ["f.csv", "orders/2026/11/a.csv", "50%.csv", "%2F.csv", "é/ü.csv", &long] {
            let (_parent, folder) = folder();
            folder.create_part(A).unwrap().write_all(b"one").unwrap();
            assert!(folder.create_part(A).is_err());
            assert_eq!(folder.files().unwrap(), [FoundFile::Part(A.into())]);
            assert_eq!(io::read_to_string(folder.open(A, path).unwrap()).unwrap(), "one", "it has no name yet");
            for _ in 0..2 {
                folder.publish(A, path).unwrap();
            }
            assert_eq!(io::read_to_string(folder.open(A, path).unwrap()).unwrap(), "one");
            let known = Some(path.to_owned()).filter(|path| path.len() < 222);
            assert_eq!(folder.files().unwrap(), [FoundFile::Document { id: A.into(), path: known }]);
            for _ in 0..2 {
                folder.delete(A, path).unwrap();
            }
            assert_eq!((folder.files().unwrap(), folder.open(A, path).is_err()), (vec![], true));
        }
    }

    /// A reader that looked for both names while the file was renamed used to find neither, and a file that was deleted meanwhile
    /// could stay.
    #[test]
    fn a_document_is_found_and_deleted_while_it_gets_its_name() {
        let (_parent, folder) = folder();
        for round in 0..500 {
            folder.create_part(A).unwrap();
            std::thread::scope(|scope| {
                scope.spawn(|| folder.publish(A, "f.csv").unwrap());
                match round % 2 {
                    0 => assert!(folder.open(A, "f.csv").is_ok(), "round {round}"),
                    _ => folder.delete(A, "f.csv").unwrap(),
                }
            });
            assert_eq!(folder.files().unwrap().len(), 1 - round % 2, "round {round}");
            folder.delete(A, "f.csv").unwrap();
        }
    }

    #[test]
    fn other_files_are_told_apart() {
        let (_parent, folder) = folder();
        for name in ["a.csv", ".hidden", &format!(".{A}.former"), &format!("%zz%2f.{A}"), &format!(".{A}.other")] {
            fs::write(folder.root.join(name), "x").unwrap();
        }
        fs::create_dir(folder.root.join("folder.csv")).unwrap();
        let mut found = folder.files().unwrap();
        found.sort();
        let strange = FoundFile::Document { id: A.into(), path: Some("%zz%2f".into()) };
        assert_eq!(FoundFile::of_name(&format!("%25zz%252f.{A}")), Some(strange));
        assert_eq!(found, [FoundFile::Named("a.csv".into()), FoundFile::Former(A.into())]);
        assert_eq!(hash_file(&folder.root.join("a.csv")).unwrap().0, 1);
        assert!(folder.free_bytes().unwrap() > 0);
    }
}
