//! Findings about objects of buckets: whether any CSV reader reads them alike, so that a cluster can. Nobody beside a bucket tells, so it is
//! found when an object is read for a report, and kept in the database as long as the object is listed.

use std::collections::{HashMap, hash_map::Entry};

use anyhow::{Context as _, Result};
use tributary_protocol::{FormatSpec, ManifestEntry, PlainLine};
use tributary_report::partial_format;
use tributary_store::{FileRow, PlainFileRow, Store};

use super::AppliedContent;
use crate::{
    database::{Readers, Writer},
    input::FileToRead,
};

/// Longest finding that is kept: that about a file of some 500 columns.
const MAX_FINDING_BYTES: usize = 64 << 10;
/// Paths that are compared with a list at a time.
const PATHS_PER_PAGE: i64 = 1_024;

/// Findings that are not stored yet, by path.
#[derive(Default)]
pub(super) struct NewFindings(HashMap<String, PlainFileRow>);

impl NewFindings {
    /// Takes in what was found about a file.
    pub(super) fn put(&mut self, source: i64, file: &FileToRead, found: &PlainLine) -> Result<()> {
        let mut answer = serde_json::to_string(found).context("failed to write a finding about a file")?;
        if answer.len() > MAX_FINDING_BYTES {
            let reason = format!("what there is to know of its columns takes more than {MAX_FINDING_BYTES} bytes");
            answer = serde_json::to_string(&PlainLine::NotPlain { reason }).context("failed to write a reason")?;
        }
        let ManifestEntry { path, hash, .. } = file.entry.clone();
        let row = PlainFileRow { source_id: source, way: way(&file.format)?, path: path.clone(), hash, answer };
        self.0.insert(path, row);
        Ok(())
    }

    /// All of them, which are to be stored.
    pub(super) fn take(&mut self) -> Vec<PlainFileRow> {
        std::mem::take(&mut self.0).into_values().collect()
    }
}

/// Reads the findings about files of a source, by path. There is none about one that has another content now, or is read in another way.
///
/// # Errors
/// The database fails.
pub(super) async fn known<'a>(
    readers: &Readers,
    source: i64,
    files: impl IntoIterator<Item = &'a FileToRead>,
) -> Result<HashMap<String, PlainLine>> {
    let mut wanted: HashMap<String, &FileToRead> = HashMap::new();
    for file in files {
        if let Entry::Vacant(vacant) = wanted.entry(file.entry.path.clone()) {
            vacant.insert(file);
        }
    }
    let paths: Vec<String> = wanted.keys().cloned().collect();
    let rows = readers.run(move |store| Ok(store.plain_files_at(source, &paths)?)).await?;
    let is_wanted = |row: &PlainFileRow| wanted.get(&row.path).is_some_and(|file| is_of(row, file));
    let rows = rows.into_iter().filter(is_wanted);
    Ok(rows.filter_map(|row| line(&row).map(|line| (row.path, line))).collect())
}

/// Files of a source that have gone since the findings about them were last compared with its list.
pub(super) struct LostFiles {
    /// Whether there are findings about files of this source at all.
    has_findings: bool,
    /// Their paths; `None`: nobody knows.
    paths: Option<Vec<String>>,
}

impl LostFiles {
    /// Nothing is known yet.
    pub(super) fn new(has_findings: bool) -> Self {
        Self { has_findings, paths: None }
    }

    /// Adds files that a report has lost. The source may still list them.
    pub(super) fn add(&mut self, removed: &[FileRow]) {
        if let Some(lost) = self.paths.as_mut().filter(|_| self.has_findings) {
            lost.extend(removed.iter().map(|row| row.path.clone()));
        }
    }

    /// Forgets the findings about those that are not listed any more.
    ///
    /// # Errors
    /// The database fails. All findings are compared the next time.
    pub(super) async fn forget(
        &mut self,
        database: (&Readers, &Writer),
        source: i64,
        content: &AppliedContent,
    ) -> Result<(), String> {
        let forgotten = if self.has_findings { self.try_forget(database, source, content).await } else { Ok(()) };
        forgotten.map_err(|error| format!("failed to forget which files were plain: {error:#}"))
    }

    async fn try_forget(
        &mut self,
        (readers, writer): (&Readers, &Writer),
        source: i64,
        content: &AppliedContent,
    ) -> Result<()> {
        let lost = self.paths.take();
        if lost.as_ref().is_none_or(|lost| !lost.is_empty())
            && let Some((content, _)) = content.since(None)
        {
            let listed = content.manifest.files;
            let find = move |store: &mut Store| gone(store, source, lost, |path| listed.find(path).is_some());
            let gone = readers.run(find).await?;
            if !gone.is_empty() {
                let forget = move |store: &mut Store| {
                    store.transaction(|store| anyhow::Ok(store.forget_plain_files(source, &gone)?))
                };
                writer.run("which files are plain".to_owned(), forget).await?;
            }
        }
        self.paths = Some(Vec::new());
        Ok(())
    }
}

