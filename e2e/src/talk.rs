//! A program in Python or Node that is told what to do in lines, and says what happens in lines of JSON.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Instant,
};

use serde_json::Value;
use tributary_testkit::wait::MAX_WAIT;

use crate::python;

/// A running program, killed when this is dropped.
pub struct Talk {
    child: Child,
    heard: Receiver<Value>,
}

impl Talk {
    /// Starts a script in Python.
    ///
    /// # Panics
    /// It does not start, here and below.
    #[must_use]
    pub fn python(script: &str, arguments: &[&str]) -> Self {
        Self::start(python::command(script, arguments).env("PYTHONUNBUFFERED", "1"))
    }

    /// Starts a script in Node.
    #[must_use]
    pub fn node(script: &str, arguments: &[&str]) -> Self {
        let modules =
            env::var_os("TRIBUTARY_E2E_NODE_PATH").expect("`cargo xtask services` sets TRIBUTARY_E2E_NODE_PATH");
        let mut node = Command::new("node");
        Self::start(node.env("NODE_PATH", modules).args(["-e", script, "--"]).args(arguments))
    }

    fn start(command: &mut Command) -> Self {
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.expect("the program starts");
        let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let (sender, heard) = channel();
        thread::spawn(move || {
            let lines = stdout.lines().map_while(Result::ok);
            lines.filter_map(|line| serde_json::from_str(&line).ok()).try_for_each(|said| sender.send(said))
        });
        Self { child, heard }
    }

    /// Tells it to do something.
    pub fn tell(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().expect("stdin is piped");
        writeln!(stdin, "{line}").expect("the program reads");
    }

    /// Waits until it says something of which `pick` makes something. All before that is forgotten.
    ///
    /// # Panics
    /// It says nothing of the kind for [`MAX_WAIT`]; the text names `what` was expected.
    pub fn hear<T>(&self, what: &str, mut pick: impl FnMut(&Value) -> Option<T>) -> T {
        let deadline = Instant::now() + MAX_WAIT;
        let mut said = Vec::new();
        loop {
            match self.heard.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(value) => match pick(&value) {
                    Some(picked) => return picked,
                    None => said.push(value),
                },
                Err(RecvTimeoutError::Timeout) => panic!("waited {MAX_WAIT:?} in vain: {what}; it said {said:?}"),
                Err(RecvTimeoutError::Disconnected) => panic!("the program ended before: {what}; it said {said:?}"),
            }
        }
    }

    /// Sends it a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.expect("there is a program `kill`").success());
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
