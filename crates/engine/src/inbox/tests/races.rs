//! Orders of events that were wrong once, or look as if they could be.

use tributary_store::{DocumentState, ProductFilter};

use super::*;
use crate::{
    documents::{Changes, take_back},
    inbox::receiving::{EXPIRES_AFTER, Receiving},
    source::FetchError,
};

/// A failed document used to be forgotten while its file was still there. The next start then took the file in as if it came from
/// another database, so that what had been cancelled replaced what was there.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_cancelled_and_forgotten_does_not_come_back() {
    let world = World::new("").await;
    let path = "a.csv";
    world.put(path, &feed(path, "one"), false).await.unwrap();
    let Arrived::Stored(id) = world.send(path, NO_FEED, true).await.unwrap() else { panic!() };
    assert_eq!(world.end_of(&id).await, Stage::Failed);
    // As if its file could not be deleted.
    std::fs::write(world.folder().join(format!("{path}.{id}")), feed(path, "two")).unwrap();
    assert!(world.inbox().cancel(&id, None).await.unwrap(), "it is forgotten");
    assert!(world.inbox().get(&id).await.unwrap().is_none());
    let world = world.restart().await;
    world.expect(path, Some("one")).await;
    world.check_folder();
    world.stop().await;
}

/// The id of a document that was taken back used to be taken for a new one, which ended as an internal error.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_used_once() {
    let world = World::new("").await;
    let offer = |path: &str| Offer {
        path: path.to_owned(),
        id: Some("d".repeat(32)),
        may_replace: true,
        is_listed: true,
        ..Offer::default()
    };
    let Arrived::Stored(id) = world.offer(offer("a.csv"), &feed("a.csv", "one")).await.unwrap() else { panic!() };
    for is_there in [true, false] {
        assert_eq!(world.inbox().get(&id).await.unwrap().is_some(), is_there);
        let refused = world.offer(offer("b.csv"), &feed("b.csv", "one")).await;
        assert!(matches!(refused, Err(InboxError::KnownId { .. })), "{refused:?}");
        if is_there {
            world.end_of(&id).await;
            world.expect("a.csv", Some("one")).await;
            assert!(world.inbox().cancel(&id, None).await.unwrap());
        }
        world.expect("a.csv", None).await;
    }
    world.check_folder();
    world.stop().await;
}

/// The same content sent again used to fail if its first file was deleted at the moment when it was opened.
#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_a_document_that_was_sent_again_is_not_missed() {
    let world = World::new("").await;
    let (path, documents) = ("a.csv", world.inbox().0.documents.clone());
    world.put(path, &feed(path, "one"), false).await.unwrap();
    let listed = documents.list(None).files.entry(0);
    let file = documents.file(&listed).unwrap();
    std::fs::remove_file(world.folder().join(format!("{path}.{}", world.current(path).unwrap().id))).unwrap();
    assert!(documents.missing(&listed, &file).unwrap().is_some());
    world.put(path, &feed(path, "one"), true).await.unwrap();
    assert!(file.open().is_err());
    assert!(matches!(documents.missing(&listed, &file), Err(FetchError::Changed(_))));
    world.stop().await;
}

/// A connection that breaks, or a reload, drops whoever waits for a change. The files of documents that it ended used to stay, and
/// those who followed one waited in vain.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_finished_even_if_nobody_waits_for_it() {
    let world = World::new("").await;
    let (path, documents) = ("a.csv", world.inbox().0.documents.clone());
    world.put(path, &feed(path, "one"), false).await.unwrap();
    let current = world.current(path).unwrap();
    let mut end = documents.follow(&current.id);
    let write = move |store: &mut Store| {
        let mut changes = Changes::default();
        store.transaction(|store| take_back(store, current.clone(), &mut changes))?;
        changes.ends(current);
        drop(documents.committed(changes));
        Ok(())
    };
    world.inbox().0.writer.run_first(write).await.unwrap();
    world.check_folder();
    assert!(end.borrow_and_update().is_some());
    world.expect(path, None).await;
    world.stop().await;
}

/// A clock that is set a day ahead used to delete what has come of every unfinished upload.
#[tokio::test(flavor = "multi_thread")]
async fn an_unfinished_upload_expires_by_a_clock_that_nobody_sets() {
    let world = World::new("").await;
    let offer = Offer { path: "a.csv".to_owned(), size: Some(9), is_listed: true, ..Offer::default() };
    let Unfinished { id, .. } = world.inbox().create(offer).await.unwrap();
    let row = world.store().document(&id).unwrap().unwrap();
    let expires_at = Some("2001-01-01T00:00:00.000Z".to_owned());
    world.store().update_document(&DocumentRow { expires_at, ..row }).unwrap();
    world.inbox().expire().await.unwrap();
    assert!(world.inbox().unfinished(&id).await.unwrap().is_some());
    // After a restart only that time is known.
    let world = world.restart().await;
    world.inbox().expire().await.unwrap();
    assert!(world.inbox().unfinished(&id).await.unwrap().is_none());
    world.stop().await;
}

