//! The order of jobs, and the log that readers keep.

use std::sync::mpsc::channel;

use super::*;

#[tokio::test]
async fn urgent_jobs_go_before_those_that_wait() {
    let folder = tempfile::tempdir().unwrap();
    let url: tributary_store::DatabaseUrl = folder.path().join("database.db").to_str().unwrap().parse().unwrap();
    let (writer, thread) =
        Writer::start(url.clone(), Store::open(&url).unwrap(), Lock::acquire(&url, "a test").unwrap()).unwrap();
    let (release, held) = channel::<()>();
    let (order, done) = channel();
    let job = |name: &'static str| {
        let order = order.clone();
        move |_: &mut Store| Ok(order.send(name)?)
    };
    let first = writer.run("long", move |_| Ok(held.recv()?));
    let (plain, urgent) = (writer.run("plain", job("plain")), writer.run_first(job("urgent")));
    let check = async {
        while writer.running().is_none_or(|(name, _)| name != "long") {
            tokio::task::yield_now().await;
        }
        // Both others are queued by now: `join` polls them before this.
        release.send(()).unwrap();
    };
    let (first, plain, urgent, ()) = tokio::join!(first, plain, urgent, check);
    first.and(plain).and(urgent).unwrap();
    assert_eq!(done.try_iter().collect::<Vec<_>>(), ["urgent", "plain"]);
    let shared = Arc::clone(&writer.shared);
    drop(writer);
    thread.join().unwrap();
    assert!(shared.running().is_none(), "a job answers before it is noted as done");
}

#[test]
fn a_log_that_readers_keep_has_the_database_opened_anew() {
    let folder = tempfile::tempdir().unwrap();
    let url: DatabaseUrl = folder.path().join("database.db").to_str().unwrap().parse().unwrap();
    let (store, lock) = (Store::open(&url).unwrap(), Lock::acquire(&url, "a test").unwrap());
    let (writer, thread) = Writer::start_within(url.clone(), store, lock, (0, Duration::ZERO)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    // Other tests may read just when it is to be opened anew.
    let write = || {
        for _ in 0..5 {
            runtime.block_on(writer.run("write", |store| Ok(store.probe_write()?))).unwrap();
        }
    };
    let pool = tributary_store::ReaderPool::new(url.clone());
    let is_pool_closed = |write: &dyn Fn()| {
        pool.snapshot(|_| anyhow::Ok(())).unwrap();
        write();
        pool.close_idle(Duration::ZERO) == 0
    };
    assert!(!is_pool_closed(&write), "nobody keeps the log");
    let keeps = |store: &mut Store| {
        store.tally()?;
        anyhow::Ok(is_pool_closed(&write))
    };
    assert!(Store::open_existing(&url).unwrap().snapshot(keeps).unwrap());
    drop(writer);
    thread.join().unwrap();
}
