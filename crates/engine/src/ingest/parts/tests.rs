//! Whatever changes in a file, reading the changed parts gives what reading all of it gives: pages, offers, rejects, counts and notes.

use std::{io::Cursor, sync::Arc};

use proptest::{collection::vec, prelude::*, sample::select};
use tributary_budget::Budget;
use tributary_config::PRODUCTS;
use tributary_csv_gate::FileReject;
use tributary_merge::SpillFiles;
use tributary_protocol::{FormatSpec, ManifestEntry, Quotes};
use tributary_store::{FileRow, PageContent, SkuRows, Store};

use super::*;
use crate::{
    documents::ActiveRead,
    ingest::{
        Accepted, FeedRules, FileReader, Outcome, Written, changes::write_touched, feed::ProductTables,
        recorder::ChangeOrigin,
    },
    input::{FileToRead, Rank, ResultTables},
    progress::Unobserved,
};

/// The effects of applying a content, and its notes.
#[derive(Debug, PartialEq)]
struct Applied {
    written: Written,
    tables: SkuRows,
    rejects: tributary_csv_gate::Rejects,
    rows: u64,
    offers: usize,
    replaced: u64,
    notes: Vec<String>,
    pages: Vec<StoredPage>,
}

/// First sku, digest, and content.
type StoredPage = (String, Vec<u8>, PageContent);

/// A file in a database of its own.
struct Stored {
    store: Store,
    id: i64,
    format: Arc<FormatSpec>,
    cache: Cache,
    /// The accepted content.
    hash: Option<String>,
    _folder: tempfile::TempDir,
}

impl Stored {
    fn new(format: FormatSpec, remembers: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display()).parse().unwrap();
        let mut store = Store::open(&url).unwrap();
        let source = store.put_source("north", "http://127.0.0.1:1", 0, 0).unwrap();
        let mut row = FileRow::new(PRODUCTS, source, "a.csv");
        let id = store.put_file(&mut row).unwrap();
        let config = tributary_config::CacheConfig { size: if remembers { 1 << 30 } else { 0 }, dir: None };
        let cache = Cache::open(&config, 0, &url);
        Self { store, id, format: format.into(), cache, hash: None, _folder: folder }
    }

    /// Reads and applies a content. Returns whether only parts of it were read, too.
    fn apply(&mut self, file: &[u8]) -> Result<(Applied, bool), FileReject> {
        let hash = blake3::hash(file).to_hex().to_string();
        let entry = ManifestEntry {
            path: "a.csv".into(),
            size: file.len() as u64,
            hash: hash.clone(),
            ..ManifestEntry::default()
        };
        let reader = FileReader {
            file: Arc::new(FileToRead {
                entry,
                format: Arc::clone(&self.format),
                reading: "1".into(),
                rank: Rank::default(),
            }),
            rules: FeedRules::default(),
            memory: Arc::new(Budget::new(1 << 30)),
            spill: SpillFiles::new(tempfile::tempfile),
            before: Memory::of(
                &self.cache,
                content(&hash),
                self.hash.clone().map(|hash| (hash.clone(), content(&hash))),
            ),
            progress: ActiveRead::unlisted(Arc::new(Unobserved)),
        };
        let Accepted { offers, remembered, rows, rejects, replaced, notes, .. } =
            match reader.read(|| Ok(Cursor::new(file.to_vec())), false).unwrap() {
                Outcome::Accepted(accepted) => accepted,
                Outcome::Rejected { reject, .. } => return Err(reject),
                Outcome::Changing => unreachable!("it does not change"),
            };
        if let Some(remembered) = remembered {
            self.cache.keep(remembered);
        }
        self.hash = Some(hash);
        let (count, is_patch) = (offers.offers(), matches!(offers, FileOffers::Patch { .. }));
        let id = self.id;
        let write = |store: &mut Store| {
            let changes = ProductTables::write(store, id, offers)?;
            write_touched(store, &[changes], None, &ChangeOrigin::Configuration).map(|(written, _)| written)
        };
        let written = self.store.transaction(write).unwrap();
        let (pages, skus) = (self.pages(), self.store.all_skus(None, i64::MAX).unwrap());
        let tables = self.store.sku_rows(&skus).unwrap();
        Ok((Applied { written, tables, rejects, rows, offers: count, replaced, notes, pages }, is_patch))
    }

    fn pages(&mut self) -> Vec<StoredPage> {
        let digests = self.store.page_digests(self.id).unwrap();
        let first_skus: Vec<_> = digests.iter().map(|(first, _)| first.as_str()).collect();
        let contents = self.store.page_contents(self.id, &first_skus).unwrap();
        digests.into_iter().zip(contents).map(|((first, digest), content)| (first, digest, content)).collect()
    }
}

fn content(hash: &str) -> ContentId {
    ContentId::new("north", "a.csv", hash, "1")
}

/// A line of a file.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let row =
        (0..9_000u32, 0..9u32).prop_map(|(sku, name)| format!("{},Pen {name},blue\n", scattered(sku)).into_bytes());
    let odd = select(vec![
        &b"q1,\"two\nlines\",\"a \"\"b\"\"\"\n"[..],
        b"q2,\"open\n",
        b"q3,\"stray\"x,y\n",
        b"\n",
        b"too,few\n",
        b",no sku,\n",
        b"\xff,bytes,\n",
        b"sku,name,description\n",
        b"sku,description,name\n",
        b"8.85E+12,rounded,\n",
        b"Total,,3\n",
        b"\"",
    ]);
    prop_oneof![30 => row, 1 => odd.prop_map(<[u8]>::to_vec)]
}

