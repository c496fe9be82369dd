//! The verdict on a content of a file. Several readers may read the same file; it is committed once all of them have committed it.

use anyhow::Result;
use tributary_store::Store;

use super::Reader;

/// The result of reading one content of a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// At least one reader has neither committed nor rejected it.
    Pending,
    /// All readers have committed it.
    Committed {
        /// Rows read, rejects included.
        rows: u64,
        /// Rows that were rejected.
        rejects: u64,
    },
    /// A reader cannot use the file, for this reason.
    Rejected(String),
}

/// The joint verdict of the readers that claim a file.
///
/// # Errors
/// The database fails.
pub(crate) fn verdict<'a>(
    store: &mut Store,
    readers: impl Iterator<Item = &'a dyn Reader>,
    (source, path): (&str, &str),
    hash: &str,
) -> Result<Verdict> {
    let mut verdicts = Vec::new();
    for reader in readers.filter(|reader| reader.claims(path)) {
        let file = store.file_of(&reader.name(), source, path)?;
        verdicts.push(file.map_or(Verdict::Pending, |file| reader.verdict(file, hash)));
    }
    Ok(combine(verdicts))
}

/// Whether any reader has something of a file in its tables.
///
/// # Errors
/// The database fails.
pub(crate) fn is_known<'a>(
    store: &mut Store,
    readers: impl Iterator<Item = &'a dyn Reader>,
    (source, path): (&str, &str),
) -> Result<bool> {
    for reader in readers {
        if store.file_of(&reader.name(), source, path)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Joins the verdicts of all readers. A rejection counts once none is pending. Rows are those of the reader that read most,
/// because all of them read the same file; rejects are added up.
fn combine(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
    let joint = verdicts.into_iter().reduce(|joint, next| match (joint, next) {
        (Verdict::Pending, _) | (_, Verdict::Pending) => Verdict::Pending,
        (rejected @ Verdict::Rejected(_), _) | (_, rejected @ Verdict::Rejected(_)) => rejected,
        (Verdict::Committed { rows, rejects }, Verdict::Committed { rows: more, rejects: others }) => {
            Verdict::Committed { rows: rows.max(more), rejects: rejects + others }
        }
    });
    joint.unwrap_or(Verdict::Pending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reader_counts() {
        let committed = |rows, rejects| Verdict::Committed { rows, rejects };
        let rejected = || Verdict::Rejected("why".into());
        let check = |verdicts: Vec<Verdict>, expect| assert_eq!(combine(verdicts), expect);
        check(vec![], Verdict::Pending);
        check(vec![committed(3, 1), committed(5, 2)], committed(5, 3));
        check(vec![committed(3, 1), Verdict::Pending], Verdict::Pending);
        check(vec![rejected(), Verdict::Pending], Verdict::Pending);
        check(vec![rejected(), committed(3, 1)], rejected());
    }
}
