//! Decisions of what is written next, with a clock that goes by hand.

use tributary_config::ReportConfig;
use tributary_engine::AppliedVersion;

use super::*;

const URL: &str = "s3://bucket";

fn report(name: &str) -> Target {
    Target::Report(Box::new(ReportConfig::with_columns(name, vec!["a".into()], vec!["n".into()])))
}

fn row(target: &Target, event_id: i64) -> ExportRow {
    let (name, header) = (target.name(), target.header());
    ExportRow { name, url: URL.into(), header, event_id, bytes: 1, written_at: "2026-11-30T06:00:00Z".into() }
}

fn edit() -> Event {
    Event::Edit { sku: "a".into() }
}

fn computed(name: &str) -> Event {
    Event::Report { name: name.into(), rows: 1, rejects: 0, seconds: 0.1 }
}

fn applied(updated: u64) -> Event {
    let (source, version) = ("s".to_owned(), None);
    let applied =
        AppliedVersion { source, version, added: 0, updated, removed: 0, rejected: 0, skus: Vec::new(), seconds: 0.1 };
    Event::Applied(applied)
}

/// A board, and a clock that goes by hand.
struct Stage {
    board: Board,
    now: Now,
}

impl Stage {
    fn new(lists: Option<ExportTimes>, targets: Vec<Target>, stored: Vec<ExportRow>) -> Self {
        let wall = humantime::parse_rfc3339("2026-11-30T06:00:00Z").unwrap();
        let mut board = Board::new(URL.into(), lists);
        board.adopt(targets, stored);
        Self { board, now: Now { instant: Instant::now(), wall } }
    }

    fn pass(&mut self, seconds: u64) {
        let time = Duration::from_secs(seconds);
        self.now = Now { instant: self.now.instant + time, wall: self.now.wall + time };
    }

    fn job(&mut self, lane: Lane) -> Option<ExportRow> {
        match self.board.next(lane, self.now) {
            Next::Write(job) => Some(job.row),
            Next::Wait(_) => None,
        }
    }

    /// The seconds until the next step of a lane; `None` if only a change brings one.
    fn wait(&mut self, lane: Lane) -> Option<u64> {
        match self.board.next(lane, self.now) {
            Next::Write(_) => Some(0),
            Next::Wait(at) => Some(at?.duration_since(self.now.instant).as_secs()),
        }
    }

    fn written(&mut self, row: ExportRow) {
        let written_at = humantime::format_rfc3339(self.now.wall).to_string();
        self.board.written(ExportRow { written_at, ..row }, self.now.instant, self.now.instant);
    }

    fn states(&self) -> Vec<ExportState> {
        self.board.status(str::to_owned).into_iter().map(|status| status.state).collect()
    }
}

#[test]
fn a_restart_writes_only_what_has_changed_since() {
    let targets = vec![Target::Products(Vec::new()), report("x"), report("y"), report("z")];
    let mut old_columns = row(&targets[3], 20);
    old_columns.header = "[]".into();
    let stored = vec![row(&targets[0], 10), row(&targets[1], 20), row(&targets[2], 30), old_columns];
    let mut stage = Stage::new(Some(ExportTimes::Changes), targets, stored);
    assert_eq!(stage.board.known_to(), Some(10));
    stage.board.start(10, false);
    // Each of these is in what was written, or concerns something else.
    for (id, event) in [(15, computed("x")), (25, computed("y")), (26, computed("other")), (27, applied(0))] {
        stage.board.see(id, &event);
    }
    assert_eq!(stage.job(Lane::Lists), None);
    assert_eq!(stage.job(Lane::Reports).unwrap().name, "reports/z");
    stage.board.see(31, &computed("y"));
    let job = stage.job(Lane::Reports).unwrap();
    assert_eq!((job.name.as_str(), job.event_id), ("reports/y", 31));
    stage.board.see(32, &applied(1));
    assert_eq!(stage.job(Lane::Lists).unwrap().name, "products");
    assert_eq!(stage.job(Lane::Reports), None);
}

#[test]
fn missed_events_and_another_place_make_everything_stale() {
    let targets = || vec![report("x"), report("y")];
    let rows = |url: &str| targets().iter().map(|target| ExportRow { url: url.into(), ..row(target, 5) }).collect();
    let mut stage = Stage::new(None, targets(), rows("s3://other"));
    assert_eq!(stage.board.known_to(), None);
    stage.board.start(9, false);
    assert!(stage.job(Lane::Reports).is_some() && stage.job(Lane::Reports).is_some());
    let mut stage = Stage::new(None, targets(), rows(URL));
    stage.board.start(2, true);
    assert!(stage.job(Lane::Reports).is_some() && stage.job(Lane::Reports).is_some());
}