/// A document may be read before the request that sent it has noticed that it is stored. Another request with the same message used to
/// find it still being received then, and waited for its end until the limit.
#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_has_ended_while_it_was_received_is_not_waited_for() {
    let world = World::new("").await;
    world.put("a.csv", &feed("a.csv", "one"), false).await.unwrap();
    let row = world.current("a.csv").unwrap();
    let receiving = Arc::new(Receiving::resumable(&row));
    world.inbox().receiving().insert(row.id.clone(), receiving);
    let waited = world.inbox().wait(&row.id, Duration::from_secs(600));
    let found = tokio::time::timeout(Duration::from_secs(60), waited).await.expect("it does not wait").unwrap();
    assert_eq!(found.unwrap().stage, Stage::Complete);
    world.inbox().receiving().remove(&row.id);
    world.stop().await;
}

/// A run of `--once` used to end with the products of a document that a report had rejected, and without a word about one that is no
/// feed.
#[tokio::test(flavor = "multi_thread")]
async fn once_ends_with_what_paths_stand_for() {
    let report = "[[report]]\nname = \"r\"\nfiles = \"a.csv\"\nfeed = true\nmetrics = { n = \"sum(n)\" }";
    let world = World::new(report).await;
    world.put("b.csv", &feed("b.csv", "one"), false).await.unwrap();
    assert_eq!(world.put("a.csv", "sku,name,n\na.csv,one,1\n", false).await.unwrap(), Stage::Complete);
    let folder = world.folder();
    let home = world.stop().await;
    // Files of another database wait like documents that nobody has read.
    std::fs::write(folder.join("a.csv"), feed("a.csv", "two")).unwrap();
    std::fs::write(folder.join("b.csv"), NO_FEED).unwrap();
    let observer = |_: &str| Arc::new(Unobserved) as Arc<_>;
    let summary = crate::once(config(&home), &observer).await.unwrap();
    let rows = open(&home).products_page(&ProductFilter::default(), None, 9).unwrap();
    let products: Vec<_> = rows.into_iter().map(|row| (row.sku, row.name)).collect();
    assert_eq!(products, [("a.csv", "one"), ("b.csv", "one")].map(|(sku, name)| (sku.to_owned(), name.to_owned())));
    for word in ["uploads/b.csv is rejected", "r: a.csv is rejected: no column `n`"] {
        assert!(summary.failures.iter().any(|why| why.contains(word)), "{word}: {:?}", summary.failures);
    }
    let world = World::start(home).await;
    world.expect("b.csv", Some("one")).await;
    world.check_folder();
    world.stop().await;
}

/// A reload used to drop the source of documents if it came while the first one started it. Nothing read that document then.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_document_may_come_during_a_reload() {
    for round in 0..4 {
        let world = World::new("").await;
        let (release, held) = std::sync::mpsc::channel::<()>();
        let writer = world.inbox().0.writer.clone();
        let busy = tokio::spawn(async move { writer.run("a test", move |_| Ok(held.recv()?)).await });
        let mut config = config(&world.home);
        config.poll_interval *= 2;
        let reload = world.engine.reload(config);
        let body = feed("a.csv", "one");
        let put = world.put("a.csv", &body, false);
        let begin = async {
            // Both wait for the writer, in either order.
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
            release.send(()).unwrap();
        };
        let (reloaded, stage, ()) = match round % 2 {
            0 => tokio::join!(reload, put, begin),
            _ => {
                let (stage, reloaded, begun) = tokio::join!(put, reload, begin);
                (reloaded, stage, begun)
            }
        };
        busy.await.unwrap().unwrap();
        reloaded.unwrap();
        assert_eq!(stage.unwrap(), Stage::Complete, "round {round}");
        world.expect("a.csv", Some("one")).await;
        world.stop().await;
    }
}

