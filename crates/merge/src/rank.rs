//! Survivorship: the total order in which offers of one sku are compared. The rule is the contract's, section 2 "Winner":
//! priority, then the source's position in the configuration, then the file's path, all ascending; the last one wins.

use std::collections::HashMap;

use crate::{Error, Offer};

/// What decides a file's place in the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankedFile {
    /// The file's number in the database.
    pub file: i64,
    /// Its source's priority; higher wins.
    pub priority: i64,
    /// Its source's position in the configuration; later wins.
    pub position: i64,
    /// Its path inside the source, compared as bytes; later wins.
    pub path: String,
}

/// The rank of every file: a later one wins. Ranks are unique, so no tie is ever left.
#[derive(Debug, Clone, Default)]
pub struct Ranks(HashMap<i64, u32>);

impl Ranks {
    /// Orders all files of all sources.
    #[must_use]
    pub fn new(mut files: Vec<RankedFile>) -> Self {
        files.sort_unstable_by(|a, b| {
            (a.priority, a.position, a.path.as_bytes(), a.file).cmp(&(
                b.priority,
                b.position,
                b.path.as_bytes(),
                b.file,
            ))
        });
        Self(files.into_iter().zip(0..).map(|(file, rank)| (file.file, rank)).collect())
    }

    /// Puts the offers of a sku in order: the last one wins.
    ///
    /// # Errors
    /// As [`Ranks::of`]; never for less than two offers, whose order needs no rank.
    pub(crate) fn sort(&self, offers: &mut [Offer<&str>]) -> Result<(), Error> {
        if offers.len() < 2 {
            return Ok(());
        }
        offers.iter().try_for_each(|offer| self.of(offer.file).map(drop))?;
        offers.sort_by_key(|offer| self.0.get(&offer.file).copied());
        Ok(())
    }

    /// The rank of one file.
    ///
    /// # Errors
    /// The file is not among those that [`Ranks::new`] was given.
    pub fn of(&self, file: i64) -> Result<u32, Error> {
        self.0.get(&file).copied().ok_or(Error::UnknownFile { file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priority_then_position_then_path_decide() {
        let file =
            |file, priority, position, path: &str| RankedFile { file, priority, position, path: path.to_owned() };
        let ranks = Ranks::new(vec![
            file(1, 1, 0, "a"),
            file(2, 0, 1, "é"),
            file(3, 0, 1, "z"),
            file(4, 0, 0, "zz"),
            file(5, -1, 9, "z"),
        ]);
        let mut order: Vec<i64> = (1..=5).collect();
        order.sort_by_key(|file| ranks.of(*file).unwrap());
        assert_eq!(order, [5, 4, 3, 2, 1]);
        assert!(ranks.of(6).is_err());
    }
}
