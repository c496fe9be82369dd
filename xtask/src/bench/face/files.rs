//! The files of the large catalog: one stream of generated rows, cut into files in folders of sources.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    vec,
};

use anyhow::{Context, Result};
use tributary_testkit::feed::{self, OwnColumns};

/// The own columns of the catalog.
pub(super) const COLUMNS: &str = "price,brand";
const HEADER: &[u8] = b"name,sku,description,price,brand\n";
/// Streams of rows. Each draws its names from half as many as it has rows, and all draw from the same, which are 1,250,000 here.
const STREAMS: u64 = 2;
/// Of so many rows one more is set aside.
const ROWS_PER_REJECT: u64 = 17;
/// Files of the first source and of the last one; the others lie between.
const FILES: [u64; 2] = [10, 100];

/// The name of a source and of its folder.
pub(super) fn source(number: u64) -> String {
    format!("s{number:03}")
}

/// Writes `rows` rows into the folders of `sources` sources below `home`. Returns the number of files.
pub(super) fn write(home: &Path, rows: u64, sources: u64) -> Result<usize> {
    let mut places = Vec::new();
    for number in 0..sources {
        let folder = home.join(source(number));
        fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
        let files = FILES[0] + (FILES[1] - FILES[0]) * number / (sources - 1);
        for file in 0..files {
            let (begin, end) = (rows_until(rows / sources, file, files), rows_until(rows / sources, file + 1, files));
            let path = folder.join(format!("feed-{file}.csv"));
            places.push(Place { path, prefix: format!("{}-", source(number)), rows: end - begin });
        }
    }
    let count = places.len();
    let columns: OwnColumns = COLUMNS.parse().map_err(anyhow::Error::msg)?;
    let mut cutter = Cutter { places: places.into_iter(), open: None, record: Vec::new(), is_quoted: false };
    for stream in 0..STREAMS {
        // Each begins with another product, so all skus of a source differ but for the repeats of the generator.
        feed::write_columns(&mut cutter, rows / STREAMS + 1, stream * rows, 1 + stream, &columns)?;
    }
    cutter.flush()?;
    Ok(count)
}

fn rows_until(rows: u64, file: u64, files: u64) -> u64 {
    rows * file / files
}

/// A file to write.
struct Place {
    path: PathBuf,
    /// The beginning of its skus: a source owns a range of them, as a shop does.
    prefix: String,
    rows: u64,
}

/// Cuts a stream of rows into files. It drops what is left when all are full.
struct Cutter {
    places: vec::IntoIter<Place>,
    /// The file in hand, and how many rows it has.
    open: Option<(BufWriter<File>, Place, u64)>,
    /// The record in hand.
    record: Vec<u8>,
    is_quoted: bool,
}

impl Cutter {
    fn put(&mut self) -> io::Result<()> {
        let is_full = self.open.as_ref().is_none_or(|(_, place, rows)| *rows >= place.rows);
        if is_full && !self.next()? {
            return Ok(());
        }
        let Some((out, place, rows)) = &mut self.open else { return Ok(()) };
        // No generated name is quoted.
        let name = self.record.iter().position(|byte| *byte == b',').map_or(0, |comma| comma + 1);
        out.write_all(&self.record[..name])?;
        out.write_all(place.prefix.as_bytes())?;
        out.write_all(&self.record[name..])?;
        *rows += 1;
        if rows.is_multiple_of(ROWS_PER_REJECT) {
            let sku = &place.prefix;
            match *rows / ROWS_PER_REJECT % 3 {
                0 => writeln!(out, "Unknown item {rows},{sku}wide-{rows},a cell too many,1.00,None,6")?,
                _ => writeln!(out, "Unknown item {rows},,a row without a sku is set aside,1.00,None")?,
            }
        }
        Ok(())
    }

    /// Begins the next file. Returns whether there is one.
    fn next(&mut self) -> io::Result<bool> {
        if let Some((mut out, ..)) = self.open.take() {
            out.flush()?;
        }
        let Some(place) = self.places.next() else { return Ok(false) };
        let mut out = BufWriter::new(File::create(&place.path)?);
        out.write_all(HEADER)?;
        self.open = Some((out, place, 0));
        Ok(true)
    }
}

impl Write for Cutter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            self.record.push(*byte);
            self.is_quoted ^= *byte == b'"';
            if *byte == b'\n' && !self.is_quoted {
                if self.record != HEADER {
                    self.put()?;
                }
                self.record.clear();
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.open.as_mut().map_or(Ok(()), |(out, ..)| out.flush())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_gets_its_rows() {
        let home = tempfile::tempdir().unwrap();
        let files = write(home.path(), 4_000, 2).unwrap();
        assert_eq!(files, 110);
        let (mut rows, mut rejects) = (0, 0);
        for (number, files) in [(0, 10), (1, 100)] {
            for file in 0..files {
                let path = home.path().join(source(number)).join(format!("feed-{file}.csv"));
                let text = fs::read_to_string(path).unwrap();
                assert!(text.as_bytes().starts_with(HEADER));
                rows += text.matches(&format!(",{}-", source(number))).count();
                rejects += text.matches("Unknown item").count();
            }
        }
        let wide = 2_000 / 10 / ROWS_PER_REJECT as usize / 3 * 10;
        let each = [2_000 / 10 / ROWS_PER_REJECT as usize * 10, 2_000 / 100 / ROWS_PER_REJECT as usize * 100];
        assert_eq!((rows - 4_000, rejects), (wide, each[0] + each[1]));
    }
}
