//! Segments of a content, each with the skus of its rows, in a file of their own:
//!
//! `MAGIC`, the id of the content and the seed of the digests, then for each segment, in file order, a head of fixed length and the skus of its good rows (length in two bytes, text); then
//! the number of segments, the number of offers, and a digest of all before. All numbers are little endian.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    os::unix::fs::FileExt,
};

use tempfile::{NamedTempFile, TempPath};
use tributary_csv_gate::Segment;
use xxhash_rust::xxh3::Xxh3;

use super::ContentId;

/// Changes with the layout.
const MAGIC: &[u8; 8] = b"TRIBSEG2";
/// Digest, rules, mark, bytes, lines, rows, repaired, the first line, the bytes of skus, and whether it is regular.
const HEAD_BYTES: usize = 16 + 16 + 7 * 8 + 1;
const END_BYTES: usize = 8 + 8 + 16;
pub(super) const ID_BYTES: usize = 16;
/// Bytes that are read or written at a time.
const BUFFER_BYTES: usize = 256 << 10;

/// A segment in the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    pub(crate) segment: Segment,
    /// The line on which it begins.
    pub(crate) line: u64,
    /// The place of its skus in the file.
    start: u64,
    len: u64,
}

/// An earlier content, as it is remembered.
pub(crate) struct KnownFile {
    pub(super) id: [u8; ID_BYTES],
    /// That of the digests.
    pub(crate) seed: u64,
    file: File,
    pub(crate) segments: Vec<Placed>,
    /// The number of its offers: of skus, each once.
    pub(crate) offers: u64,
}

/// The skus of the rows of a segment, one after the other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Skus(Vec<u8>);

/// A content that is being read, on its way to the cache.
pub(crate) struct NewSegments {
    out: BufWriter<NamedTempFile>,
    digest: Xxh3,
    segments: u64,
    content: ContentId,
    seed: u64,
}

/// A content that was read, in a file that is deleted unless it is kept.
pub(crate) struct Remembered {
    pub(super) path: TempPath,
    /// Its name when it is kept.
    pub(super) name: String,
}

impl Skus {
    /// Adds a sku.
    pub(crate) fn push(&mut self, sku: &str) {
        // Fits: the CSV gate rejects longer skus than 1 KiB.
        self.0.extend_from_slice(&(sku.len() as u16).to_le_bytes());
        self.0.extend_from_slice(sku.as_bytes());
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The skus in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = io::Result<&str>> {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let sku = take_sku(&mut rest);
            if sku.is_none() {
                rest = &[];
            }
            Some(sku.ok_or_else(|| io::Error::other("skus that do not decode")))
        })
    }
}

fn take_sku<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let (len, after) = rest.split_first_chunk()?;
    let (sku, after) = after.split_at_checked(u16::from_le_bytes(*len).into())?;
    *rest = after;
    std::str::from_utf8(sku).ok()
}

impl KnownFile {
    /// Reads and checks a file, but for the skus.
    ///
    /// # Errors
    /// It cannot be read, or is damaged.
    pub(super) fn read(file: File) -> io::Result<Self> {
        let damaged = || io::Error::other("its digest is wrong");
        let all = file.metadata()?.len();
        let content = all.checked_sub(END_BYTES as u64).ok_or_else(damaged)?;
        let mut input =
            Digesting { inner: BufReader::with_capacity(BUFFER_BYTES, &file), digest: Xxh3::new(), read: 0 };
        if input.array::<8>()? != *MAGIC {
            return Err(damaged());
        }
        let (id, seed) = (input.array()?, input.number()?);
        let mut segments = Vec::new();
        while input.read < content {
            let placed = Placed::read(&mut input)?;
            let left = content.checked_sub(input.read).filter(|left| placed.len <= *left).ok_or_else(damaged)?;
            let copied = io::copy(&mut (&mut input).take(placed.len.min(left)), &mut io::sink())?;
            if copied != placed.len {
                return Err(damaged());
            }
            segments.push(placed);
        }
        let (count, offers) = (input.number()?, input.number()?);
        let digest = input.digest.digest128();
        if u128::from_le_bytes(input.array()?) != digest || count != segments.len() as u64 {
            return Err(damaged());
        }
        drop(input);
        Ok(Self { id, seed, file, segments, offers })
    }

