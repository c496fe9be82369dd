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
        tributary_data_source::cli::Cli::program(),
        tributary_generate::cli::Args::command(),
        tributary_master::cli::Args::program(),
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
    let pages = made(folder, "share/man/man1")?;
    clap_mangen::generate_to(command.clone().disable_help_subcommand(true), &pages)?;
    let name = command.get_name().to_owned();
    keep_lines(&pages.join(format!("{name}.1")))?;
    for (shell, path) in SHELLS {
        clap_complete::generate_to(shell, &mut command, &name, made(folder, path)?)?;
    }
    Ok(())
}

/// Keeps the lines of the examples as they are typed: a man page would fill and justify them.
fn keep_lines(page: &Path) -> Result<()> {
    let failed = || format!("failed to set the examples of {}", page.display());
    let text = fs::read_to_string(page).with_context(failed)?;
    let kept =
        text.replace("\n.SH EXTRA\n", "\n.SH EXAMPLES\n.nf\n").replace("\n.SH VERSION\n", "\n.fi\n.SH VERSION\n");
    fs::write(page, kept).with_context(failed)
}

fn made(folder: &Path, path: &str) -> Result<PathBuf> {
    let path = folder.join(path);
    fs::create_dir_all(&path).with_context(|| format!("failed to make {}", path.display()))?;
    Ok(path)
}
