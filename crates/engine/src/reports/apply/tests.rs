//! Updates of one source after the other, against a real database.

use tributary_protocol::{CompactManifest, FormatSpec, ManifestEntry, PartialHead};
use tributary_store::{DocumentRow, DocumentState, GroupRow, Place};

use super::*;
use crate::{
    documents::DocumentFolder,
    input::Rank,
    reports::{ReportMemory, Reports, adopt, total_of},
    source::Spool,
};

struct World {
    folder: tempfile::TempDir,
    store: Store,
    spool: Spool,
    report: ReportConfig,
    /// The sums that the last update left.
    kept: Kept,
    memory: ReportMemory,
}

impl World {
    /// A report over the sources `north` and `south`, adopted.
    fn new() -> Self {
        Self::with(|memory| memory)
    }

    fn with(change: impl FnOnce(ReportMemory) -> ReportMemory) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("database.db");
        let mut store = Store::open(&path.to_str().unwrap().parse().unwrap()).unwrap();
        for (position, source) in (0..).zip(["north", "south"]) {
            store.put_source(source, "http://x", 0, position).unwrap();
        }
        let report = ReportConfig::with_columns("sales", Vec::new(), vec!["n".into()]);
        store.transaction(|store| adopt(store, std::slice::from_ref(&report), &["north", "south"])).unwrap();
        let spool = Spool::open(&path, 0).unwrap();
        let memory = change(ReportMemory::new(0, spool.clone()));
        Self { store, spool, report, kept: Kept::Unknown, memory, folder }
    }

    fn key(&mut self, source: &str) -> SourceKey {
        let row = self.store.sources().unwrap().into_iter().find(|row| row.name == source).unwrap();
        SourceKey { id: row.id, name: row.name }
    }

    /// The update of a source's file whose content has this many rejects and no group.
    fn read(&mut self, source: &str, version: &str, rejected: u64) -> SourceUpdate {
        let entry = ManifestEntry {
            path: "a.csv".to_owned(),
            size: 1,
            modified: "2026-11-22T00:00:00Z".to_owned(),
            hash: format!("blake3:{version}"),
            ..ManifestEntry::default()
        };
        let notes = vec!["one".to_owned(), "two".to_owned()];
        let head = PartialHead { rows: 9, rejected, repaired: 3, notes, ..PartialHead::default() };
        let answer = Answer::Partial(head, GroupLines::new(&self.spool));
        let (format, reading) = (Arc::default(), self.report.reading(&FormatSpec::default()).into());
        SourceUpdate {
            source: self.key(source),
            version: Some(version.to_owned()),
            outcome: AttemptOutcome::Succeeded,
            computed: vec![(Arc::new(FileToRead { entry, format, reading, rank: Rank::default() }), answer)],
            settled: Vec::new(),
            removed: Vec::new(),
            started: Instant::now(),
        }
    }

    fn prepare(&mut self, source: &str, version: &str, rejected: u64) -> ReportUpdate {
        let update = self.read(source, version, rejected);
        self.prepared(update)
    }

    fn prepared(&mut self, update: SourceUpdate) -> ReportUpdate {
        let kept = (std::mem::take(&mut self.kept), self.memory.kept());
        let (prepared, kept) = prepare(&mut self.store, &self.report, kept, update).unwrap();
        self.kept = kept;
        prepared
    }

    fn apply(&mut self, update: ReportUpdate) -> Result<()> {
        let (report, kept) = (&self.report, std::mem::take(&mut self.kept));
        let mut applied = self.store.transaction(|store| apply(store, report, update))?;
        self.kept = kept.follow(&applied.files, &applied.sources, applied.rows.take());
        Ok(())
    }

    fn update(&mut self, source: &str, version: &str, rejected: u64) {
        let update = self.prepare(source, version, rejected);
        self.apply(update).unwrap();
    }

    fn versions(&mut self) -> String {
        SourceVersions::read(&mut self.store, "sales").unwrap().to_json().unwrap()
    }

    /// The rejects of each event so far.
    fn told_rejects(&mut self) -> Vec<u64> {
        let rows = self.store.events_after(0, 99).unwrap();
        let rejects = |row| match events::read(row).unwrap().event {
            Event::Report { rejects, .. } => rejects,
            other => panic!("{other:?}"),
        };
        rows.iter().map(rejects).collect()
    }
}

/// The event named only the rejects of the files that were just computed.
#[test]
fn an_event_counts_the_rejects_of_all_files() {
    let mut world = World::new();
    world.update("north", "v1", 2);
    world.update("south", "v1", 1);
    world.update("north", "v2", 4);
    assert_eq!(world.told_rejects(), [2, 3, 5]);
}

#[test]
fn what_was_noted_of_a_file_is_stored_with_it() {
    let mut world = World::new();
    world.update("north", "v1", 2);
    let file = world.store.files_of_reader("report:sales").unwrap().remove(0);
    assert_eq!((file.repaired, file.notes.as_deref()), (3, Some("one; two")));
}

