//! Operations through a real engine, over a database with offers and own columns.

mod model;

use std::{cell::Cell, collections::BTreeMap, convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use proptest::test_runner::{Config as ProptestConfig, TestRunner};
use tokio::sync::RwLockReadGuard;
use tokio_util::sync::CancellationToken;
use tributary_config::{Config, ConfigArgs};
use tributary_store::{AggrOrder, EditRow, Store};

use super::{
    Operation, OperationChange, OperationLimits, OperationMessage,
    OperationOutcome::{self, Applied, Refused, Repeated},
    operate,
};
use crate::{
    EditRequest, EditTerms, Engine, Event, Offer, ProductQuery, Running, Stage, Unobserved, supervise::tests::ENGINES,
};
use model::{Columns, Edit, Model};

/// The offers of all tests: skus with the texts of `name`, `description`, `price` and `brand`.
const FEED: &str = "sku,name,description,price,brand\na,Pen,blue,1,Acme\nb,Ink,,2,\n";

/// Bounds that no test but that of the bounds reaches.
const LIMITS: OperationLimits =
    OperationLimits { keep_messages: 1_000_000, keep_for: Duration::from_secs(7 * 24 * 60 * 60) };

struct World {
    engine: Engine,
    running: Running,
    folder: tempfile::TempDir,
    _undisturbed: RwLockReadGuard<'static, ()>,
}

impl World {
    /// An engine with the offers of [`FEED`].
    async fn new() -> Self {
        let undisturbed = ENGINES.read().await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tributary.toml");
        let toml = format!(
            "database_url = {:?}\n[catalog]\ncolumns = [\"price\", \"brand\"]\n[uploads]\nkeep_free = \"0B\"\n",
            folder.path().join("database.db")
        );
        std::fs::write(&file, toml).unwrap();
        let config = Config::load(&ConfigArgs { config: Some(file), ..Default::default() }).unwrap();
        let observer = |_: &str| Arc::new(Unobserved) as Arc<_>;
        let (engine, running) = Engine::start(&config, &observer, CancellationToken::new()).await.unwrap();
        let world = Self { engine, running, folder, _undisturbed: undisturbed };
        let offer = Offer { path: "feed.csv".to_owned(), is_listed: true, ..Offer::default() };
        let admitted = world.engine.inbox().admit(offer).await.unwrap();
        let id = admitted.id().to_owned();
        admitted.receive(stream::iter([Ok::<_, Infallible>(Bytes::from_static(FEED.as_bytes()))])).await.unwrap();
        let document = world.engine.inbox().wait(&id, Duration::from_secs(60)).await.unwrap().unwrap();
        assert_eq!(document.stage, Stage::Complete);
        world
    }

    fn store(&self) -> Store {
        Store::open_existing(&self.folder.path().join("database.db").to_str().unwrap().parse().unwrap()).unwrap()
    }

    async fn operate(&self, messages: &[OperationMessage]) -> Vec<OperationOutcome> {
        self.engine.operate(messages.to_vec(), LIMITS).await.unwrap()
    }

    /// The skus of the events of edits after a number, in order, and the number of the last event.
    fn edited_after(&self, after: i64) -> (Vec<String>, i64) {
        let rows = self.store().events_after(after, i64::MAX).unwrap();
        let last = rows.last().map_or(after, |row| row.id);
        let sku = |row| match crate::database::events::read(row).unwrap().event {
            Event::Edit { sku } => Some(sku),
            _ => None,
        };
        (rows.iter().filter_map(sku).collect(), last)
    }

    fn edits(&self) -> BTreeMap<String, Edit> {
        let rows = self.store().edits_view(None, i64::MAX).unwrap();
        rows.into_iter()
            .map(|row| {
                let own: Columns = row.own.map(|own| serde_json::from_str(&own).unwrap()).unwrap_or_default();
                let fixed = [("name", row.name), ("description", row.description)];
                let fixed = fixed.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?)));
                let texts = fixed.chain(own).collect();
                (row.sku, Edit { texts, hidden: row.hidden, stands: row.stands })
            })
            .collect()
    }

    async fn products(&self) -> BTreeMap<String, Columns> {
        let page = self.engine.products(ProductQuery::default(), 1_000).await.unwrap();
        let product = |product: crate::Product| {
            let own = product.own.iter().map(|(name, text)| (name.to_owned(), text.clone()));
            let fixed = [("name".to_owned(), product.name), ("description".to_owned(), product.description)];
            (product.sku, own.chain(fixed).collect())
        };
        page.products.into_iter().map(product).collect()
    }

    async fn names(&self) -> BTreeMap<String, i64> {
        let (rows, _) = self.engine.names(None, AggrOrder::Name, 1_000, 0).await.unwrap();
        rows.into_iter().map(|row| (row.name, row.no_of_products)).collect()
    }

    /// Brings the edits of all skus to a state that a person may have left.
    async fn begin_with(&self, edits: &BTreeMap<String, Edit>) {
        for sku in model::SKUS {
            self.engine.change_edit(sku, EditRequest::Clear, EditTerms::default()).await.unwrap();
        }
        for (sku, edit) in edits {
            let texts = edit.texts.clone().into_iter();
            if edit.stands {
                self.engine
                    .change_edit(sku, EditRequest::Replace(texts.collect()), EditTerms::default())
                    .await
                    .unwrap();
                continue;
            }
            if edit.hidden {
                self.engine.change_edit(sku, EditRequest::Hide, EditTerms::default()).await.unwrap();
            }
            let texts = texts.map(|(name, text)| (name, Some(text))).collect();
            self.engine.change_edit(sku, EditRequest::Patch(texts), EditTerms::default()).await.unwrap();
        }
        assert_eq!(self.edits(), *edits);
    }

    async fn stop(self) {
        drop(self.engine);
        self.running.stop().await;
    }
}

