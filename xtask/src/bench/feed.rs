//! A generated feed on disk whose middle row can be changed. It is never held in memory: the peak memory that Linux reports for a child is
//! at least that of its parent; see `usage`.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use tributary_testkit::feed::{OwnColumn, OwnColumns};

use crate::generate;

/// A served feed, and the file that it is made from.
pub(super) struct Feed {
    /// The file that masters and peers read.
    pub(super) path: PathBuf,
    /// The generated rows without the row that changes, outside the served folder.
    original: PathBuf,
    /// The place in `original` where the row that changes belongs, in bytes.
    middle: u64,
    /// The sku of the row that changes. No generated row has it.
    pub(super) sku: String,
    /// Its description and own columns. `{name}` stands for the name of the moment.
    rest: String,
}

impl Feed {
    /// Generates `rows` rows in total, with the generator's `first` and `seed`. Nothing is at `path` before [`Feed::write`].
    pub(super) fn generate(path: PathBuf, original: PathBuf, rows: u64, first: u64, seed: u64) -> Result<Self> {
        Self::generate_columns(path, original, rows, first, seed, &OwnColumns::default())
    }

    /// The same with own columns. A brand in the row that changes is its name.
    pub(super) fn generate_columns(
        path: PathBuf,
        original: PathBuf,
        rows: u64,
        first: u64,
        seed: u64,
        columns: &OwnColumns,
    ) -> Result<Self> {
        ensure!(rows > 1, "give at least two rows: one of them changes");
        generate::write_columns(&original, rows - 1, first, seed, columns)?;
        let middle = middle(&original).with_context(|| format!("failed to read {}", original.display()))?;
        let rest = columns.columns().iter().map(|column| format!(",{}", value(*column))).collect();
        Ok(Self { path, original, middle, sku: format!("changing-{first}"), rest })
    }

    /// Writes the whole file in place, as most programs save, with `name` in the row that changes.
    pub(super) fn write(&self, name: &str) -> Result<()> {
        let write = || {
            let (mut original, mut out) = (File::open(&self.original)?, File::create(&self.path)?);
            io::copy(&mut (&mut original).take(self.middle), &mut out)?;
            out.write_all(format!("{name},{},{}\n", self.sku, self.rest.replace("{name}", name)).as_bytes())?;
            io::copy(&mut original, &mut out)
        };
        write().with_context(|| format!("failed to write {}", self.path.display()))?;
        Ok(())
    }

    /// Computes the hash that a data-source gives this content.
    pub(super) fn hash(&self) -> Result<String> {
        let mut hasher = blake3::Hasher::new();
        let read = File::open(&self.path).and_then(|file| hasher.update_reader(file).map(drop));
        read.with_context(|| format!("failed to read {}", self.path.display()))?;
        Ok(format!("blake3:{}", hasher.finalize().to_hex()))
    }
}

/// The value of an own column in the row that changes.
fn value(column: OwnColumn) -> &'static str {
    match column {
        OwnColumn::Price => "9.99",
        OwnColumn::Stock => "5",
        OwnColumn::Brand => "{name}",
        OwnColumn::Gtin => "4006381333931",
        OwnColumn::Category => "Office > Pens",
        OwnColumn::Image => "https://img.example.com/changing.jpg",
    }
}

/// Finds the end of a row in the middle of a generated feed. A line that ends in `. ` ends a row without quotes, and one that ends in `.jpg`
/// a row whose last column is an image: inside generated quotes no line ends so.
fn middle(original: &Path) -> io::Result<u64> {
    let length = fs::metadata(original)?.len();
    let mut lines = BufReader::new(File::open(original)?);
    let mut at = lines.seek(SeekFrom::Start(length / 2))?;
    let mut line = Vec::new();
    // A short feed may have no such line after its middle; then its end is taken.
    while !line.ends_with(b". \n") && !line.ends_with(b".jpg\n") && at < length {
        line.clear();
        at += lines.read_until(b'\n', &mut line)? as u64;
    }
    Ok(at)
}
