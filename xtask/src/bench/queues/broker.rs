//! The broker, and the queues that the bench makes there. They have names of their own and are deleted, so that a broker with other work is
//! left as it was.

use std::{
    cell::RefCell,
    ffi::OsStr,
    path::Path,
    process::{Command, Stdio, id},
};

use anyhow::{Context, Result, bail};
use tributary_testkit::process;

use crate::bench::{
    python::{Python, version},
    running::write_back,
    usage::{self, Usage},
};

/// A broker.
pub(super) struct Broker {
    pub(super) url: String,
    interpreter: String,
    /// Name and version of each program that is used.
    pub(super) versions: Vec<String>,
    /// Queues that were made and not deleted yet.
    queues: RefCell<Vec<String>>,
}

/// A consumer in Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Peer {
    /// Operations per commit.
    pub(super) batch: u64,
}

impl Broker {
    /// Looks for pika, and for the `sqlite3` shell that compares the tables.
    ///
    /// # Errors
    /// One is missing; the error has the commands that install it.
    pub(super) fn find(url: &str, python: &str) -> Result<Self> {
        let shell = version(Command::new("sqlite3").arg("--version"));
        let shell_fix = shell.is_none().then(|| "`apt-get install sqlite3`".to_owned());
        match (Python::find(python, &["pika"]), shell) {
            (Ok(Python { interpreter, versions }), Some(shell)) => {
                let versions = [vec![format!("SQLite {shell} (the shell)")], versions].concat();
                Ok(Self { url: url.to_owned(), interpreter, versions, queues: RefCell::default() })
            }
            (python, _) => {
                let fixes: Vec<_> = shell_fix.into_iter().chain(python.err().into_iter().flatten()).collect();
                bail!("programs are missing; install them with {}", fixes.join(", then "))
            }
        }
    }

    /// The name of a queue of this run. Publishing declares it.
    pub(super) fn queue(&self, kind: &str) -> String {
        let mut queues = self.queues.borrow_mut();
        queues.push(format!("tributary.bench.{}.{kind}", id()));
        queues[queues.len() - 1].clone()
    }

    /// Publishes files with `publish`, each a document or, with the flag `--operations`, a message per line.
    pub(super) fn publish<A: AsRef<OsStr>>(&self, queue: &str, folder: &Path, arguments: &[A]) -> Result<Usage> {
        let mut command = process::command("publish", folder);
        command.args(["--amqp", &self.url, "--queue", queue]).args(arguments).env("RUST_LOG", "error");
        Ok(usage::run(command, Stdio::null())?.0)
    }

    /// Has a peer take `count` operations from a full queue, and write them to `products.db` in a folder.
    pub(super) fn consume(&self, peer: Peer, queue: &str, count: u64, folder: &Path) -> Result<Usage> {
        let mut command = Command::new(&self.interpreter);
        command.args(["-c", include_str!("../peers/queues_sqlite.py"), &self.url, queue]);
        command.args([count, peer.batch].map(|number| number.to_string())).current_dir(folder);
        write_back()?;
        Ok(usage::run(command, Stdio::null()).context("a consumer in Python")?.0)
    }

    /// Deletes the queues of the run with all that is left in them.
    pub(super) fn delete_queues(&self) -> Result<()> {
        let mut command = Command::new(&self.interpreter);
        command.args(["-c", include_str!("../peers/queues_broker.py"), &self.url]);
        command.args(self.queues.take());
        usage::run(command, Stdio::null()).context("deleting queues")?;
        Ok(())
    }
}

impl Drop for Broker {
    /// After a failure queues are left.
    fn drop(&mut self) {
        if !self.queues.borrow().is_empty() {
            let _ = self.delete_queues();
        }
    }
}
