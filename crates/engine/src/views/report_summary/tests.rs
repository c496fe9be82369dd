//! The state of a report, from what is stored of it.

use tributary_store::{GroupRow, SourcePass};

use super::*;

struct World {
    _folder: tempfile::TempDir,
    store: Store,
    report: ReportConfig,
}

impl World {
    /// A report and these sources, of which nothing is computed.
    fn new(sources: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("database.db").to_str().unwrap().parse().unwrap()).unwrap();
        for (position, source) in (0..).zip(sources) {
            store.put_source(source, "http://x", 0, position).unwrap();
        }
        let report = ReportConfig::with_columns("sales", vec!["a".into()], vec!["n".into()]);
        Self { _folder: folder, store, report }
    }

    /// Writes the totals with these versions of the sources, as JSON.
    fn write(&mut self, digest: &str, standing: &str) {
        self.store.write_report(&self.report.table(), Vec::<GroupRow>::new()).unwrap();
        let [digest, computed_at, standing] = [digest, "10:00", standing].map(str::to_owned);
        let row = ReportRow { name: "sales".into(), digest, groups: 0, computed_at, standing };
        self.store.put_report(&row).unwrap();
    }

    fn write_now(&mut self, standing: &str) {
        let digest = self.report.plan.results_digest().to_owned();
        self.write(&digest, standing);
    }

    fn id(&mut self, source: &str) -> i64 {
        self.store.sources().unwrap().into_iter().find(|row| row.name == source).unwrap().id
    }

    fn down(&mut self, source: &str, error: &str) {
        let id = self.id(source);
        let (state, error) = (SourceState::Down, Some(error.to_owned()));
        let pass = SourcePass { state, error, version: None, last_sensed: None, last_applied: None };
        self.store.set_source_pass(id, &pass).unwrap();
    }

    fn fail(&mut self, source: &str, error: &str) {
        let (report, source_id) = ("sales".to_owned(), self.id(source));
        let failure = FailedReportRow { report, source_id, error: error.into(), failed_at: "t".into() };
        self.store.put_report_failure(&failure).unwrap();
    }

    fn summary(&mut self) -> ReportSummary {
        summary(&mut self.store, &self.report).unwrap()
    }

    #[track_caller]
    fn check(&mut self, state: ReportState, error: Option<&str>) {
        let found = self.summary();
        assert_eq!((found.state, found.error.as_deref()), (state, error));
    }
}

/// A report that had never been computed was shown as current.
#[test]
fn it_is_computing_until_every_source_has_contributed() {
    let mut world = World::new(&["north", "south"]);
    world.check(ReportState::Computing, None);
    // The empty table that a start writes.
    world.write_now("{}");
    world.check(ReportState::Computing, None);
    assert_eq!(world.summary().computed_at, None);
    world.write_now(r#"{"north":"v1","south":null}"#);
    world.check(ReportState::Computing, None);
    assert_eq!(world.summary().computed_at.as_deref(), Some("10:00"));
    world.write_now(r#"{"north":"v1","south":"v1"}"#);
    world.check(ReportState::Current, None);
    // Another configuration.
    world.write("other", r#"{"north":"v1","south":"v1"}"#);
    world.check(ReportState::Computing, None);
}

#[test]
fn without_sources_there_is_nothing_to_compute() {
    let mut world = World::new(&[]);
    world.check(ReportState::Computing, None);
    world.write_now("{}");
    world.check(ReportState::Current, None);
}

/// A report that failed each time was shown as current.
#[test]
fn a_failure_comes_before_every_other_state_until_it_is_cleared() {
    let mut world = World::new(&["north", "south"]);
    world.fail("south", "a.csv: no answer");
    world.check(ReportState::Failed, Some("source `south`: a.csv: no answer"));
    world.write_now(r#"{"north":"v1","south":"v1"}"#);
    world.fail("north", "too many groups");
    world.check(ReportState::Failed, Some("source `north`: too many groups; source `south`: a.csv: no answer"));
    for source in ["north", "south"] {
        let id = world.id(source);
        world.store.clear_report_failure("sales", id).unwrap();
    }
    world.check(ReportState::Current, None);
}

#[test]
fn a_source_that_is_down_is_a_failure_only_while_its_files_are_missing() {
    let mut world = World::new(&["north", "south"]);
    world.write_now(r#"{"north":"v1"}"#);
    world.down("south", "connection refused");
    world.down("north", "connection refused");
    world.check(ReportState::Failed, Some("source `south` is down: connection refused"));
    world.write_now(r#"{"north":"v1","south":"v1"}"#);
    world.check(ReportState::Current, None);
    // Read as another configuration wants it; north can be summed only after it answers.
    world.write("other", r#"{"north":"v1","south":"v1"}"#);
    let north = world.id("north");
    let new = FileRow::new("report:sales", north, "a.csv");
    let mut stale = FileRow { hash: Some("h".into()), reading: Some("other".into()), ..new };
    world.store.put_file(&mut stale).unwrap();
    world.check(ReportState::Failed, Some("source `north` is down: connection refused"));
}

#[test]
fn a_rejected_file_is_named_with_its_reason() {
    let mut world = World::new(&["north"]);
    world.write_now(r#"{"north":"v1"}"#);
    let id = world.id("north");
    let mut file = FileRow {
        state: FileState::Rejected,
        rejected_reason: Some("no column `n`".into()),
        ..FileRow::new("report:sales", id, "a.csv")
    };
    world.store.put_file(&mut file).unwrap();
    world.check(ReportState::Rejected, Some("north/a.csv: no column `n`"));
}

/// A report over a file of which no row could be used was shown as current.
#[test]
fn a_report_over_rows_of_which_most_are_rejected_says_so() {
    let mut world = World::new(&["north"]);
    world.write_now(r#"{"north":"v1"}"#);
    let id = world.id("north");
    let mut file = FileRow { row_count: 3, rejects: 3, ..FileRow::new("report:sales", id, "a.csv") };
    world.store.put_file(&mut file).unwrap();
    let why = "more rows are rejected than not (3 of 3); the rejects say why";
    world.check(ReportState::Rejected, Some(why));
    let mut good = FileRow { row_count: 3, rejects: 0, ..FileRow::new("report:sales", id, "b.csv") };
    world.store.put_file(&mut good).unwrap();
    world.check(ReportState::Current, None);
}
