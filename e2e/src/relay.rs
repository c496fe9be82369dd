//! A relay between a broker and a master.

use std::{
    env,
    process::{Child, Command, Stdio},
};

use tributary_testkit::process;

use crate::Broker;

/// A running relay, killed when this is dropped.
pub struct Relay(Child);

impl Relay {
    /// Starts a relay to the master at this address, with these further arguments.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start(broker: &Broker, to: &str, arguments: &[&str]) -> Self {
        let log = env::var("RELAY_LOG").unwrap_or_else(|_| "error".to_owned());
        let mut command = Self::command(broker, to);
        let started = command.args(arguments).stdout(Stdio::null()).env("RUST_LOG", log).spawn();
        Self(started.expect("the relay starts"))
    }

    /// A relay that was started by its [command](Self::command).
    #[must_use]
    pub fn running(relay: Child) -> Self {
        Self(relay)
    }

    /// The command that starts one.
    #[must_use]
    pub fn command(broker: &Broker, to: &str) -> Command {
        let mut command = process::command("relay", &env::temp_dir());
        command.args(["--to", to]).env("TRIBUTARY_AMQP", &broker.url);
        command
    }

    /// Kills it.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.kill();
    }
}