/// A source whose files were computed while another one kept the totals from being written was missing among the versions, so the
/// report would never have been complete.
#[test]
fn a_source_is_noted_even_while_the_totals_have_to_wait() {
    let mut world = World::new();
    let south = world.key("south").id;
    let new = FileRow::new("report:sales", south, "a.csv");
    let mut stale = FileRow { hash: Some("blake3:v1".into()), reading: Some("another".into()), ..new };
    world.store.put_file(&mut stale).unwrap();
    world.update("north", "v1", 0);
    assert_eq!((world.versions().as_str(), world.told_rejects()), (r#"{"north":"v1"}"#, vec![]));
    world.update("south", "v1", 0);
    assert_eq!((world.versions().as_str(), world.told_rejects()), (r#"{"north":"v1","south":"v1"}"#, vec![0]));
}

/// The totals would hold what the dropped source gave.
#[test]
fn totals_are_not_written_if_a_source_was_dropped_meanwhile() {
    let mut world = World::new();
    world.update("south", "v1", 1);
    let update = world.prepare("north", "v1", 2);
    let south = world.key("south").id;
    world.store.transaction(|store| store.delete_source(south)).unwrap();
    let error = world.apply(update).unwrap_err().to_string();
    assert!(error.contains("dropped"), "{error}");
    world.update("north", "v1", 2);
    assert_eq!(world.told_rejects(), [1, 2]);
}

#[test]
fn a_failure_is_stored_with_the_update_and_cleared_by_the_next_success() {
    let mut world = World::new();
    let mut update = world.prepare("north", "v1", 0);
    (update.version, update.outcome) = (None, AttemptOutcome::Failed("b.csv: no answer".into()));
    world.apply(update).unwrap();
    let failures = world.store.report_failures("sales").unwrap();
    assert_eq!(failures.iter().map(|failure| failure.error.as_str()).collect::<Vec<_>>(), ["b.csv: no answer"]);
    assert_eq!(world.versions(), r#"{"north":null}"#);
    let north = world.key("north");
    put_version(&mut world.store, &world.report, &north, "v1").unwrap();
    assert_eq!(world.store.report_failures("sales").unwrap(), []);
    assert_eq!(world.versions(), r#"{"north":"v1"}"#);
}

/// It used to end the start of the master.
#[test]
fn a_damaged_partial_is_forgotten_by_the_next_adoption() {
    let mut world = World::new();
    world.update("north", "v1", 2);
    let file = world.store.files_of_reader("report:sales").unwrap().remove(0);
    world.store.add_partial_piece(file.id, 0, b"no group\n").unwrap();
    // Another name of a metric makes it sum the stored partials again.
    let renamed = ReportConfig::with_columns("sales", Vec::new(), vec!["other".into()]);
    let sources = ["north", "south"];
    world.store.transaction(|store| adopt(store, std::slice::from_ref(&renamed), &sources)).unwrap();
    assert_eq!(world.store.files_of_reader("report:sales").unwrap(), []);
    assert_eq!(world.store.stored_report("sales").unwrap().unwrap(), renamed.table());
    (world.report, world.kept) = (renamed, Kept::Unknown);
    world.update("north", "v1", 2);
    assert_eq!(world.versions(), r#"{"north":"v1"}"#);
}

/// A file of a source with a group per letter of `groups`; none if it goes.
type Change = (usize, u8, Option<String>);

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 24, ..Default::default() })]

    /// Whatever changed, however it came and however little memory there is, the kept sums are those of all stored partials.
    #[test]
    fn kept_sums_are_those_of_all_partials(
        updates in proptest::collection::vec(
            (proptest::collection::vec((0..2_usize, 0..6_u8, proptest::option::weighted(0.8, "[a-c]{0,3}")), 1..5), proptest::bool::weighted(0.1)),
            1..12,
        ),
        (kept_bytes, least) in proptest::prop_oneof![proptest::strategy::Just((1 << 20, 1 << 20)), (0..2_000_u64, 0..500_usize)],
    ) {
        let mut world = World::with(|memory| memory.tiny(kept_bytes, least));
        let report = ReportConfig::with_columns("sales", vec!["letter".into()], vec!["n".into()]);
        world.report = world.memory.of(&[report]).remove(0);
        for (number, (changes, forgets)) in updates.into_iter().enumerate() {
            if forgets {
                world.kept = if number % 2 == 0 { Kept::Unused } else { Kept::Unknown };
            }
            let are_unused = matches!(world.kept, Kept::Unused);
            world.change(number, changes);
            let whole = ReportConfig::with_columns("sales", vec!["letter".into()], vec!["n".into()]);
            let expect = listed(&whole, &total_of(&mut world.store, &whole, |_| true).unwrap());
            let small = listed(&world.report, &total_of(&mut world.store, &world.report, |_| true).unwrap());
            proptest::prop_assert_eq!(&small, &expect);
            if let Kept::Sums(sums) = &mut world.kept {
                let rows = sums.rows(&world.report).unwrap().unwrap();
                proptest::prop_assert_eq!(&listed(&world.report, &rows), &expect);
                sums.put_back(rows);
            } else {
                assert!(are_unused || kept_bytes < 2_000, "they are small");
            }
            let table = world.store.stored_report("sales").unwrap().unwrap();
            proptest::prop_assert_eq!(
                world.store.report_rows(&table, tributary_store::ReportRange::ALL).unwrap(), expect
            );
        }
    }
}

/// The rows of a total as they are stored.
fn listed(report: &ReportConfig, rows: &TotalRows) -> Vec<GroupRow> {
    let mut listed = Vec::new();
    each_row(report, rows, |row| {
        listed.push(row);
        Ok(())
    })
    .unwrap();
    listed
}

impl World {
    /// Takes in changes of one source after the other.
    fn change(&mut self, number: usize, changes: Vec<Change>) {
        for (at, name) in ["north", "south"].iter().enumerate() {
            let source = self.key(name);
            let latest: HashMap<u8, Option<String>> = changes
                .iter()
                .filter(|change| change.0 == at)
                .map(|(_, file, groups)| (*file, groups.clone()))
                .collect();
            let paths: Vec<String> = latest.keys().map(|file| format!("{file}.csv")).collect();
            let stored = self.store.files_at("report:sales", source.id, &paths).unwrap();
            let is_gone =
                |row: &FileRow| latest[&row.path.as_bytes().first().map_or(0, |digit| digit - b'0')].is_none();
            let removed = stored.into_iter().filter(is_gone).collect();
            let computed =
                latest.iter().filter_map(|(file, groups)| Some(self.computed(number, *file, groups.as_ref()?)));
            let computed: Vec<_> = computed.collect();
            let (version, outcome, settled) = (Some(number.to_string()), AttemptOutcome::Succeeded, Vec::new());
            let started = Instant::now();
            let update = SourceUpdate { source, version, outcome, computed, settled, removed, started };
            let prepared = self.prepared(update);
            self.apply(prepared).unwrap();
        }
    }

    fn computed(&self, number: usize, file: u8, groups: &str) -> (Arc<FileToRead>, Answer) {
        let mut lines = GroupLines::new(&self.spool);
        let letters: std::collections::BTreeMap<char, u64> =
            groups.chars().fold(Default::default(), |mut all, letter| {
                *all.entry(letter).or_default() += 1;
                all
            });
        for (letter, rows) in &letters {
            lines.push(&tributary_protocol::GroupLine(vec![letter.to_string()], *rows, Vec::new())).unwrap();
        }
        let head = PartialHead { rows: groups.len() as u64, groups: letters.len() as u64, ..PartialHead::default() };
        let entry =
            ManifestEntry { path: format!("{file}.csv"), hash: format!("blake3:{number}"), ..ManifestEntry::default() };
        let (format, reading) = (Arc::default(), self.report.reading(&FormatSpec::default()).into());
        (Arc::new(FileToRead { entry, format, reading, rank: Rank::default() }), Answer::Partial(head, lines))
    }
}

/// One document that was replaced meanwhile used to hold up all others, and again each time as long as documents kept coming.
#[test]
fn what_paths_no_longer_stand_for_is_left_out() {
    let mut world = World::new();
    let standing = DocumentRow {
        id: "1".repeat(32),
        path: "a.csv".to_owned(),
        state: DocumentState::Queued,
        place: Some(Place::Next),
        bytes: 1,
        hash: Some("blake3:1".to_owned()),
        row_count: 0,
        rejects: 0,
        error: None,
        message: None,
        sequence: None,
        created_at: String::new(),
        finished_at: None,
        length: None,
        may_replace: false,
        sent_by: None,
        expires_at: None,
        header: None,
    };
    let folder = world.folder.path();
    let database = folder.join("database.db").to_str().unwrap().parse().unwrap();
    let reports = Reports::new(&[], database, world.memory.clone());
    let documents = Documents::new(
        DocumentFolder::new(folder.join("uploads")),
        reports,
        &[standing],
        std::collections::BTreeSet::new(),
    );
    let left = |update: &mut SourceUpdate, listed: &[&str]| {
        let entry = |path: &&str| ManifestEntry { path: (*path).to_owned(), ..ManifestEntry::default() };
        let listed = CompactManifest { files: listed.iter().map(entry).collect(), ..CompactManifest::default() };
        update.leave_out_replaced(&documents, &listed);
        (update.len(), update.version.is_some())
    };
    assert_eq!(left(&mut world.read("north", "1", 0), &["a.csv"]), (1, true));
    assert_eq!(left(&mut world.read("north", "2", 0), &["a.csv"]), (0, false));
    // A file that the report does not claim any more goes, one that came back does not.
    let removed = vec![FileRow::new("r", 1, "a.csv"), FileRow::new("r", 1, "gone.csv")];
    let mut update = SourceUpdate { removed, computed: Vec::new(), ..world.read("north", "3", 0) };
    assert_eq!(left(&mut update, &["a.csv"]), (2, true));
    assert_eq!(left(&mut update, &[]), (1, false));
}
