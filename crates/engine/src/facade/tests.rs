//! The engine as an entrance sees it, with a real database and without a network.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;

use super::*;
use crate::{
    EditRequest, EditTerms, InboxError, Offer, OnlyReads, Stage, Unobserved,
    supervise::tests::{ENGINES, take_panic, want_panic},
};

/// Sends a document and waits for its end.
async fn upload(engine: &Engine, filename: &str, body: &'static str) -> Stage {
    let offer = Offer { path: filename.to_owned(), is_listed: true, ..Offer::default() };
    let admitted = engine.inbox().admit(offer).await.unwrap();
    let id = admitted.id().to_owned();
    admitted.receive(stream::iter([Ok::<_, Infallible>(Bytes::from_static(body.as_bytes()))])).await.unwrap();
    engine.inbox().wait(&id, Duration::from_secs(60)).await.unwrap().unwrap().stage
}

#[tokio::test]
async fn a_master_that_only_reads_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("database.db");
    let config = Config { database: database.to_str().unwrap().parse().unwrap(), ..Config::default() };
    drop(Store::open(&config.database).unwrap());
    let prepared = Prepared::new(&config).unwrap();
    let (engine, running) = Engine::reading(&config, prepared, MasterRole::Reader, CancellationToken::new());
    let edit = engine.change_edit("a", EditRequest::Hide, EditTerms::default()).await;
    assert!(matches!(edit, Err(EditError::Failed(why)) if why.is::<OnlyReads>()));
    let offer = Offer { path: "a.csv".to_owned(), is_listed: true, ..Offer::default() };
    let refused = engine.inbox().admit(offer).await.map(|_| ()).unwrap_err();
    assert!(matches!(&refused, InboxError::Failed(why) if why.is::<OnlyReads>()), "{refused:?}");
    assert!(engine.accept_held("north", None, None).await.is_err());
    assert!(engine.put_queues(Vec::new()).await.is_err());
    engine.product("a").await.unwrap();
    for made in ["uploads", "spool", "lock"] {
        assert!(!database.with_extension(format!("db.{made}")).exists(), "{made}");
    }
    drop(engine);
    running.stop().await;
}

/// A panic used to end a task for good: after one in a task that read documents every later upload stayed `queued` until a restart.
#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_task_goes_on_after_a_panic() {
    let _alone = ENGINES.write().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tributary.toml");
    let toml = format!(
        "database_url = {:?}\n[[report]]\nname = \"names\"\nfiles = \"*.csv\"\nfeed = true\nmetrics = {{ rows = \"count()\" }}\n[uploads]\nkeep_free = \"0B\"\n",
        folder.path().join("database.db")
    );
    std::fs::write(&file, toml).unwrap();
    let args = tributary_config::ConfigArgs { config: Some(file), ..Default::default() };
    let config = Config::load(&args).unwrap();
    let observer = |_: &str| Arc::new(Unobserved) as Arc<_>;
    let (engine, running) = Engine::start(&config, &observer, CancellationToken::new()).await.unwrap();

    want_panic("writer");
    let change = || EditRequest::Replace(vec![("name".into(), "Pen".into())]);
    let failed = engine.change_edit("p1", change(), EditTerms::default()).await.unwrap_err();
    assert!(failed.to_string().contains("panicked"), "{failed}");
    engine.change_edit("p1", change(), EditTerms::default()).await.unwrap();
    assert!(engine.product("p1").await.unwrap().product.is_some());

    for kind in ["poll", "reports"] {
        want_panic(kind);
        let name = format!("{kind}.csv");
        assert_eq!(upload(&engine, &name, "sku,name\na,b\n").await, Stage::Complete, "{kind}");
        assert!(!take_panic(kind), "the task `{kind}` was reached");
    }
    drop(engine);
    running.stop().await;
}
