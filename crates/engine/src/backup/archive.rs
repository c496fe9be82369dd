//! The file of a backup: members with their hashes, one after the other.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read},
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

/// The version of this layout. Newer programs read older ones.
const FORMAT: u32 = 1;
/// The first member.
const ABOUT: &str = "backup.json";
/// The last member: a line of hash, two blanks and name for each member before it, as `b3sum --check` reads it.
const SUMS: &str = "checksums.blake3";
/// Longest first member.
const MAX_ABOUT_BYTES: u64 = 64 << 10;
/// Level of compression: the fastest that is usual.
const LEVEL: i32 = 3;

/// The database in a backup.
pub(super) const DATABASE: &str = "database.db";
/// The folder of documents in a backup.
pub(super) const UPLOADS: &str = "uploads/";

/// The description of a backup in itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct About {
    format: u32,
    /// Version of the program that wrote it.
    tributary: String,
    /// Identifies it.
    id: String,
    /// The moment that it shows.
    pub(super) created_at: String,
    /// Number of documents.
    pub(super) documents: u64,
}

impl About {
    pub(super) fn new(created_at: String, documents: usize) -> Self {
        let id = uuid::Uuid::new_v4().simple().to_string();
        Self {
            format: FORMAT,
            tributary: env!("CARGO_PKG_VERSION").to_owned(),
            id,
            created_at,
            documents: documents as u64,
        }
    }
}

/// Writes a backup.
pub(super) struct ArchiveWriter {
    tar: tar::Builder<zstd::Encoder<'static, BufWriter<File>>>,
    sums: String,
    /// Time of all members, in seconds since 1970.
    time: u64,
}

impl ArchiveWriter {
    pub(super) fn new(file: File, about: &About, time: u64) -> Result<Self> {
        let mut packed = zstd::Encoder::new(BufWriter::new(file), LEVEL)?;
        packed.include_checksum(true)?;
        let mut writer = Self { tar: tar::Builder::new(packed), sums: String::new(), time };
        let about = serde_json::to_vec_pretty(about)?;
        writer.add(ABOUT, about.len() as u64, about.as_slice())?;
        Ok(writer)
    }

    /// Adds a member of exactly `bytes` bytes, and returns its hash as in a manifest.
    pub(super) fn add(&mut self, name: &str, bytes: u64, content: impl Read) -> Result<String> {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes);
        header.set_mode(0o640);
        header.set_mtime(self.time);
        let mut content = Hashed::new(content.take(bytes));
        self.tar.append_data(&mut header, name, &mut content)?;
        ensure!(content.bytes == bytes, "it ended after {} of {bytes} bytes", content.bytes);
        let hash = content.hasher.finalize().to_hex();
        self.sums.push_str(&format!("{hash}  {name}\n"));
        Ok(format!("blake3:{hash}"))
    }

    /// Adds the hashes, and syncs the file.
    pub(super) fn finish(mut self) -> Result<File> {
        let sums = std::mem::take(&mut self.sums);
        self.add(SUMS, sums.len() as u64, sums.as_bytes())?;
        let file = self.tar.into_inner()?.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(file)
    }
}

/// Reads what a backup says of itself.
///
/// # Errors
/// It is no backup, or of a layout that this program does not know.
pub(super) fn about(path: &Path) -> Result<About> {
    each_member(path, |_, _| Ok(None))
}

/// Unpacks a backup: each member into the file that `create` makes for its name. Everything is synced and compared with its hash.
///
/// # Errors
/// It is no whole backup, or nothing can be written.
pub(super) fn unpack(path: &Path, mut create: impl FnMut(&str) -> Result<File>) -> Result<About> {
    each_member(path, |name, content| {
        let mut file = create(name)?;
        io::copy(content, &mut file).with_context(|| format!("failed to unpack {name}"))?;
        file.sync_all().with_context(|| format!("failed to sync {name}"))?;
        Ok(Some(()))
    })
}

/// Gives each member but the first and the last to `take`, until that returns `None`.
fn each_member(path: &Path, mut take: impl FnMut(&str, &mut dyn Read) -> Result<Option<()>>) -> Result<About> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("failed to open {shown}"))?;
    let no_backup = || format!("{shown} is no backup by `starter backup`");
    let damaged = || format!("{shown} is damaged or not whole; take another backup");
    let packed = zstd::Decoder::with_buffer(BufReader::new(file)).with_context(no_backup)?;
    let mut archive = tar::Archive::new(packed);
    let (mut about, mut sums) = (None, String::new());
    for member in archive.entries().with_context(no_backup)? {
        let mut member = member.context(if about.is_none() { no_backup() } else { damaged() })?;
        let name = member.path().with_context(damaged)?.to_str().with_context(damaged)?.to_owned();
        let mut content = Hashed::new(&mut member);
        match &about {
            None => {
                ensure!(name == ABOUT, no_backup());
                let mut text = Vec::new();
                (&mut content).take(MAX_ABOUT_BYTES).read_to_end(&mut text).with_context(damaged)?;
                about = Some(known(&text).with_context(|| format!("{shown} cannot be restored by this version"))?);
            }
            Some(about) if name == SUMS => {
                let mut stored = String::new();
                content.take(sums.len() as u64 + 1).read_to_string(&mut stored).with_context(damaged)?;
                ensure!(stored == sums, damaged());
                let about: About = about.clone();
                io::copy(&mut archive.into_inner(), &mut io::sink()).with_context(damaged)?;
                return Ok(about);
            }
            Some(about) => {
                match take(&name, &mut content) {
                    Ok(Some(())) => {}
                    Ok(None) => return Ok(about.clone()),
                    // A disk that is full says nothing about the backup.
                    Err(error) if content.has_failed => return Err(error.context(damaged())),
                    Err(error) => return Err(error),
                }
            }
        }
        sums.push_str(&format!("{}  {name}\n", content.hasher.finalize().to_hex()));
    }
    bail!("{}", if about.is_none() { no_backup() } else { damaged() })
}

