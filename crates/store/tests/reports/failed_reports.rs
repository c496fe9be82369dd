//! Failures of reports: one per report and source, with its error and the time since when.

use tributary_store::{Error, FailedReportRow, Store};

use crate::{Database, strings};

fn failure(report: &str, source_id: i64, error: &str, failed_at: &str) -> FailedReportRow {
    FailedReportRow { report: report.into(), source_id, error: error.into(), failed_at: failed_at.into() }
}

fn two_sources(store: &mut Store) -> [i64; 2] {
    ["north", "south"].map(|name| store.put_source(name, "http://x", 0, 0).unwrap())
}

#[test]
fn a_failure_is_kept_until_it_is_cleared() {
    let mut database = Database::new();
    let store = &mut database.store;
    let [north, south] = two_sources(store);
    let first = failure("sales", south, "no answer", "10:00");
    let second = failure("sales", north, "too many groups", "10:01");
    assert!(store.put_report_failure(&first).unwrap());
    assert!(store.put_report_failure(&second).unwrap());
    assert!(store.put_report_failure(&failure("prices", north, "x", "10:02")).unwrap());
    assert_eq!(store.report_failures("sales").unwrap(), [second.clone(), first.clone()]);
    assert_eq!(store.report_failures("never").unwrap(), []);
    // A report that has never been computed can fail.
    assert_eq!(store.report("sales").unwrap(), None);

    assert!(store.clear_report_failure("sales", north).unwrap());
    assert!(!store.clear_report_failure("sales", north).unwrap());
    assert_eq!(store.report_failures("sales").unwrap(), [first]);
    assert_eq!(store.report_failures("prices").unwrap().len(), 1);
}

#[test]
fn the_time_is_that_of_the_first_failure_with_the_same_error() {
    let mut database = Database::new();
    let store = &mut database.store;
    let [north, _] = two_sources(store);
    let mut check = |error: &str, failed_at: &str, is_news: bool, since: &str| {
        assert_eq!(
            store.put_report_failure(&failure("sales", north, error, failed_at)).unwrap(),
            is_news,
            "{failed_at}"
        );
        assert_eq!(store.report_failures("sales").unwrap(), [failure("sales", north, error, since)], "{failed_at}");
    };
    check("no answer", "10:00", true, "10:00");
    check("no answer", "10:01", false, "10:00");
    check("too many groups", "10:02", true, "10:02");
    check("no answer", "10:03", true, "10:03");
}

#[test]
fn a_failure_goes_with_its_source_and_with_its_report() {
    let mut database = Database::new();
    let store = &mut database.store;
    let [north, south] = two_sources(store);
    for report in ["sales", "prices"] {
        for source in [north, south] {
            store.put_report_failure(&failure(report, source, "x", "t")).unwrap();
        }
    }
    assert!(matches!(store.put_report_failure(&failure("sales", 99, "x", "t")), Err(Error::Query { .. })));
    store.delete_source(north).unwrap();
    assert_eq!(store.report_failures("sales").unwrap(), [failure("sales", south, "x", "t")]);
    assert_eq!(store.report_names().unwrap(), strings(&["prices", "sales"]));
    store.drop_report("sales").unwrap();
    assert_eq!(store.report_names().unwrap(), strings(&["prices"]));
    store.empty().unwrap();
    assert_eq!((store.report_names().unwrap(), store.sources().unwrap()), (vec![], vec![]));
}
