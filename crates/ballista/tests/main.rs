//! A session against a scheduler that stands in for a real one, and does on demand what a real one does on a bad day.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

mod scheduler;

use std::time::Duration;

use tokio::{task::JoinSet, time::timeout};
use tributary_ballista::{Cluster, CsvTable, Error, Session, TableColumn, TimeLimits};

use self::scheduler::{Mood, Scheduler};

const LIMITS: TimeLimits =
    TimeLimits { step: Duration::from_secs(10), query: Duration::from_secs(10), rows: Duration::from_secs(10) };

fn cluster(scheduler: &Scheduler, limits: TimeLimits) -> Cluster {
    Cluster::new(scheduler.url(), limits).unwrap()
}

fn table(name: &str) -> CsvTable {
    let columns = vec![TableColumn::Text, TableColumn::Decimal { precision: 5, scale: 2 }];
    CsvTable { name: name.to_owned(), location: "http://a/b.csv".to_owned(), delimiter: ',', has_header: true, columns }
}

#[tokio::test]
async fn a_query_gives_its_rows_and_leaves_nothing_behind() {
    let scheduler = Scheduler::start(Mood::default()).await;
    let mut session = cluster(&scheduler, LIMITS).session().await.unwrap();
    session.set("s3.endpoint", "https://o'neill").await.unwrap();
    session.declare(&table("t1")).await.unwrap();
    let mut rows = session.query("SELECT 1").await.unwrap();
    let mut texts = Vec::new();
    while let Some(batch) = rows.next().await.unwrap() {
        texts.extend((0..batch.rows()).map(|row| batch.text(0, row).unwrap().map(str::to_owned)));
    }
    assert_eq!(texts, [Some("a".to_owned()), None, Some("b".to_owned())]);
    session.forget_tables().await.unwrap();
    let statements = scheduler.statements();
    assert_eq!(statements[0], "SET s3.endpoint = 'https://o''neill'");
    assert!(statements[1].starts_with("CREATE EXTERNAL TABLE \"t1\""), "{statements:?}");
    assert!(statements[2].starts_with("/* tributary_") && statements[2].ends_with("*/ SELECT 1"), "{statements:?}");
    assert_eq!(statements[3], "DROP TABLE IF EXISTS \"t1\"");
    assert!(scheduler.cancelled().is_empty());
}

#[tokio::test]
async fn every_client_has_a_session_of_its_own() {
    let scheduler = Scheduler::start(Mood::default()).await;
    let cluster = cluster(&scheduler, LIMITS);
    for _ in 0..2 {
        cluster.session().await.unwrap().declare(&table("t")).await.unwrap();
    }
    let tokens = scheduler.tokens();
    assert_eq!(tokens.len(), 2, "tables of one must not be seen by the other");
    assert_ne!(tokens[0], tokens[1]);
    assert_ne!(Session::new_name(), Session::new_name());
}

#[tokio::test]
async fn tables_are_dropped_after_an_error_too() {
    let scheduler = Scheduler::start(Mood { query: Some("Overflow happened"), ..Mood::default() }).await;
    let mut session = cluster(&scheduler, LIMITS).session().await.unwrap();
    session.declare(&table("t1")).await.unwrap();
    let Err(error) = session.query("SELECT 1").await else { panic!("the query fails") };
    assert!(!error.is_away() && error.to_string().contains("Overflow happened"), "{error}");
    drop(session);
    scheduler.wait_for("DROP TABLE IF EXISTS \"t1\"").await;
}

#[tokio::test]
async fn a_query_that_nobody_waits_for_is_cancelled() {
    let scheduler = Scheduler::start(Mood { never_answers: true, ..Mood::default() }).await;
    let mut session = cluster(&scheduler, LIMITS).session().await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { session.query("SELECT 1").await.map(drop) });
    scheduler.wait_for("SELECT 1").await;
    tasks.shutdown().await;
    scheduler.wait_for_cancel("job-1").await;
}

#[tokio::test]
async fn a_scheduler_that_never_answers_is_given_up() {
    let scheduler = Scheduler::start(Mood { never_answers: true, ..Mood::default() }).await;
    let limits = TimeLimits { query: Duration::from_millis(200), ..LIMITS };
    let mut session = cluster(&scheduler, limits).session().await.unwrap();
    let Err(error) = session.query("SELECT 1").await else { panic!("it never answers") };
    assert!(matches!(error, Error::TimedOut { step: "finish a query", .. }) && error.is_away(), "{error}");
    scheduler.wait_for_cancel("job-1").await;
}

#[tokio::test]
async fn without_an_executor_nothing_is_begun() {
    let scheduler = Scheduler::start(Mood { has_no_executor: true, ..Mood::default() }).await;
    let error = cluster(&scheduler, LIMITS).session().await.unwrap_err();
    assert!(matches!(error, Error::NoExecutor { .. }) && error.is_away(), "{error}");
    assert!(scheduler.statements().is_empty());
}

#[tokio::test]
async fn the_slots_are_those_of_all_executors() {
    let scheduler = Scheduler::start(Mood::default()).await;
    assert_eq!(cluster(&scheduler, LIMITS).slots().await, Some(16));
    let silent = Scheduler::start(Mood { lists_no_executors: true, ..Mood::default() }).await;
    assert_eq!(cluster(&silent, LIMITS).slots().await, None);
}

#[tokio::test]
async fn a_scheduler_that_is_gone_is_away() {
    let scheduler = Scheduler::start(Mood::default()).await;
    let cluster = cluster(&scheduler, LIMITS);
    let mut session = cluster.session().await.unwrap();
    drop(scheduler);
    let Err(error) = session.query("SELECT 1").await else { panic!("nobody is there") };
    assert!(error.is_away(), "{error}");
    let refused = timeout(Duration::from_secs(30), cluster.session()).await.unwrap();
    assert!(refused.unwrap_err().is_away());
}

#[tokio::test]
async fn a_server_without_flight_sql_says_so() {
    let scheduler = Scheduler::start(Mood { has_no_flight: true, ..Mood::default() }).await;
    let error = cluster(&scheduler, LIMITS).session().await.unwrap_err();
    assert!(error.to_string().contains("--features flight-sql"), "{error}");
}

#[tokio::test]
async fn a_result_that_stops_is_no_result() {
    let scheduler = Scheduler::start(Mood { cuts_rows: true, ..Mood::default() }).await;
    let mut session = cluster(&scheduler, LIMITS).session().await.unwrap();
    let mut rows = session.query("SELECT 1").await.unwrap();
    let mut outcome = rows.next().await;
    while let Ok(Some(_)) = outcome {
        outcome = rows.next().await;
    }
    assert!(outcome.is_err(), "a result that was cut must not pass for a whole one");
}
