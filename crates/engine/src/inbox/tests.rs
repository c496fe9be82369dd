//! The inbox of a real engine, in a folder of its own and without a network.

mod faults;
mod races;

use std::{collections::BTreeSet, convert::Infallible, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use futures_util::stream;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tributary_config::Config;
use tributary_store::{DocumentRow, Place, Store};

use super::*;
use crate::{Engine, Running, Unobserved};

/// Limit for the wait for a condition; far longer than any takes.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// A document that no reader can use.
const NO_FEED: &str = "x,y\n1,2\n";

/// An engine in a folder that goes with it.
struct World {
    engine: Engine,
    running: Running,
    home: tempfile::TempDir,
}

impl World {
    /// An engine with these lines in its configuration.
    async fn new(lines: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        configure(&home, lines);
        Self::start(home).await
    }

    fn configure(&self, lines: &str) {
        configure(&self.home, lines);
    }

    async fn start(home: tempfile::TempDir) -> Self {
        let observer = |_: &str| Arc::new(Unobserved) as Arc<_>;
        let (engine, running) = Engine::start(&config(&home), &observer, CancellationToken::new()).await.unwrap();
        Self { engine, running, home }
    }

    async fn stop(self) -> tempfile::TempDir {
        let Self { engine, running, home } = self;
        drop(engine);
        running.stop().await;
        home
    }

    async fn restart(self) -> Self {
        Self::start(self.stop().await).await
    }

    fn inbox(&self) -> &Inbox {
        self.engine.inbox()
    }

    /// Sends a document that may replace another one. If it is not listed, it is a message, which is known by its path and body.
    async fn send(&self, path: &str, body: &str, is_listed: bool) -> Result<Arrived, InboxError> {
        let size = Some(body.len() as u64);
        let message = (!is_listed).then(|| blake3::hash(format!("{path} {body}").as_bytes()).to_hex().to_string());
        let offer = Offer { path: path.to_owned(), may_replace: true, size, is_listed, message, ..Offer::default() };
        self.offer(offer, body).await
    }

    async fn offer(&self, offer: Offer, body: &str) -> Result<Arrived, InboxError> {
        let body = Ok::<_, Infallible>(Bytes::copy_from_slice(body.as_bytes()));
        self.inbox().admit(offer).await?.receive(stream::iter([body])).await
    }

    /// Sends a document and waits for its end.
    async fn put(&self, path: &str, body: &str, is_listed: bool) -> Result<Stage, InboxError> {
        match self.send(path, body, is_listed).await? {
            Arrived::Stored(id) => Ok(self.end_of(&id).await),
            other => panic!("{path}: {other:?}"),
        }
    }

    async fn end_of(&self, id: &str) -> Stage {
        self.inbox().wait(id, MAX_WAIT).await.unwrap().unwrap().stage
    }

    fn store(&self) -> Store {
        open(&self.home)
    }

    /// The id of the document that is accepted.
    fn current(&self, path: &str) -> Option<DocumentRow> {
        self.store().document_at(path, Place::Current).unwrap()
    }

    async fn product(&self, sku: &str) -> Option<String> {
        self.engine.product(sku).await.unwrap().product.map(|product| product.name)
    }

    /// Waits until a path stands for the [`feed`] with this name, or for nothing, and its product is shown so.
    #[track_caller]
    fn expect(&self, path: &str, name: Option<&str>) -> impl Future<Output = ()> {
        let hash = name.map(|name| format!("blake3:{}", blake3::hash(feed(path, name).as_bytes()).to_hex()));
        let caller = std::panic::Location::caller();
        async move {
            let deadline = Instant::now() + MAX_WAIT;
            loop {
                let next = self.store().document_at(path, Place::Next).unwrap();
                let current = self.current(path).and_then(|row| row.hash);
                let product = self.product(path).await;
                if next.is_none() && current == hash && product.as_deref() == name {
                    return;
                }
                let found = format!("{next:?} {current:?} {product:?}");
                assert!(Instant::now() < deadline, "{path} is {found}, not {name:?}; see {caller}");
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    }

    /// Checks that the folder holds exactly the files of the documents with a place.
    #[track_caller]
    fn check_folder(&self) {
        let named: BTreeSet<String> = std::fs::read_dir(self.folder())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let standing = self.store().all_standing_documents().unwrap();
        let expected: BTreeSet<String> =
            standing.iter().map(|row| format!("{}.{}", row.path.replace('/', "%2F"), row.id)).collect();
        assert_eq!(named, expected);
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("database.db.uploads")
    }
}

fn configure(home: &tempfile::TempDir, lines: &str) {
    let database = home.path().join("database.db");
    let lines =
        format!("database_url = {database:?}\npoll_interval = \"10ms\"\n{lines}\n[uploads]\nkeep_free = \"0B\"\n");
    std::fs::write(home.path().join("tributary.toml"), lines).unwrap();
}

/// Changes what the database allows, through a connection of its own.
fn change_schema(world: &World, sql: &str) {
    let mut connection = SqliteConnection::establish(world.home.path().join("database.db").to_str().unwrap()).unwrap();
    connection.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
    connection.batch_execute(sql).unwrap();
}

fn config(home: &tempfile::TempDir) -> Config {
    let file = Some(home.path().join("tributary.toml"));
    Config::load(&tributary_config::ConfigArgs { config: file, ..Default::default() }).unwrap()
}

fn open(home: &tempfile::TempDir) -> Store {
    let url = home.path().join("database.db").to_str().unwrap().parse().unwrap();
    Store::open(&url).unwrap()
}

/// A feed whose only sku is the path that it is sent to.
fn feed(path: &str, name: &str) -> String {
    format!("sku,name\n{path},{name}\n")
}