#[test]
fn changes_while_one_is_written_become_one_more() {
    let mut stage = Stage::new(Some(ExportTimes::Changes), vec![Target::Aggr], Vec::new());
    stage.board.start(0, false);
    let job = stage.job(Lane::Lists).unwrap();
    for id in 1..100 {
        stage.board.see(id, &edit());
        assert_eq!(stage.job(Lane::Lists), None, "it is written twice at a time");
    }
    stage.written(job);
    assert_eq!(stage.wait(Lane::Lists), Some(1), "it gets no rest");
    stage.pass(1);
    let job = stage.job(Lane::Lists).unwrap();
    assert_eq!(job.event_id, 99);
    stage.written(job);
    stage.pass(60);
    assert_eq!(stage.wait(Lane::Lists), None);
    assert_eq!(stage.states(), [ExportState::Current]);
}

#[test]
fn a_schedule_counts_from_the_last_time_and_needs_a_change() {
    let every = Some(ExportTimes::Every(Duration::from_secs(3_600)));
    let targets = vec![Target::Aggr, report("x")];
    let stored = targets.iter().map(|target| row(target, 5)).collect();
    let mut stage = Stage::new(every, targets, stored);
    stage.board.start(5, false);
    stage.pass(600);
    assert_eq!(stage.wait(Lane::Lists), None);
    stage.board.see(6, &edit());
    stage.board.see(7, &computed("x"));
    assert_eq!(stage.wait(Lane::Lists), Some(3_000));
    assert_eq!(stage.job(Lane::Reports).unwrap().name, "reports/x", "reports have no schedule");
    stage.pass(3_000);
    let job = stage.job(Lane::Lists).unwrap();
    stage.written(job);
    stage.board.see(8, &edit());
    assert_eq!(stage.wait(Lane::Lists), Some(3_600));
    // A clock that is set back.
    stage.now.wall -= Duration::from_secs(1_000_000);
    assert_eq!(stage.wait(Lane::Lists), Some(3_600));
}

#[test]
fn failures_wait_longer_each_time_and_hold_up_nothing_else() {
    let mut stage = Stage::new(None, vec![report("x"), report("y")], Vec::new());
    stage.board.start(0, false);
    let mut delays = Vec::new();
    for tries in 0..9 {
        let job = stage.job(Lane::Reports).unwrap();
        assert_eq!(job.name, "reports/x");
        let (name, why, now) = (job.name, "503".to_owned(), stage.now.instant);
        assert_eq!(stage.board.failed(&name, why, format!("at {tries}"), 0.0, now), tries == 0);
        if tries == 0 {
            let other = stage.job(Lane::Reports).unwrap();
            assert_eq!(other.name, "reports/y");
            stage.written(other);
        }
        let wait = stage.wait(Lane::Reports).unwrap();
        stage.pass(wait);
        delays.push(wait);
    }
    assert_eq!(delays, [1, 2, 4, 8, 16, 32, 64, 120, 120]);
    let status = stage.board.status(str::to_owned).remove(0);
    assert_eq!((status.state, status.failed), (ExportState::Failed, 9));
    assert_eq!(status.failing_since.as_deref(), Some("at 0"));
    assert_eq!(stage.states(), [ExportState::Failed, ExportState::Current]);
    let job = stage.job(Lane::Reports).unwrap();
    assert!(stage.board.written(job, stage.now.instant, stage.now.instant), "the end of a failure is logged");
    assert_eq!(stage.states(), [ExportState::Current; 2]);
}

#[test]
fn a_report_that_is_not_computed_waits_for_its_event() {
    let mut stage = Stage::new(None, vec![report("x")], Vec::new());
    stage.board.start(0, false);
    stage.job(Lane::Reports).unwrap();
    stage.board.not_computed("reports/x");
    assert_eq!(stage.wait(Lane::Reports), None);
    assert_eq!(stage.states(), [ExportState::Waiting]);
    stage.board.see(1, &computed("x"));
    stage.job(Lane::Reports).unwrap();
    // It was computed while nobody knew.
    stage.board.see(2, &computed("x"));
    stage.board.not_computed("reports/x");
    assert!(stage.job(Lane::Reports).is_some());
}

#[test]
fn a_reload_adds_removes_and_changes() {
    let mut stage = Stage::new(None, vec![report("x"), report("y")], Vec::new());
    stage.board.start(0, false);
    for _ in 0..2 {
        let job = stage.job(Lane::Reports).unwrap();
        stage.written(job);
    }
    let wider = ReportConfig::with_columns("y", vec!["a".into(), "b".into()], vec!["n".into()]);
    stage.board.adopt(vec![Target::Report(Box::new(wider)), report("z")], Vec::new());
    stage.pass(1);
    let jobs = [stage.job(Lane::Reports).unwrap().name, stage.job(Lane::Reports).unwrap().name];
    assert_eq!(jobs, ["reports/y", "reports/z"]);
    assert_eq!(stage.states().len(), 2);
}