/// Skus in no order.
fn scattered(number: u32) -> String {
    format!("{:x}", u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20)
}

#[derive(Debug, Clone)]
enum Change {
    Insert(usize, Vec<u8>),
    DeleteLine(usize),
    Delete(usize, usize),
    Byte(usize, u8),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => (any::<usize>(), line()).prop_map(|(at, line)| Change::Insert(at, line)),
        3 => any::<usize>().prop_map(Change::DeleteLine),
        1 => (any::<usize>(), 1..60usize).prop_map(|(at, len)| Change::Delete(at, len)),
        2 => (any::<usize>(), select(b"\"\n\r,xy0\xff".to_vec())).prop_map(|(at, byte)| Change::Byte(at, byte)),
    ]
}

fn change_file(file: &mut Vec<u8>, change: &Change) {
    let (Change::Insert(at, _) | Change::DeleteLine(at) | Change::Delete(at, _) | Change::Byte(at, _)) = change;
    let at = at % (file.len() + 1);
    let start = file[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let end = file[at..].iter().position(|byte| *byte == b'\n').map_or(file.len(), |len| at + len + 1);
    match change {
        Change::Insert(_, line) => drop(file.splice(start..start, line.iter().copied())),
        Change::DeleteLine(_) => drop(file.drain(start..end)),
        Change::Delete(_, len) => drop(file.drain(at..file.len().min(at + len))),
        Change::Byte(_, byte) => file.get_mut(at).into_iter().for_each(|changed| *changed = *byte),
    }
}

fn format() -> impl Strategy<Value = FormatSpec> {
    (any::<bool>(), any::<bool>()).prop_map(|(lenient, windows)| FormatSpec {
        quotes: lenient.then_some(Quotes::Lenient),
        encoding: windows.then(|| "windows-1252".to_owned()),
        ..FormatSpec::default()
    })
}

/// The cases to run: 20, or as many as `TRIBUTARY_CASES` says.
fn cases() -> u32 {
    std::env::var("TRIBUTARY_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(20)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_parts_give_what_the_whole_file_gives(
        rows in 0..6_000u32,
        odd in vec((any::<usize>(), line()), 0..20),
        steps in vec(vec(change(), 1..5), 1..5),
        format in format(),
    ) {
        let mut file = b"sku,name,description\n".to_vec();
        (0..rows).for_each(|row| file.extend(format!("{},Pen {},\"a, {row}\"\n", scattered(row), row % 9).bytes()));
        odd.iter().for_each(|(at, line)| change_file(&mut file, &Change::Insert(*at, line.clone())));
        let (mut whole, mut parts) = (Stored::new(format.clone(), false), Stored::new(format, true));
        for step in [Vec::new()].iter().chain(&steps) {
            step.iter().for_each(|change| change_file(&mut file, change));
            let (whole, parts) = (whole.apply(&file), parts.apply(&file));
            prop_assert_eq!(parts.map(|(applied, _)| applied), whole.map(|(applied, _)| applied));
        }
    }
}

fn rows(range: std::ops::Range<u32>) -> String {
    range.map(|row| format!("{},Pen {row},\"a, b\"\n", scattered(row))).collect()
}

#[test]
fn only_parts_are_read_of_a_file_that_is_remembered() {
    let mut stored = Stored::new(FormatSpec::default(), true);
    let file = format!("sku,name,description\n{}", rows(0..5_000));
    assert!(!stored.apply(file.as_bytes()).unwrap().1, "nothing is known yet");
    let changed = file.replace("Pen 2500,", "Pencil,");
    let (applied, is_patch) = stored.apply(changed.as_bytes()).unwrap();
    assert!(is_patch);
    assert_eq!(applied.written, Written { updated: 1, ..Written::default() });
    assert!(applied.tables.products.iter().any(|product| product.sku == scattered(2_500) && product.name == "Pencil"));
    assert_eq!((applied.offers, applied.rows, applied.replaced), (5_000, 5_000, 0));
    // A sku that comes a second time, far from the first.
    let twice = format!("{changed}{},Again,\n", scattered(7));
    let (applied, is_patch) = stored.apply(twice.as_bytes()).unwrap();
    assert!(is_patch);
    assert_eq!((applied.written.updated, applied.replaced), (1, 1));
    assert!(applied.tables.products.iter().any(|product| product.sku == scattered(7) && product.name == "Again"));
    // Its last row is gone again. Only the sku of the first is remembered, so all is read.
    let (applied, is_patch) = stored.apply(changed.as_bytes()).unwrap();
    assert!(!is_patch);
    assert_eq!((applied.written.updated, applied.replaced), (1, 0));
}

#[test]
fn a_damaged_cache_changes_nothing() {
    let file = format!("sku,name,description\n{}", rows(0..5_000));
    for damage in
        [|bytes: &mut Vec<u8>| bytes.truncate(1_000), |bytes: &mut Vec<u8>| bytes[200] ^= 1] as [fn(&mut Vec<u8>); 2]
    {
        let mut stored = Stored::new(FormatSpec::default(), true);
        stored.apply(file.as_bytes()).unwrap();
        let cache = stored._folder.path().join("test.db.cache");
        for entry in std::fs::read_dir(cache).unwrap() {
            let path = entry.unwrap().path();
            let mut bytes = std::fs::read(&path).unwrap();
            damage(&mut bytes);
            std::fs::write(&path, bytes).unwrap();
        }
        let (applied, is_patch) = stored.apply(file.replace("Pen 2500,", "Pencil,").as_bytes()).unwrap();
        assert!(!is_patch && applied.written.updated == 1);
    }
}
