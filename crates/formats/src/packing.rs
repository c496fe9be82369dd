//! Packings: how a file is compressed on disk, and an HTTP body on its way.

use std::fmt;

use crate::strip_ending;

/// The compression of a file or an HTTP body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Not compressed.
    None,
    /// gzip (RFC 1952), in files that end in `.gz`.
    Gzip,
    /// Zstandard (RFC 8878), in files that end in `.zst`.
    Zstd,
}

impl Packing {
    /// The packings that compress.
    pub(crate) const COMPRESSING: [Self; 2] = [Self::Gzip, Self::Zstd];

    /// The packing that a file name tells by its ending, in any case.
    #[must_use]
    pub fn of(path: &str) -> Self {
        Self::split(path).1
    }

    /// The path without the ending of its packing, and that packing. Only one ending is taken off.
    pub(crate) fn split(path: &str) -> (&str, Self) {
        Self::COMPRESSING
            .into_iter()
            .find_map(|packing| Some((strip_ending(path, packing.ending())?, packing)))
            .unwrap_or((path, Self::None))
    }

    /// The ending of packed files, with its dot; empty for [`Packing::None`].
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }

    /// The HTTP content coding, as in `Content-Encoding`.
    #[must_use]
    pub const fn content_coding(self) -> &'static str {
        match self {
            Self::None => "identity",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// Its name in messages and in JSON.
impl fmt::Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_tells_the_packing() {
        let check = |path, stem, packing| assert_eq!(Packing::split(path), (stem, packing), "{path}");
        check("a.csv", "a.csv", Packing::None);
        check("a.CSV.GZ", "a.CSV", Packing::Gzip);
        check("b/a.tsv.zst", "b/a.tsv", Packing::Zstd);
        check("a.csv.gz.zst", "a.csv.gz", Packing::Zstd);
        check("gz", "gz", Packing::None);
        check("", "", Packing::None);
        check("é", "é", Packing::None);
        // The ending would begin inside the last character.
        check("aé", "aé", Packing::None);
    }
}
