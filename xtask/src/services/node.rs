//! The packages of Node that tests run. They are installed once, below `target`.

use std::{env, ffi::OsString, fs, process::Command};

use anyhow::{Context, Result, ensure};

use crate::workspace::{root, run};

/// The environment variable in which tests find the folder of the packages; if it is set already, that one is taken.
pub(super) const VARIABLE: &str = "TRIBUTARY_E2E_NODE_PATH";
const NAME: &str = "socket.io-client";
const VERSION: &str = "4.8.4";

/// Returns the folder of the packages, and fills it first if `install` says so.
pub(super) fn modules(install: bool) -> Result<OsString> {
    if let Some(modules) = env::var_os(VARIABLE) {
        return Ok(modules);
    }
    let folder = root().join("target/e2e-node");
    let modules = folder.join("node_modules");
    let is_there = || {
        let package = fs::read_to_string(modules.join(NAME).join("package.json")).unwrap_or_default();
        package.contains(&format!("\"version\": \"{VERSION}\""))
    };
    if !is_there() {
        let package = format!("{NAME}@{VERSION}");
        ensure!(install, "there is no {package} for Node; add `--install`, or set {VARIABLE}");
        fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent", "--prefix"]).arg(&folder);
        run(npm.arg(&package))?;
        ensure!(is_there(), "npm has not installed {package} in {}", folder.display());
    }
    Ok(modules.into())
}
