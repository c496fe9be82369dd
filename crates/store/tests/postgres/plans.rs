//! Query plans: a query for a few files must find them by key. A scan of all files of a source would show in nothing but time.

use diesel::connection::SimpleConnection;
use tributary_store::{Error, FileRow, RejectFilter, Store};

use super::{client, names};
use crate::{Database, FEED, recorded::statements};

/// The plan of the first statement of `run` on a source with 2,000 files, whatever values it is given.
fn plan<T>(run: impl FnOnce(&mut Store, i64) -> Result<T, Error>) -> String {
    let mut database = Database::new();
    let source = database.store.put_source("north", "http://x", 0, 0).unwrap();
    for no in 0..2_000 {
        database.store.put_file(&mut FileRow::new(FEED, source, &format!("folder/{no:05}.csv"))).unwrap();
    }
    let sql = statements(&database.url, |_| Ok(()), |store| run(store, source)).remove(0);
    let values = vec!["NULL"; sql.matches('$').count()].join(", ");
    let mut client = client(&database);
    client.batch_execute(&format!("ANALYZE; SET plan_cache_mode = force_generic_plan; PREPARE q AS {sql}")).unwrap();
    client.batch_execute("CREATE TABLE plan (no SERIAL, name TEXT)").unwrap();
    let explain = format!(
        "DO $$ DECLARE step TEXT; BEGIN FOR step IN EXECUTE 'EXPLAIN EXECUTE q({values})' LOOP \
         INSERT INTO plan (name) VALUES (step); END LOOP; END $$"
    );
    client.batch_execute(&explain).unwrap();
    names(&mut client, "SELECT name FROM plan ORDER BY no").join("\n")
}

/// Guards against an apply, a start or a page that takes longer the more files a source has.
#[test]
#[ignore = "needs PostgreSQL"]
fn a_file_is_found_without_reading_the_others() {
    let by_start = "(substr(path, 1, 600) = ";
    let filter = RejectFilter {
        reader: Some(FEED.to_owned()),
        source: Some("north".to_owned()),
        file: Some("folder/00001.csv".to_owned()),
        ..RejectFilter::default()
    };
    for (plan, expect) in [
        (plan(|store, _| store.file_of(FEED, "north", "folder/00001.csv")), by_start),
        (plan(|store, source| store.files_at(FEED, source, &["folder/00001.csv", "folder/00002.csv"])), by_start),
        (plan(|store, _| store.files_with_rejects(&filter, 0, 9)), by_start),
        (
            plan(|store, source| store.files_after(FEED, source, Some("folder/00001.csv"), 9)),
            "(substr(path, 1, 600) >= ",
        ),
    ] {
        let found = plan.lines().find(|line| line.contains("Index Cond") && line.contains(expect));
        assert!(found.is_some(), "no index condition `{expect}` in\n{plan}");
    }
}