/// Of the files that may have gone, those that have; without such, all about which something is stored are compared.
fn gone(store: &mut Store, source: i64, lost: Option<Vec<String>>, has: impl Fn(&str) -> bool) -> Result<Vec<String>> {
    if let Some(mut lost) = lost {
        lost.retain(|path| !has(path));
        return Ok(lost);
    }
    let (mut gone, mut after) = (Vec::new(), None);
    loop {
        let paths = store.plain_paths(source, after.as_deref(), PATHS_PER_PAGE)?;
        after = paths.last().cloned();
        gone.extend(paths.into_iter().filter(|path| !has(path)));
        if after.is_none() {
            return Ok(gone);
        }
    }
}

fn is_of(row: &PlainFileRow, file: &FileToRead) -> bool {
    row.hash == file.entry.hash && way(&file.format).is_ok_and(|way| row.way == way)
}

/// Reads what is stored, perhaps by another version of this program.
fn line(row: &PlainFileRow) -> Option<PlainLine> {
    serde_json::from_str(&row.answer).ok()
}

/// The digest of the way in which a file is read: its format, and the version of the rules.
fn way(format: &FormatSpec) -> Result<String> {
    let mut digest = blake3::Hasher::new();
    digest.update(partial_format().as_bytes()).update(b"\0");
    digest.update(&serde_json::to_vec(format).context("failed to write a format")?);
    Ok(digest.finalize().to_hex()[..32].to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tributary_protocol::{PlainColumn, PlainFile};
    use tributary_store::DatabaseUrl;

    use super::*;

    fn file(path: &str, hash: &str, decimal: Option<&str>) -> FileToRead {
        let entry = ManifestEntry { path: path.to_owned(), hash: hash.to_owned(), ..ManifestEntry::default() };
        let format = FormatSpec { decimal: decimal.map(str::to_owned), ..FormatSpec::default() };
        FileToRead { entry, format: Arc::new(format), reading: "r".into(), rank: crate::input::Rank::default() }
    }

    fn plain(columns: usize) -> PlainLine {
        let column = PlainColumn { name: "n".to_owned(), empty: 0, padded: 0, texts: 0, whole: 1, fraction: 0 };
        let columns = vec![column; columns];
        PlainLine::Plain(PlainFile { delimiter: ',', header: true, rows: 1, columns, format: None, notes: Vec::new() })
    }

    #[tokio::test]
    async fn a_finding_is_of_one_content_that_is_read_in_one_way() {
        let folder = tempfile::tempdir().unwrap();
        let url: DatabaseUrl = folder.path().join("d.db").to_str().unwrap().parse().unwrap();
        let mut store = Store::open(&url).unwrap();
        let source = store.put_source("cloud", "s3://b", 0, 0).unwrap();
        let mut new = NewFindings::default();
        new.put(source, &file("a.csv", "etag:1", None), &plain(2)).unwrap();
        new.put(source, &file("wide.csv", "etag:1", None), &plain(5_000)).unwrap();
        store.put_plain_files(&new.take()).unwrap();
        assert_eq!(new.take(), []);
        let readers = Readers::new(url);
        let known = async |file: FileToRead| known(&readers, source, [&file]).await.unwrap().into_values().next();
        assert_eq!(known(file("a.csv", "etag:1", None)).await, Some(plain(2)));
        for other in [("a.csv", "etag:2", None), ("b.csv", "etag:1", None), ("a.csv", "etag:1", Some(","))] {
            assert_eq!(known(file(other.0, other.1, other.2)).await, None, "{other:?}");
        }
        let wide = known(file("wide.csv", "etag:1", None)).await;
        assert!(matches!(&wide, Some(PlainLine::NotPlain { reason }) if reason.contains("65536 bytes")), "{wide:?}");
    }

    #[test]
    fn what_is_listed_is_not_gone() {
        let folder = tempfile::tempdir().unwrap();
        let url: DatabaseUrl = folder.path().join("d.db").to_str().unwrap().parse().unwrap();
        let mut store = Store::open(&url).unwrap();
        let source = store.put_source("cloud", "s3://b", 0, 0).unwrap();
        let mut new = NewFindings::default();
        // More than a page of them.
        for number in 0..2_500 {
            new.put(source, &file(&format!("{number:04}.csv"), "etag:1", None), &plain(1)).unwrap();
        }
        store.put_plain_files(&new.take()).unwrap();
        let listed = |path: &str| !matches!(path, "0000.csv" | "1024.csv" | "2499.csv");
        assert_eq!(gone(&mut store, source, None, listed).unwrap(), ["0000.csv", "1024.csv", "2499.csv"]);
        let lost = ["0001.csv", "1024.csv"].map(str::to_owned).to_vec();
        assert_eq!(gone(&mut store, source, Some(lost), listed).unwrap(), ["1024.csv"]);
    }
}
