//! Installs the stock programs with `cargo install`, unless they are there.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use super::folder;
use crate::workspace::run;

/// Both programs must have the same version.
const VERSION: &str = "55.0.0";
const SCHEDULER: &str = "ballista-scheduler";
const EXECUTOR: &str = "ballista-executor";

/// The installed programs.
pub(super) struct Programs {
    pub(super) scheduler: PathBuf,
    pub(super) executor: PathBuf,
}

/// Returns the programs in `root`, and installs first what is missing. Both share what they compile: about 600 crates.
pub(super) fn programs(root: PathBuf) -> Result<Programs> {
    // A program that is started elsewhere must have a path that is right there.
    let root = std::path::absolute(root).context("failed to find the folder of the cluster's programs")?;
    // Flight SQL is no default feature of the scheduler.
    let scheduler = installed(&root, SCHEDULER, &["--features", "flight-sql"])?;
    let executor = installed(&root, EXECUTOR, &[])?;
    Ok(Programs { scheduler, executor })
}

fn installed(root: &Path, name: &str, features: &[&str]) -> Result<PathBuf> {
    let program = root.join("bin").join(name);
    if !program.is_file() {
        eprintln!("installing {name} {VERSION}, which takes long the first time");
        let mut cargo = Command::new("cargo");
        // Variables of this package would make cargo build again what was built without it.
        for (name, _) in env::vars_os().filter(|(name, _)| is_of_this_package(name)) {
            cargo.env_remove(name);
        }
        cargo.args(["install", "--locked", name, "--version", VERSION]).args(features).arg("--root").arg(root);
        run(cargo.env("CARGO_TARGET_DIR", folder().join("build")))
            .with_context(|| format!("failed to install {name} {VERSION}"))?;
    }
    let printed = Command::new(&program).arg("--version").output();
    let printed = printed.with_context(|| format!("failed to run {}", program.display()))?;
    let found = String::from_utf8_lossy(&printed.stdout).trim().to_owned();
    ensure!(
        found.ends_with(VERSION),
        "{} is `{found}` and not {VERSION}: delete it, or name another folder with --root",
        program.display()
    );
    Ok(program)
}

/// Whether `cargo run` has set an environment variable for this program.
fn is_of_this_package(variable: &OsStr) -> bool {
    let name = variable.to_string_lossy();
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|start| name.starts_with(start))
}