/// Documents that wait are read by the reports that there are when they are read.
#[tokio::test(flavor = "multi_thread")]
async fn reports_come_and_go_while_documents_wait() {
    let report = |name: &str| {
        format!("[[report]]\nname = {name:?}\nfiles = \"*.csv\"\nfeed = true\nmetrics = {{ n = \"sum(n)\" }}")
    };
    let world = World::new(&report("old")).await;
    let body = |path: &str| format!("sku,name,n\n{path},one,1\n");
    assert_eq!(world.put("a.csv", &body("a.csv"), false).await.unwrap(), Stage::Complete);
    let refuse = "CREATE TRIGGER fault BEFORE INSERT ON files BEGIN SELECT RAISE(ABORT, 'a test'); END";
    change_schema(&world, refuse);
    let mut ids = Vec::new();
    for (path, body) in [("b.csv", body("b.csv")), ("c.csv", feed("c.csv", "two"))] {
        let Arrived::Stored(id) = world.send(path, &body, true).await.unwrap() else { panic!() };
        ids.push(id);
    }
    world.configure(&report("new"));
    world.engine.reload(config(&world.home)).await.unwrap();
    change_schema(&world, "DROP TRIGGER fault");
    assert_eq!(world.end_of(&ids[0]).await, Stage::Complete);
    assert_eq!(world.end_of(&ids[1]).await, Stage::Failed, "the new report cannot use it");
    let Arrived::Stored(id) = world.send("c.csv", &feed("c.csv", "two"), true).await.unwrap() else { panic!() };
    world.configure("");
    world.engine.reload(config(&world.home)).await.unwrap();
    let stage = world.end_of(&id).await;
    // Should the report have been so fast, it has rejected it before it went.
    world.expect("c.csv", (stage == Stage::Complete).then_some("two")).await;
    world.check_folder();
    world.stop().await;
}

/// One pass takes a thousand documents.
#[tokio::test(flavor = "multi_thread")]
async fn once_reads_all_that_wait() {
    const WAITING: usize = 2_100;
    let world = World::new("").await;
    world.put("a.csv", &feed("a.csv", "one"), false).await.unwrap();
    let (folder, first) = (world.folder(), world.current("a.csv").unwrap());
    let home = world.stop().await;
    let wait = |number: usize| {
        let (path, id) = (format!("{number}.csv"), format!("{number:032x}"));
        let body = feed(&path, "one");
        std::fs::write(folder.join(format!("{path}.{id}")), &body).unwrap();
        let hash = Some(format!("blake3:{}", blake3::hash(body.as_bytes()).to_hex()));
        let (state, place) = (DocumentState::Queued, Some(Place::Next));
        let bytes = i64::try_from(body.len()).unwrap();
        DocumentRow { id, path, hash, state, place, bytes, message: None, finished_at: None, ..first.clone() }
    };
    let store = |store: &mut Store| (1..=WAITING).try_for_each(|number| store.insert_document(&wait(number)));
    open(&home).transaction(store).unwrap();
    let observer = |_: &str| Arc::new(Unobserved) as Arc<_>;
    let summary = crate::once(config(&home), &observer).await.unwrap();
    assert!(summary.is_complete(), "{:?}", summary.failures);
    assert_eq!((summary.read, summary.tally.products), (WAITING, WAITING as i64 + 1));
    let waiting = open(&home).all_standing_documents().unwrap();
    assert!(waiting.iter().all(|row| row.place == Some(Place::Current)));
}

/// A thousand files that were announced, and of which nothing came, used to refuse all others for a day.
#[tokio::test(flavor = "multi_thread")]
async fn an_idle_upload_of_which_little_has_come_makes_room() {
    let world = World::new("").await;
    let (inbox, mut ids) = (world.inbox(), Vec::new());
    for path in ["a.csv", "b.csv", "c.csv"] {
        let offer = Offer { path: path.to_owned(), size: Some(9), is_listed: true, ..Offer::default() };
        ids.push(inbox.create(offer).await.unwrap().id);
    }
    let part = |bytes: &'static [u8]| Box::pin(futures_util::stream::iter([Ok::<_, String>(bytes.into())]));
    inbox.append(&ids[0], 0, part(b"sk")).await.unwrap();
    inbox.append(&ids[1], 0, part(b"s")).await.unwrap();
    assert!(inbox.make_room(4).await.is_ok());
    let refused = inbox.make_room(3).await;
    assert!(matches!(refused, Err(InboxError::TooManyUnfinished { limit: 3 })), "all are in use: {refused:?}");
    for id in &ids[..2] {
        let receiving = Arc::clone(&inbox.receiving()[id]);
        receiving.resumable.as_ref().unwrap().expire_after(EXPIRES_AFTER - Duration::from_secs(60));
    }
    inbox.make_room(3).await.unwrap();
    let mut left = Vec::new();
    for id in &ids {
        left.push(inbox.unfinished(id).await.unwrap().is_some());
    }
    assert_eq!(left, [true, false, true], "the emptier of those that are idle");
    assert_eq!(inbox.get(&ids[1]).await.unwrap().unwrap().stage, Stage::Failed);
    world.stop().await;
}
