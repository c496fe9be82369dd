//! Open pages and clients of Socket.IO: processes of Node that say when each of theirs saw a change.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Some of the clients of a master. They end when this is dropped.
pub(super) struct Clients {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// When each client saw a change, in milliseconds since 1970. One that did not see it is missing.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) pages: Vec<u64>,
    pub(super) sockets: Vec<u64>,
}

impl Clients {
    /// Starts clients. They are not all connected before [`Clients::is_ready`].
    pub(super) fn start(home: &Path, modules: &OsStr, url: &str, pages: u64, sockets: u64) -> Result<Self> {
        let script = home.join("clients.js");
        fs::write(&script, include_str!("../peers/face_clients.js"))?;
        let mut command = Command::new("node");
        command.arg(&script).args([url, &pages.to_string(), &sockets.to_string()]).env("NODE_PATH", modules);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("failed to start node")?;
        let orders = child.stdin.take().context("its input is piped")?;
        let answers = BufReader::new(child.stdout.take().context("its output is piped")?);
        Ok(Self { child, orders, answers })
    }

    /// Waits until all are connected.
    pub(super) fn is_ready(&mut self) -> Result<()> {
        let line = self.line()?;
        ensure!(line == "ready", "the clients say `{line}`");
        Ok(())
    }

    /// Has all of them watch for the name of a product.
    pub(super) fn watch(&mut self, sku: &str, name: &str) -> Result<()> {
        writeln!(self.orders, "{sku} {name}").context("the clients have ended")?;
        let line = self.line()?;
        ensure!(line == "watching", "the clients say `{line}`");
        Ok(())
    }

    /// Waits until all have seen it, or have given up, and adds their times.
    pub(super) fn add_to(&mut self, seen: &mut Seen) -> Result<()> {
        let times: Value = serde_json::from_str(&self.line()?).context("the clients say something else")?;
        let of =
            |kind: &str| times[kind].as_array().into_iter().flatten().filter_map(Value::as_u64).collect::<Vec<_>>();
        seen.pages.extend(of("pages"));
        seen.sockets.extend(of("sockets"));
        Ok(())
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        ensure!(self.answers.read_line(&mut line)? > 0, "the clients have ended; their error is above");
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
