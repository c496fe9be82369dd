//! Work that goes on while masters and servers come and go: edits, uploads and files that change. It remembers what was answered as done, and
//! checks in the end that this is there, once.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::json;
use tributary_testkit::{http, wait};

/// Products of the file that changes.
const MOVING: usize = 100;

/// Does the work of this number.
type Work = fn(&Shared, usize);

/// The work, until [`Load::finish`].
pub(super) struct Load {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    /// The address of the active master.
    master: Mutex<String>,
    files: PathBuf,
    is_over: AtomicBool,
    /// Edits and uploads that were answered as done, by number.
    edits: Mutex<Vec<usize>>,
    uploads: Mutex<Vec<usize>>,
    /// Changes of the file so far.
    moves: AtomicUsize,
}

impl Load {
    /// Begins with this master, whose source serves a folder.
    pub(super) fn start(master: &str, files: &Path) -> Self {
        let shared = Arc::new(Shared {
            master: Mutex::new(master.to_owned()),
            files: files.to_owned(),
            is_over: AtomicBool::new(false),
            edits: Mutex::default(),
            uploads: Mutex::default(),
            moves: AtomicUsize::new(0),
        });
        let works: [(Work, u64); 3] = [(Shared::edit, 10), (Shared::upload, 20), (Shared::change_file, 50)];
        let begin = |(work, pause): (Work, u64)| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let mut number = 0;
                while !shared.is_over.load(Ordering::Relaxed) {
                    number += 1;
                    work(&shared, number);
                    // Not more than the machine can take.
                    thread::sleep(Duration::from_millis(pause));
                }
            })
        };
        let threads = works.map(begin).into();
        Self { shared, threads }
    }

    /// Goes on with this master.
    pub(super) fn go_to(&self, master: &str) {
        *self.shared.master.lock().unwrap() = master.to_owned();
    }

    /// Edits and uploads that were answered as done so far.
    fn done(&self) -> [usize; 2] {
        [&self.shared.edits, &self.shared.uploads].map(|done| done.lock().unwrap().len())
    }

    /// Waits until so many more edits are done, and an upload.
    pub(super) fn wait_for(&self, more: usize) {
        let [edits, uploads] = self.done();
        wait::until("edits are done", || (self.done()[0] >= edits + more).then_some(()));
        wait::until("an upload is done", || (self.done()[1] > uploads).then_some(()));
    }

    /// Waits until one more edit is done.
    pub(super) fn wait_for_edit(&self) {
        let [edits, _] = self.done();
        wait::until("an edit is done", || (self.done()[0] > edits).then_some(()));
    }

    /// Ends the work, waits until all of it is applied, and checks that nothing is lost or doubled. `psql` runs a query.
    pub(super) fn finish(self, psql: &dyn Fn(&str) -> String) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().unwrap();
        }
        let Shared { edits, uploads, moves, .. } = &*self.shared;
        let (edits, uploads, moves) = (edits.lock().unwrap(), uploads.lock().unwrap(), moves.load(Ordering::Relaxed));
        let column = |query: &str| psql(query).lines().map(str::to_owned).collect::<Vec<_>>();
        wait::until("the last change of the file is applied", || {
            let newest = format!("SELECT count(*) FROM products WHERE sku LIKE 'moving%' AND name = '{moves}'");
            (psql(&newest).trim() == MOVING.to_string()).then_some(())
        });
        wait::until("all uploads are applied", || {
            (psql("SELECT count(*) FROM documents WHERE state IN ('receiving', 'queued')").trim() == "0").then_some(())
        });
        for (what, done) in [("edit", &edits), ("upload", &uploads)] {
            let found = column(&format!("SELECT sku || ' ' || name FROM products WHERE sku LIKE '{what}%'"));
            for number in done.iter() {
                assert!(found.contains(&format!("{what}{number} {number}")), "{what} {number} is lost");
            }
        }
        let doubled = |query: &str| assert_eq!(column(query), Vec::<String>::new(), "{query}");
        doubled("SELECT sku FROM product_changes WHERE sku LIKE 'edit%' GROUP BY sku HAVING count(*) > 1");
        doubled("SELECT data FROM events WHERE kind = 'edit' GROUP BY data HAVING count(*) > 1");
        doubled("SELECT path FROM documents WHERE state = 'complete' GROUP BY path HAVING count(*) > 1");
        // Each change of the file once and in order; a later one may come before an earlier one was read.
        let changes =
            column("SELECT texts::json -> 'name' ->> 1 FROM product_changes WHERE sku = 'moving7' ORDER BY id");
        let changes: Vec<usize> = changes.iter().map(|name| name.parse().unwrap()).collect();
        assert!(changes.is_sorted_by(|one, next| one < next), "{changes:?}");
        let sum = "SELECT (SELECT count(*) FROM products) = (SELECT sum(no_of_products) FROM aggr)";
        assert_eq!(psql(sum).trim(), "t");
        eprintln!("{} edits, {} uploads and {moves} changes of a file", edits.len(), uploads.len());
    }
}

impl Shared {
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.master.lock().unwrap())
    }

    /// Creates a product that nobody else changes.
    fn edit(&self, number: usize) {
        let body = json!({ "name": number.to_string(), "description": "" }).to_string();
        let url = self.url(&format!("/api/v1/products/edit{number}"));
        let answer = http::request("PUT", &url, &[("Content-Type", "application/json")], body.as_bytes());
        if answer.is_ok_and(|answer| matches!(answer.status, 200 | 201)) {
            self.edits.lock().unwrap().push(number);
        }
    }

    fn upload(&self, number: usize) {
        let url = self.url(&format!("/api/v1/uploads?filename=upload{number}.csv"));
        let body = format!("sku,name\nupload{number},{number}\n");
        if http::request("POST", &url, &[], body.as_bytes()).is_ok_and(|answer| answer.status == 202) {
            self.uploads.lock().unwrap().push(number);
        }
    }

    /// Changes all products of a file at once.
    fn change_file(&self, number: usize) {
        let rows: String = (0..MOVING).map(|sku| format!("moving{sku},{number}\n")).collect();
        let hidden = self.files.join(".moving");
        fs::write(&hidden, format!("sku,name\n{rows}")).unwrap();
        fs::rename(hidden, self.files.join("moving.csv")).unwrap();
        self.moves.store(number, Ordering::Relaxed);
    }
}

/// Rounds of a test: `few`, or as many as `TRIBUTARY_CASES` says.
pub(super) fn rounds(few: usize) -> usize {
    std::env::var("TRIBUTARY_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(few)
}
