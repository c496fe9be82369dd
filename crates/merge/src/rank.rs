//! Survivorship: the order that decides which offer for a sku wins (docs/reference/README.md#winner). Files are ordered by
//! priority, then by the source's position in the configuration, then by key, then by path, all ascending. The last one wins.

use std::collections::HashMap;

use crate::error::Error;

/// A file with the values that decide its rank, in the order in which they count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RankedFile {
    /// Priority of its source. Higher wins.
    pub priority: i64,
    /// Position of its source in the configuration. Later wins.
    pub position: i64,
    /// Key within the source, compared as bytes. Later wins.
    pub key: String,
    /// Path within the source, compared as bytes. Later wins.
    pub path: String,
    /// The file's number in the database.
    pub file: i64,
    /// The number of its source. It does not count: the position tells sources apart.
    pub source: i64,
}

/// Ranks and sources by file number. The higher rank wins. Ranks are unique, so there are no ties.
#[derive(Debug, Clone, Default)]
pub struct Ranks(HashMap<i64, (u32, i64)>);

impl Ranks {
    /// Ranks the files of all sources.
    #[must_use]
    pub fn new(mut files: Vec<RankedFile>) -> Self {
        files.sort_unstable();
        Self(files.into_iter().zip(0..).map(|(file, rank)| (file.file, (rank, file.source))).collect())
    }

    /// The rank of one file.
    ///
    /// # Errors
    /// The file was not passed to [`Ranks::new`].
    pub fn of(&self, file: i64) -> Result<u32, Error> {
        Ok(self.entry(file)?.0)
    }

    /// The source of one file.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub(crate) fn source_of(&self, file: i64) -> Result<i64, Error> {
        Ok(self.entry(file)?.1)
    }

    fn entry(&self, file: i64) -> Result<(u32, i64), Error> {
        self.0.get(&file).copied().ok_or(Error::UnknownFile { file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priority_then_position_then_key_then_path_decide() {
        let file = |file, priority, position, key: &str, path: &str| RankedFile {
            priority,
            position,
            key: key.to_owned(),
            path: path.to_owned(),
            file,
            source: position,
        };
        let ranks = Ranks::new(vec![
            file(1, 1, 0, "", "a"),
            file(2, 0, 1, "k", "a"),
            file(3, 0, 1, "", "é"),
            file(4, 0, 1, "", "z"),
            file(5, 0, 0, "z", "zz"),
            file(6, -1, 9, "", "z"),
        ]);
        let mut order: Vec<i64> = (1..=6).collect();
        order.sort_by_key(|file| ranks.of(*file).unwrap());
        assert_eq!(order, [6, 5, 4, 3, 2, 1]);
        assert!(ranks.of(7).is_err());
    }
}
