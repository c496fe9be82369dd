//! An S3 server that keeps buckets as folders. It checks no credentials; a test with another server does.

use std::{fs, net::TcpStream, path::Path, process::Command};

use anyhow::{Context, Result};

use super::{Variable, readers};

/// The folder with the buckets, each a folder.
const BUCKETS: &str = "buckets";

pub(super) fn command(port: u16, folder: &Path) -> Result<Command> {
    let buckets = folder.join(BUCKETS);
    fs::create_dir(&buckets).with_context(|| format!("failed to make {}", buckets.display()))?;
    let mut command = Command::new(readers::python(false)?);
    command.args(["-m", "localbucket"]).arg(buckets).arg(format!("--port={port}"));
    Ok(command)
}

pub(super) fn answers(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// The variable in which tests find the folder of the buckets.
pub(super) fn more(folder: &Path) -> Vec<Variable> {
    vec![("TRIBUTARY_E2E_S3_FOLDER", folder.join(BUCKETS).display().to_string())]
}
