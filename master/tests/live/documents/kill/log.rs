//! The log of what the clients did and were told. Operations overlap, and one without an answer may have happened or not: so each has a first
//! and a last moment, which are numbers of a common counter.

use std::{
    collections::HashMap,
    sync::{
        Condvar, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst},
    },
};

/// The first two take anything in the order of arrival, the others sequences only.
pub(super) const PATHS: [&str; 4] = ["a.csv", "orders/2026/b.csv", "seq/c.csv", "orders/seq/d e.csv"];

/// Whether a path takes sequences only.
pub(super) fn has_sequences(path: &str) -> bool {
    path.contains("seq/")
}

/// The address of what a path stands for.
pub(super) fn url(path: &str) -> String {
    format!("/api/v1/documents/{}", path.replace(' ', "%20"))
}

/// The last that a client was told of a document that it sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Told {
    /// Nothing.
    Nothing,
    /// It will be read.
    Stored,
    /// It is committed.
    Complete,
    /// It failed, and why; or it was superseded.
    Failed(String),
    /// It was refused, or changed nothing.
    Refused,
}

/// Something that was done to a path.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) path: &'static str,
    pub(super) kind: Kind,
    pub(super) sequence: Option<i64>,
    /// The moments between which it happened, if it did.
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) told: Told,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// A document was sent.
    Send { id: Option<String>, hash: String, is_feed: bool },
    /// The path was taken back.
    Remove,
    /// The document with this id was cancelled or taken back.
    Cancel(String),
}

/// Ends everybody's work if a thread panics that has this.
pub(super) struct FailTogether<'a>(pub(super) &'a Log);

impl Drop for FailTogether<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail();
        }
    }
}

/// The common log of all clients.
#[derive(Default)]
pub(super) struct Log {
    clock: AtomicU64,
    answers: AtomicU64,
    is_over: AtomicBool,
    has_failed: AtomicBool,
    /// The address of the master, if it runs and may be asked.
    url: Mutex<Option<String>>,
    may_ask: Condvar,
    /// Clients that wait until it may be asked.
    waiting: AtomicU64,
    operations: Mutex<Vec<Operation>>,
    /// The bodies that were sent, by hash.
    bodies: Mutex<HashMap<String, String>>,
    /// The last sequence.
    sequence: AtomicI64,
}

impl Log {
    /// The next moment.
    pub(super) fn now(&self) -> u64 {
        self.clock.fetch_add(1, SeqCst)
    }

    pub(super) fn next_sequence(&self) -> i64 {
        self.sequence.fetch_add(1, SeqCst) + 1
    }

    pub(super) fn listens_at(&self, url: Option<String>) {
        *self.url.lock().unwrap() = url;
        self.may_ask.notify_all();
    }

    /// The address of the master, once it may be asked.
    pub(super) fn url(&self) -> String {
        self.waiting.fetch_add(1, SeqCst);
        let url = self.may_ask.wait_while(self.url.lock().unwrap(), |url| url.is_none()).unwrap().clone();
        self.waiting.fetch_sub(1, SeqCst);
        url.unwrap()
    }

    /// Clients that wait for the master. All that they did is logged.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting.load(SeqCst)
    }

    /// Counts an answer.
    pub(super) fn answered(&self) {
        self.answers.fetch_add(1, SeqCst);
    }

    pub(super) fn answers(&self) -> u64 {
        self.answers.load(SeqCst)
    }

    /// Tells the clients to end.
    pub(super) fn end(&self) {
        self.is_over.store(true, SeqCst);
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(SeqCst)
    }

    /// Somebody has found something wrong, so nobody waits any more.
    fn fail(&self) {
        self.has_failed.store(true, SeqCst);
        self.listens_at(Some("http://127.0.0.1:1".to_owned()));
    }

    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(SeqCst)
    }

    pub(super) fn put(&self, operation: Operation) {
        self.operations.lock().unwrap().push(operation);
    }

    /// Keeps a body, and returns its hash.
    pub(super) fn keep(&self, body: &str) -> String {
        let hash = format!("blake3:{}", blake3::hash(body.as_bytes()).to_hex());
        self.bodies.lock().unwrap().insert(hash.clone(), body.to_owned());
        hash
    }

    /// The body with this hash, which a client sent.
    pub(super) fn body(&self, hash: &str) -> String {
        self.bodies.lock().unwrap()[hash].clone()
    }

    /// All operations so far.
    pub(super) fn operations(&self) -> Vec<Operation> {
        self.operations.lock().unwrap().clone()
    }
}