fn known(text: &[u8]) -> Result<About> {
    #[derive(Deserialize)]
    struct Layout {
        format: u32,
        tributary: String,
    }
    let Layout { format, tributary } = serde_json::from_slice(text).context("what it says of itself cannot be read")?;
    ensure!(format <= FORMAT, "version {tributary} wrote it; use that version");
    serde_json::from_slice(text).context("what it says of itself cannot be read")
}

/// Hashes what is read through it.
struct Hashed<R> {
    inner: R,
    hasher: blake3::Hasher,
    bytes: u64,
    /// Whether something could not be read.
    has_failed: bool,
}

impl<R> Hashed<R> {
    fn new(inner: R) -> Self {
        Self { inner, hasher: blake3::Hasher::new(), bytes: 0, has_failed: false }
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        self.has_failed |= read.is_err();
        let read = read?;
        self.hasher.update(&buffer[..read]);
        self.bytes += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn written(folder: &Path) -> std::path::PathBuf {
        let path = folder.join("b.tar.zst");
        let file = File::create(&path).unwrap();
        let mut writer = ArchiveWriter::new(file, &About::new("2026-11-29T00:00:00Z".to_owned(), 1), 0).unwrap();
        writer.add(DATABASE, 10_000, io::repeat(7)).unwrap();
        writer.add("uploads/a", 3, b"abc".as_slice()).unwrap();
        writer.finish().unwrap();
        path
    }

    fn unpacked(path: &Path, folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
        let mut names = Vec::new();
        unpack(path, |name| {
            names.push(name.to_owned());
            Ok(File::create(folder.join(name.replace('/', "_")))?)
        })?;
        let bytes = |name: &String| std::fs::read(folder.join(name.replace('/', "_"))).unwrap();
        Ok(names.iter().map(|name| (name.clone(), bytes(name))).collect())
    }

    fn whole() -> BTreeMap<String, Vec<u8>> {
        [(DATABASE.to_owned(), vec![7; 10_000]), ("uploads/a".to_owned(), b"abc".to_vec())].into()
    }

    #[test]
    fn members_come_back_and_a_short_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path());
        assert_eq!(about(&path).unwrap().documents, 1);
        assert_eq!(unpacked(&path, folder.path()).unwrap(), whole());
        let file = File::create(folder.path().join("short")).unwrap();
        let mut writer = ArchiveWriter::new(file, &About::new(String::new(), 0), 0).unwrap();
        let error = writer.add("x", 4, b"abc".as_slice()).unwrap_err();
        assert_eq!(error.to_string(), "it ended after 3 of 4 bytes");
    }

    /// A full disk was told as a damaged backup.
    #[test]
    fn a_disk_that_takes_nothing_is_no_fault_of_the_backup() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path());
        let full = |_: &str| Ok(File::options().write(true).open("/dev/full")?);
        let error = format!("{:#}", unpack(&path, full).unwrap_err());
        assert!(error.starts_with("failed to unpack database.db: ") && !error.contains("damaged"), "{error}");
    }

    #[test]
    fn every_damage_is_recognised() {
        let folder = tempfile::tempdir().unwrap();
        let packed = std::fs::read(written(folder.path())).unwrap();
        let path = folder.path().join("damaged");
        let check = |bytes: &[u8], what: &str| {
            std::fs::write(&path, bytes).unwrap();
            let error = unpacked(&path, folder.path()).expect_err(what);
            let text = format!("{error:#}");
            assert!(text.contains("is damaged or not whole") || text.contains("is no backup"), "{what}: {text}");
        };
        for end in 0..packed.len() {
            check(&packed[..end], &format!("cut after {end}"));
        }
        check(&[&packed[..], b"more"].concat(), "something behind it");
        for at in 0..packed.len() {
            let mut bytes = packed.clone();
            bytes[at] ^= 0x10;
            std::fs::write(&path, &bytes).unwrap();
            // Some bits mean nothing.
            if let Ok(found) = unpacked(&path, folder.path()) {
                assert!(found == whole(), "byte {at} was changed, and something else came out");
            }
        }
    }
}
