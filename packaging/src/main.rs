//! Writes the man pages and shell completions of every program into a folder that is laid out like `/usr`. `cargo xtask dist` runs it; it
//! is a program of its own so that `xtask` need not be built with every other crate.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::{Command, CommandFactory};
use clap_complete::Shell;

/// Shells, and where each looks for the completions of packages.
const SHELLS: [(Shell, &str); 3] = [
    (Shell::Bash, "share/bash-completion/completions"),
    (Shell::Zsh, "share/zsh/site-functions"),
    (Shell::Fish, "share/fish/vendor_completions.d"),
];

fn main() -> Result<()> {
    let folder = env::args_os().nth(1).context("name the folder: tributary-packaging FOLDER")?;
    let commands = [
        tributary_data_source::cli::Cli::command(),
        tributary_generate::cli::Args::command(),
        tributary_master::cli::Args::command(),
        tributary_publish::cli::Args::command(),
        tributary_readdb::cli::Args::command(),
        tributary_relay::cli::Args::command(),
        tributary_starter::cli::Args::command(),
    ];
    commands.into_iter().try_for_each(|command| write(command, Path::new(&folder)))
}

/// Writes the files of one program, its subcommands included.
fn write(mut command: Command, folder: &Path) -> Result<()> {
    // Without pages for `help` subcommands, which would say nothing. Completions add those to the command.
    clap_mangen::generate_to(command.clone().disable_help_subcommand(true), made(folder, "share/man/man1")?)?;
    let name = command.get_name().to_owned();
    for (shell, path) in SHELLS {
        clap_complete::generate_to(shell, &mut command, &name, made(folder, path)?)?;
    }
    Ok(())
}

fn made(folder: &Path, path: &str) -> Result<PathBuf> {
    let path = folder.join(path);
    fs::create_dir_all(&path).with_context(|| format!("failed to make {}", path.display()))?;
    Ok(path)
}
