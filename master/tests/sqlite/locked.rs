//! Another program that holds the lock of the database, as `sqlite3` does after `BEGIN EXCLUSIVE`.

use std::{
    fs,
    path::Path,
    process::Stdio,
    sync::mpsc::{Sender, channel},
    thread::{self, JoinHandle},
};

use serde_json::Value;
use tributary_store::{Error, Store};
use tributary_testkit::{process, wait};

use crate::{
    system::System,
    unwritable::{configured, is_ready, running, said},
};

/// Another program with a transaction that goes on until this is released.
struct Holder {
    release: Sender<()>,
    thread: JoinHandle<()>,
}

impl Holder {
    fn of(database: &Path) -> Self {
        let url = database.to_str().unwrap().parse().unwrap();
        let (release, released) = channel();
        let (begun, begins) = channel();
        let hold = move || {
            let held = Store::open(&url).unwrap().transaction(|_| {
                begun.send(()).unwrap();
                let _ = released.recv();
                Ok::<_, Error>(())
            });
            held.unwrap();
        };
        let thread = thread::spawn(hold);
        begins.recv().unwrap();
        Self { release, thread }
    }

    fn release(self) {
        drop(self.release);
        self.thread.join().unwrap();
    }
}

fn name(system: &System, sku: &str) -> Value {
    let answer = system.ask("GET", &format!("/api/v1/products/{sku}"), "");
    serde_json::from_slice::<Value>(&answer.body).unwrap()["name"].clone()
}

const EDIT: &str = r#"{"name":"edited","description":""}"#;

#[test]
fn who_locks_it_for_a_moment_is_waited_for() {
    let system = running(System::of_file(), "sku,name\na,A\n");
    let holder = Holder::of(&system.file().unwrap());
    thread::scope(|scope| {
        let edit = scope.spawn(|| system.ask("PUT", "/api/v1/products/e", EDIT));
        system.write("a", "feed.csv", "sku,name\na,B\n");
        wait::until("the version waits to be written", || {
            let source = system.json("/api/v1/sources")["items"][0].clone();
            (source["running"]["phase"] == "applying").then_some(())
        });
        assert_eq!((name(&system, "a"), is_ready(&system)), ("A".into(), true), "pages are answered meanwhile");
        holder.release();
        assert_eq!(edit.join().unwrap().status, 201);
    });
    wait::until("the version is applied", || (name(&system, "a") == "B").then_some(()));
    assert_eq!((name(&system, "e"), system.log().as_str()), ("edited".into(), ""));
}

/// It used to be ready all the time, and an upload left its file behind.
#[test]
fn who_locks_it_for_long_is_named_and_nothing_is_lost() {
    let system = running(System::of_file(), "sku,name\na,A\n");
    let holder = Holder::of(&system.file().unwrap());
    let ask = |method, path, body| {
        let answer = system.ask(method, path, body);
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("2")), "{path}: {}", answer.text());
        assert!(answer.text().contains("\"title\":\"cannot write\""), "{}", answer.text());
    };
    thread::scope(|scope| {
        scope.spawn(|| ask("PUT", "/api/v1/documents/d.csv", "sku,name\nd,D\n"));
        ask("PUT", "/api/v1/products/e", EDIT);
        assert!(said(&system).contains("another program has locked it"));
    });
    let uploads = fs::read_dir(system.beside("uploads"));
    let left = uploads.map_or(0, |files| files.count());
    assert_eq!(left, 0, "nothing is left of what was refused");
    system.write("a", "feed.csv", "sku,name\na,B\n");
    assert!(said(&system).contains("another program has locked it"), "it lasts");
    holder.release();
    wait::until("it is ready again", || is_ready(&system).then_some(()));
    wait::until("the version is applied", || (name(&system, "a") == "B").then_some(()));
    assert_eq!(system.ask("PUT", "/api/v1/products/e", EDIT).status, 201);
    assert_eq!(system.ask("PUT", "/api/v1/documents/d.csv?wait=applied", "sku,name\nd,D\n").status, 200);
    let log = system.log();
    assert_eq!(log.matches("the database cannot be written, and nothing is applied").count(), 1, "{log}");
}

/// `publish` used to give up: the answer was 500.
#[test]
fn who_publishes_waits() {
    let system = running(System::of_file(), "sku,name\na,A\n");
    let holder = Holder::of(&system.file().unwrap());
    let home = system.home();
    fs::write(home.join("p.csv"), "sku,name\np,P\n").unwrap();
    let mut publish = system.command("publish", &["p.csv", "--to", &system.master_url("")]);
    let publish = publish.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(said(&system).contains("another program has locked it"));
    holder.release();
    let output = publish.wait_with_output().unwrap();
    assert!(output.status.success(), "{}{}", process::stdout(&output), process::stderr(&output));
    assert_eq!(name(&system, "p"), "P");
}

/// It used to run for ever, and to hold the lock of the database.
#[test]
fn one_pass_over_a_locked_database_ends_with_the_reason() {
    let system = configured(System::of_file(), "sku,name\na,A\n");
    system.once_ok();
    system.write("a", "feed.csv", "sku,name\na,B\n");
    system.settle("a");
    let holder = Holder::of(&system.file().unwrap());
    let output = system.once();
    let said = process::stderr(&output) + &process::stdout(&output);
    assert_eq!((output.status.code(), said.contains("database is locked")), (Some(1), true), "{said}");
    holder.release();
    system.once_ok();
    assert_eq!(system.products()["a"].0, "B");
}
