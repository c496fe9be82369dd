//! The entrance for gRPC, over real connections.

mod aggregate;
mod cases;
mod own;
mod processor;

use std::{fs, path::PathBuf};

use tonic::transport::Channel;
use tributary_testkit::{
    process::{Daemon, logged_address},
    wait,
};

use crate::system::System;

/// A master with this entrance.
struct Master {
    daemon: Daemon,
    address: String,
    results: PathBuf,
}

impl Master {
    fn start(system: &System, flags: &[&str]) -> Self {
        Self::start_with(system, flags, &[])
    }

    /// The same, with environment variables.
    fn start_with(system: &System, flags: &[&str], variables: &[(String, String)]) -> Self {
        let log = system.folder("logs").join("grpc");
        let mut command = system.command("master", &["--listen", "127.0.0.1:0", "--grpc", "127.0.0.1:0"]);
        command
            .args(flags)
            .envs(variables.iter().cloned())
            .env("RUST_LOG", "info")
            .stderr(fs::File::create(&log).unwrap());
        let daemon = Daemon::start(command);
        let address = wait::until("the address of gRPC", || {
            logged_address(&log, "gRPC").map(|address| format!("http://{address}"))
        });
        Self { daemon, address, results: system.beside("results") }
    }

    async fn channel(&self) -> Channel {
        Channel::from_shared(self.address.clone()).unwrap().connect().await.unwrap()
    }
}
