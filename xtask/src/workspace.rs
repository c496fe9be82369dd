//! The repository: where it lies, and which files it has. Nothing here knows what a task does with them.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, ensure};

/// The repository's top folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the repository")
}

/// The output of a program that runs in the repository, without blanks around it.
pub(crate) fn output(program: &str, arguments: &[&str]) -> Result<String> {
    let ran = Command::new(program).args(arguments).current_dir(root()).output();
    let ran = ran.with_context(|| format!("failed to run {program}"))?;
    ensure!(ran.status.success(), "`{program} {}` failed", arguments.join(" "));
    Ok(String::from_utf8(ran.stdout)?.trim().to_owned())
}

/// Runs a command to its end and fails if it does.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().display().to_string();
    let status = command.status().with_context(|| format!("failed to run {program}"))?;
    ensure!(status.success(), "{program} failed ({status})");
    Ok(())
}