fn message(id: &str, operations: Vec<Operation>) -> OperationMessage {
    OperationMessage { id: (!id.is_empty()).then(|| id.to_owned()), operations }
}

fn upsert(sku: &str, texts: &[(&str, Option<&str>)]) -> Operation {
    let texts = texts.iter().map(|(name, text)| ((*name).to_owned(), text.map(str::to_owned)));
    Operation { sku: sku.to_owned(), change: OperationChange::Upsert(texts.collect()) }
}

fn delete(sku: &str) -> Operation {
    Operation { sku: sku.to_owned(), change: OperationChange::Delete }
}

/// Batches must leave what the same operations leave one at a time, and an event for each edit that differs after its batch.
#[test]
fn batches_equal_operations_one_at_a_time() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(World::new());
    let case = Cell::new(0);
    let run = |history: model::History| {
        case.set(case.get() + 1);
        // The messages of earlier cases are remembered.
        let prefix = format!("{}-", case.get());
        runtime.block_on(check(&world, history, &prefix));
        Ok(())
    };
    let config = ProptestConfig { failure_persistence: None, cases: 96, ..ProptestConfig::default() };
    TestRunner::new(config).run(&model::history(), run).unwrap();
    runtime.block_on(world.stop());
}

async fn check(world: &World, history: model::History, prefix: &str) {
    let mut model = Model::new(history.edits);
    world.begin_with(&model.edits).await;
    let (_, mut seen) = world.edited_after(0);
    for batch in history.batches {
        let before = model.edits.clone();
        let expected: Vec<_> = batch.iter().map(|message| model.apply(message)).collect();
        let messages: Vec<_> = batch.iter().map(|message| message.sent(prefix)).collect();
        let outcomes = world.operate(&messages).await;
        assert_eq!(outcomes.iter().map(model::Kind::of).collect::<Vec<_>>(), expected, "{messages:?}: {outcomes:?}");
        assert_eq!(world.edits(), model.edits);
        let (edited, last) = world.edited_after(seen);
        let changed = model::SKUS.iter().filter(|sku| before.get(**sku) != model.edits.get(**sku));
        assert_eq!(edited, changed.map(|sku| (*sku).to_owned()).collect::<Vec<_>>());
        seen = last;
    }
    assert_eq!(world.products().await, model.products());
    assert_eq!(world.names().await, model.names());
}

/// Guards corrections of a column that leaves the catalog for a while.
#[test]
fn texts_of_columns_that_are_gone_stay_until_the_product_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("database.db").to_str().unwrap().parse().unwrap()).unwrap();
    let gone = EditRow {
        sku: "a".to_owned(),
        name: None,
        description: None,
        own: Some(r#"{"gone":"x"}"#.to_owned()),
        hidden: false,
        stands: false,
        edited_at: "2026-11-30T10:00:00.000Z".to_owned(),
        edited_by: None,
    };
    store.put_edit(&gone).unwrap();
    let mut own_after = |operations| {
        let outcomes = operate(&mut store, vec![message("", operations)], LIMITS).unwrap();
        assert_eq!(outcomes, [Applied]);
        store.edit("a").unwrap().unwrap().own
    };
    let renamed = || upsert("a", &[("name", Some("Pen"))]);
    assert_eq!(own_after(vec![renamed(), renamed()]), gone.own);
    assert_eq!(own_after(vec![delete("a"), renamed()]), None);
}