    /// Reads the skus of a segment.
    ///
    /// # Errors
    /// They cannot be read.
    pub(crate) fn skus(&self, segment: usize) -> io::Result<Skus> {
        skus(&self.file, self.segments[segment])
    }
}

fn skus(file: &File, placed: Placed) -> io::Result<Skus> {
    let mut skus = vec![0; placed.len as usize];
    file.read_exact_at(&mut skus, placed.start)?;
    Ok(Skus(skus))
}

impl Placed {
    fn read(input: &mut Digesting<'_>) -> io::Result<Self> {
        let (digest, rules) = (u128::from_le_bytes(input.array()?), u128::from_le_bytes(input.array()?));
        let (mark, bytes, lines) = (input.number()?, input.number()?, input.number()?);
        let (rows, repaired) = (input.number()?, input.number()?);
        let (line, len) = (input.number()?, input.number()?);
        let [is_regular] = input.array()?;
        let segment = Segment { digest, rules, mark, bytes, lines, rows, repaired, is_regular: is_regular != 0 };
        Ok(Self { segment, line, start: input.read, len })
    }

    fn head(&self) -> [u8; HEAD_BYTES] {
        let Self { segment, line, len, .. } = self;
        let Segment { digest, rules, mark, bytes, lines, rows, repaired, is_regular } = *segment;
        let mut head = [0; HEAD_BYTES];
        head[..16].copy_from_slice(&digest.to_le_bytes());
        head[16..32].copy_from_slice(&rules.to_le_bytes());
        for (place, number) in head[32..].chunks_exact_mut(8).zip([mark, bytes, lines, rows, repaired, *line, *len]) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        head[HEAD_BYTES - 1] = u8::from(is_regular);
        head
    }
}

/// Reads a file and digests it.
struct Digesting<'a> {
    inner: BufReader<&'a File>,
    digest: Xxh3,
    read: u64,
}

impl Digesting<'_> {
    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn number(&mut self) -> io::Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }
}

impl Read for Digesting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.digest.update(&buffer[..read]);
        self.read += read as u64;
        Ok(read)
    }
}

impl NewSegments {
    pub(super) fn new(file: NamedTempFile, content: &ContentId, seed: u64) -> Self {
        let out = BufWriter::with_capacity(BUFFER_BYTES, file);
        Self { out, digest: Xxh3::new(), segments: 0, content: content.clone(), seed }
    }

    /// Writes what stands before the first segment.
    fn begin(&mut self) -> io::Result<()> {
        let id = self.content.id;
        self.write(MAGIC)?;
        self.write(&id)?;
        self.write(&self.seed.to_le_bytes())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.out.write_all(bytes)
    }

    /// Adds the next segment of the file.
    ///
    /// # Errors
    /// The disk is full, or fails.
    pub(crate) fn push(&mut self, segment: Segment, line: u64, skus: &Skus) -> io::Result<()> {
        if self.segments == 0 {
            self.begin()?;
        }
        let placed = Placed { segment, line, start: 0, len: skus.0.len() as u64 };
        self.write(&placed.head())?;
        self.write(&skus.0)?;
        self.segments += 1;
        Ok(())
    }

    /// Ends the file of a content that gives so many offers.
    ///
    /// # Errors
    /// The disk is full, or fails.
    pub(crate) fn finish(mut self, offers: u64) -> io::Result<Remembered> {
        if self.segments == 0 {
            self.begin()?;
        }
        self.write(&self.segments.to_le_bytes())?;
        self.write(&offers.to_le_bytes())?;
        let digest = self.digest.digest128();
        self.out.write_all(&digest.to_le_bytes())?;
        let file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        // Closed: many files may wait to be applied.
        Ok(Remembered { path: file.into_temp_path(), name: self.content.name })
    }
}

#[cfg(test)]
mod tests;
