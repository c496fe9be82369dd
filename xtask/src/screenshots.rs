//! `cargo xtask screenshots`: starts Chromium's driver and runs the program of `e2e` that photographs our pages. It is kept there because a
//! browser's client is no dependency of this program.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::{
    services,
    workspace::{root, run},
};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// First install missing Debian packages with apt-get
    #[arg(long)]
    install: bool,
}

pub(crate) fn photograph(args: &Args) -> Result<ExitCode> {
    run(Command::new(env!("CARGO")).args(["build", "--bins"]).current_dir(root()))?;
    let folder = root().join("docs/images");
    let command = [env!("CARGO"), "run", "--quiet", "--package", "e2e", "--bin", "screenshots", "--"];
    let command = command.iter().map(Into::into).chain([folder.into()]).collect();
    services::run(&services::Args { install: args.install, command })
}