/// Skus are merged in parts, and each part must get the edits of its own skus.
#[test]
fn a_batch_changes_more_skus_than_are_merged_at_a_time() {
    const SKUS: usize = 2_500;
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("database.db").to_str().unwrap().parse().unwrap()).unwrap();
    let sku = |number: usize| format!("{number:04}");
    let mut after = |change: &dyn Fn(usize) -> Operation| {
        let messages: Vec<_> = (0..SKUS).rev().map(|number| message("", vec![change(number)])).collect();
        assert_eq!(operate(&mut store, messages, LIMITS).unwrap(), vec![Applied; SKUS]);
        let skus: Vec<_> = (0..SKUS).map(sku).collect();
        let rows = store.sku_rows(&skus).unwrap();
        assert_eq!(rows.edits.len(), SKUS);
        let tally = store.tally().unwrap();
        (rows.products.into_iter().map(|product| (product.sku, product.name)).collect::<Vec<_>>(), tally.names)
    };
    let named = |name: usize| format!("name {name}");
    let (products, names) = after(&|number| upsert(&sku(number), &[("name", Some(&named(number)))]));
    assert_eq!(products, (0..SKUS).map(|number| (sku(number), named(number))).collect::<Vec<_>>());
    assert_eq!(names, SKUS as i64);
    let (products, names) = after(&|number| match number % 3 {
        0 => delete(&sku(number)),
        _ => upsert(&sku(number), &[("name", Some("one name"))]),
    });
    let left = (0..SKUS).filter(|number| number % 3 > 0).map(|number| (sku(number), "one name".to_owned()));
    assert_eq!(products, left.collect::<Vec<_>>());
    assert_eq!(names, 1);
}

#[tokio::test]
async fn a_message_that_comes_again_changes_nothing() {
    let world = World::new().await;
    let first = [message("m", vec![upsert("a", &[("name", Some("New"))])])];
    assert_eq!(world.operate(&first).await, [Applied]);
    let later = [message("", vec![upsert("a", &[("name", Some("Newer"))])])];
    assert_eq!(world.operate(&later).await, [Applied]);
    let (_, seen) = world.edited_after(0);
    let edits = world.store().edits_view(None, 9).unwrap();
    assert_eq!(world.operate(&first).await, [Repeated]);
    assert_eq!(world.operate(&later).await, [Applied], "without an id no message is known");
    assert_eq!(world.edited_after(seen), (vec![], seen));
    assert_eq!(world.store().edits_view(None, 9).unwrap(), edits);
    assert_eq!(world.engine.product("a").await.unwrap().product.unwrap().name, "Newer");
    world.stop().await;
}

#[tokio::test]
async fn a_message_is_refused_as_a_whole_with_a_reason_and_not_remembered() {
    let world = World::new().await;
    let long = "x".repeat(1 << 20);
    let wrong = [
        (upsert(" ", &[]), "a sku must have at least one letter that is no blank"),
        (delete(&long), "the sku has 1048576 bytes, and 1024 are the most"),
        (upsert("a", &[("name", Some(&long))]), "the name has 1048576 bytes, and 2048 are the most"),
        (upsert("a", &[("price", Some("1\0"))]), "the price has a NUL byte in it"),
        (
            upsert("a", &[("color", None)]),
            "the catalog has no column `color`; it has `sku`, `name`, `description`, `price`, `brand`",
        ),
    ];
    for (operation, reason) in wrong {
        let alone = world.operate(&[message("m", vec![operation.clone()])]).await;
        assert_eq!(alone, [Refused(reason.to_owned())]);
        let second = world.operate(&[message("m", vec![delete("a"), operation])]).await;
        assert_eq!(second, [Refused(format!("operation 2 of 2: {reason}"))]);
    }
    for id in [&long, "m\0"] {
        let refused = world.operate(&[message(id, vec![delete("a")])]).await;
        assert_eq!(refused, [Refused("the id of a message has 1 to 255 bytes, none of them NUL".to_owned())]);
    }
    assert_eq!(world.edits(), BTreeMap::new());
    assert_eq!(world.operate(&[message("m", vec![delete("a")])]).await, [Applied]);
    world.stop().await;
}

#[tokio::test]
async fn messages_are_forgotten_when_too_many_follow_or_after_a_time() {
    let world = World::new().await;
    let limits = |keep_messages, seconds| OperationLimits { keep_messages, keep_for: Duration::from_secs(seconds) };
    let operate = |ids: &[&str], limits| {
        let messages: Vec<_> = ids.iter().map(|id| message(id, vec![])).collect();
        let world = &world;
        async move { world.engine.operate(messages, limits).await.unwrap() }
    };
    let known = || {
        let mut known = world.store().known_operation_messages(&["a", "b", "c", "d"]).unwrap();
        known.sort();
        known
    };
    let (few, many) = (limits(2, 3_600), limits(9, 3_600));
    assert_eq!(operate(&["a", "b", "c"], few).await, [Applied, Applied, Applied]);
    assert_eq!(known(), ["b", "c"]);
    assert_eq!(operate(&["b", "d"], many).await, [Repeated, Applied]);
    assert_eq!(operate(&["a"], many).await, [Applied], "it is forgotten");
    assert_eq!(known(), ["a", "b", "c", "d"]);
    // Arrived in the same millisecond, they are not old yet.
    for next in 0.. {
        assert_eq!(operate(&[&next.to_string()], limits(99, 0)).await, [Applied]);
        if known().is_empty() {
            break;
        }
    }
    world.stop().await;
}
