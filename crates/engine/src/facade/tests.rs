//! The engine as an entrance sees it, with a real database and without a network.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;

use super::*;
use crate::{
    EditRequest, EditTerms, Offer, Stage, Unobserved,
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
