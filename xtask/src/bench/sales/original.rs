//! The processor that the protocol comes from: a server in Python.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use super::server::{Process, Server};
use crate::{bench::waiting::until, workspace};

/// A checkout of it, and a Python that runs it.
pub(super) struct Original {
    folder: PathBuf,
    python: String,
}

impl Original {
    /// Looks for its program and its packages.
    ///
    /// # Errors
    /// The folder is another one, or a package is missing.
    pub(super) fn find(folder: &Path, python: &str) -> Result<Self> {
        let folder = fs::canonicalize(folder).with_context(|| format!("failed to find {}", folder.display()))?;
        ensure!(folder.join("processor/server.py").is_file(), "{} has no processor/server.py", folder.display());
        let mut imports = Command::new(python);
        imports.args(["-c", "import processor.server"]).current_dir(&folder).stderr(Stdio::null());
        workspace::run(&mut imports).with_context(|| format!("{python} cannot import the original processor"))?;
        Ok(Self { folder, python: python.to_owned() })
    }

    /// Starts it.
    pub(super) fn start(&self) -> Result<Server> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new(&self.python);
        command.args(["-m", "processor.server"]).current_dir(&self.folder).env("GRPC_PORT", port.to_string());
        let child =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("failed to start the original")?;
        let process = Process::Other(child);
        until("the original processor listens", Duration::from_millis(20), || {
            Ok(TcpStream::connect(("127.0.0.1", port)).ok())
        })?;
        Server::new(process, format!("http://127.0.0.1:{port}"), self.folder.join("results"))
    }
}
