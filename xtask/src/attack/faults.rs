//! Bad luck: kills, broken-off backups; and what the programs are made of.

use std::{
    env, fs,
    process::{Command, Output},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use tributary_testkit::process;

use super::{
    Attack, How,
    stage::{Stage, plain},
};
use crate::workspace;

pub(super) const ATTACKS: &[Attack] = &[
    Attack("10", "dependencies of another licence or origin", How::Alone(dependencies)),
    Attack(
        "13",
        "100 kills of the master and of sources under a random load",
        How::Alone(|| soak(&["--kills", "100"])),
    ),
    Attack("13", "a random load for two minutes", How::Alone(|| soak(&["--for", "2m"]))),
    Attack(
        "14",
        "backups are killed 20 times while the master writes; one is restored and checked",
        How::On(plain, backups),
    ),
];

/// Runs a command to its end, and returns its last line.
fn succeeds(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("failed to run {}", command.get_program().display()))?;
    let Output { status, .. } = output;
    let (told, errors) = (process::stdout(&output), process::stderr(&output));
    ensure!(status.success(), "{told}{errors}");
    Ok(told.trim().lines().last().unwrap_or_default().to_owned())
}

fn dependencies() -> Result<String> {
    let mut deny = Command::new("cargo");
    deny.args(["deny", "check", "bans", "licenses", "sources"]).current_dir(workspace::root());
    succeeds(&mut deny).context("`cargo install cargo-deny` installs what checks them")
}

fn soak(args: &[&str]) -> Result<String> {
    succeeds(Command::new(env::current_exe()?).arg("soak").args(args))
}

fn backups(stage: &Stage) -> Result<String> {
    let starter = |args: &[&str]| {
        let mut starter = process::command("starter", stage.home());
        starter.args(args);
        starter
    };
    for round in 0..20 {
        let body = format!("{{\"name\":\"Mine {round}\",\"description\":\"\"}}");
        stage.ask("PUT", "/api/v1/products/mine", &[], body.as_bytes())?;
        let mut backup = starter(&["backup", "killed.tar.zst"]).stdout(std::process::Stdio::null()).spawn()?;
        thread::sleep(Duration::from_millis(round * 20));
        let is_whole = backup.try_wait()?.is_some();
        backup.kill()?;
        backup.wait()?;
        let is_there = stage.home().join("killed.tar.zst").exists();
        ensure!(is_there || !is_whole, "a whole backup is not there");
        if is_there {
            succeeds(Command::new("tar").args(["--zstd", "-tf", "killed.tar.zst"]).current_dir(stage.home()))?;
            fs::remove_file(stage.home().join("killed.tar.zst"))?;
        }
    }
    succeeds(&mut starter(&["backup", "whole.tar.zst"]))?;
    succeeds(&mut starter(&["restore", "--database-url", "restored.db", "whole.tar.zst"]))?;
    let count = |database: &str| {
        let mut readdb = process::command("readdb", stage.home());
        succeeds(readdb.args(["--database-url", database, "products", "--format", "csv"]))
    };
    ensure!(count("restored.db")? == count("database.db")?, "the restored database has other products");
    let checked = succeeds(&mut starter(&["check"]))?;
    stage.ask("DELETE", "/api/v1/products/mine/edit", &[], b"")?;
    Ok(checked)
}
