//! The packages of Node that tests and a bench run. They are installed once, below `target`.

use std::{env, ffi::OsString, fs, process::Command};

use anyhow::{Context, Result, ensure};

use crate::workspace::{root, run};

/// The environment variable in which tests find the folder of the packages; if it is set already, that one is taken.
pub(super) const VARIABLE: &str = "TRIBUTARY_E2E_NODE_PATH";
/// The version of the client of Socket.IO.
pub(crate) const SOCKET_IO_CLIENT: &str = "4.8.4";
/// Names and versions: a client of Socket.IO, and the rules that pages are checked against.
const PACKAGES: [(&str, &str); 2] = [("socket.io-client", SOCKET_IO_CLIENT), ("axe-core", "4.14.1")];

/// Returns the folder of the packages, and fills it first if `install` says so.
pub(crate) fn modules(install: bool) -> Result<OsString> {
    if let Some(modules) = env::var_os(VARIABLE) {
        return Ok(modules);
    }
    let folder = root().join("target/e2e-node");
    let modules = folder.join("node_modules");
    let is_there = |(name, version): (&str, &str)| {
        let package = fs::read_to_string(modules.join(name).join("package.json")).unwrap_or_default();
        package.contains(&format!("\"version\": \"{version}\""))
    };
    let packages = PACKAGES.map(|(name, version)| format!("{name}@{version}"));
    if !PACKAGES.into_iter().all(is_there) {
        let packages_in_words = packages.join(" or ");
        ensure!(install, "there is no {packages_in_words} for Node; add `--install`, or set {VARIABLE}");
        fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent", "--prefix"]).arg(&folder);
        run(npm.args(&packages))?;
        let are_there = PACKAGES.into_iter().all(is_there);
        ensure!(are_there, "npm has not installed {packages_in_words} in {}", folder.display());
    }
    Ok(modules.into())
}
