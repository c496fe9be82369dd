//! Hashes a file that is still being written, up to its last complete record.

use std::{
    io::{self, Read},
    path::Path,
};

use tributary_formats::Packing;

use crate::{
    index::{Hashed, KnownContent},
    open::open_file,
    records::{HEAD_BYTES, Records, has_lines},
    shared::Shared,
};

const BUFFER_BYTES: usize = 256 * 1024;

/// Result of cutting a file.
#[derive(Debug)]
pub(crate) enum CutOutcome {
    /// The bytes up to the last complete record.
    Cut {
        hashed: Hashed,
        /// Whether the known content stands at its beginning, or none is known.
        extends_known: bool,
    },
    /// It cannot be cut, and why.
    Whole(&'static str),
    Vanished,
}

/// Cuts a file behind its last complete record.
pub(crate) fn cut_file(
    root: &Path,
    path: &str,
    known: Option<&KnownContent>,
    shared: &Shared,
) -> io::Result<CutOutcome> {
    if Packing::of(path) != Packing::None {
        return Ok(CutOutcome::Whole("it is packed"));
    }
    let Some((file, stat)) = open_file(root, Path::new(path))? else { return Ok(CutOutcome::Vanished) };
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut prefixes = Prefixes::new(known);
    // What is appended meanwhile is for the next time.
    let mut file = file.take(stat.size);
    loop {
        // A stop must not wait for a large file.
        if shared.is_stopping() {
            return Ok(CutOutcome::Vanished);
        }
        let piece = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => &buffer[..read],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if prefixes.read == 0 && !has_lines(&piece[..piece.len().min(HEAD_BYTES)]) {
            return Ok(CutOutcome::Whole("it is packed or UTF-16"));
        }
        prefixes.take(piece);
        shared.count_hashed(piece.len());
    }
    Ok(match prefixes.complete {
        Some((size, hash)) => {
            CutOutcome::Cut { hashed: Hashed::part(hash, stat, size), extends_known: prefixes.extends_known }
        }
        None => CutOutcome::Whole("it has no complete line"),
    })
}

/// Hashes of two prefixes of a file: up to its last complete record, and as long as the known content.
struct Prefixes<'a> {
    known: Option<&'a KnownContent>,
    /// Stays false for a file that is shorter than the known content.
    extends_known: bool,
    hasher: blake3::Hasher,
    records: Records,
    read: u64,
    /// Length and hash.
    complete: Option<(u64, String)>,
}

impl<'a> Prefixes<'a> {
    fn new(known: Option<&'a KnownContent>) -> Self {
        Self {
            known,
            extends_known: known.is_none(),
            hasher: blake3::Hasher::new(),
            records: Records::new(),
            read: 0,
            complete: None,
        }
    }

    fn take(&mut self, piece: &[u8]) {
        let end = self.records.end_in(piece);
        let known = self.known.and_then(|known| usize::try_from(known.size.checked_sub(self.read)?).ok());
        let known = known.filter(|at| *at <= piece.len());
        let mut ends = [end, known];
        ends.sort_unstable();
        let mut hashed = 0;
        for at in ends.into_iter().flatten() {
            self.hasher.update(&piece[hashed..at]);
            hashed = at;
            if Some(at) == end {
                self.complete = Some((self.read + at as u64, crate::hash::text(&self.hasher)));
            }
            if Some(at) == known {
                self.extends_known = self.known.is_some_and(|known| known.hash == crate::hash::text(&self.hasher));
            }
        }
        self.hasher.update(&piece[hashed..]);
        self.read += piece.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(content: &str) -> String {
        format!("blake3:{}", blake3::hash(content.as_bytes()).to_hex())
    }

    /// Takes a content in pieces of this size; returns the hash up to the last record, and whether it extends the known one.
    fn prefixes(content: &str, known: Option<&str>, piece: usize) -> (Option<(u64, String)>, bool) {
        let known = known.map(|known| KnownContent { size: known.len() as u64, hash: hash(known) });
        let mut prefixes = Prefixes::new(known.as_ref());
        content.as_bytes().chunks(piece).for_each(|piece| prefixes.take(piece));
        (prefixes.complete, prefixes.extends_known)
    }

    #[test]
    fn a_prefix_has_the_hash_of_its_bytes() {
        let check = |content: &str, known: Option<&str>, complete: &str, extends_known: bool| {
            let complete = (!complete.is_empty()).then(|| (complete.len() as u64, hash(complete)));
            for piece in [1, 2, 3, 5, 100] {
                let found = prefixes(content, known, piece);
                assert_eq!(found, (complete.clone(), extends_known), "{content:?} {known:?} {piece}");
            }
        };
        check("sku\n1\n2", None, "sku\n1\n", true);
        check("sku\n1\n2", Some("sku\n"), "sku\n1\n", true);
        check("sku\n1\n2", Some("sku\n1\n"), "sku\n1\n", true);
        check("sku\n1\n2", Some("sku\n1\n2"), "sku\n1\n", true);
        check("sku\n1\n2", Some("sku\n3\n"), "sku\n1\n", false);
        check("sku\n1\n2", Some("sku\n1\n2\n"), "sku\n1\n", false);
        check("sku", Some("sk"), "", true);
        check("sku", None, "", true);
    }

    #[test]
    fn what_cannot_be_cut_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let check = |name: &str, content: &[u8], expect: Option<&str>| {
            std::fs::write(folder.path().join(name), content).unwrap();
            let found = match cut_file(folder.path(), name, None, &Shared::default()).unwrap() {
                CutOutcome::Whole(reason) => Some(reason),
                CutOutcome::Cut { .. } => None,
                CutOutcome::Vanished => Some("vanished"),
            };
            assert_eq!(found, expect, "{name}");
        };
        check("a.csv", b"sku\n1", None);
        check("b.csv.gz", b"sku\n1", Some("it is packed"));
        check("c.csv", b"\xFF\xFEs\0\n\0", Some("it is packed or UTF-16"));
        check("d.csv", b"sku", Some("it has no complete line"));
        check("e.csv", b"", Some("it has no complete line"));
    }
}
