//! Saves and restores a database with its uploads.

use std::io::{self, Write};

use anyhow::{Context, Result, bail};
use tributary_config::Config;
use tributary_engine::{Restored, Saved};

use crate::cli::{BackupArgs, RestoreArgs};

/// Writes a backup, and says how large it is.
pub(crate) fn backup(args: &BackupArgs) -> Result<()> {
    let config = Config::load(&(&args.place).into())?;
    let uploads = config.uploads.folder(&config.database);
    let Saved { documents, bytes, faults } = tributary_engine::backup(&config.database, &uploads, &args.to)?;
    print(format_args!("saved {} and {documents} uploads in {}: {bytes} bytes", config.database, args.to.display()))?;
    if !faults.is_empty() {
        bail!("the backup {} was written, but: {}", args.to.display(), faults.join("; "));
    }
    Ok(())
}

/// Restores a backup, and says of when it is.
pub(crate) fn restore(args: &RestoreArgs) -> Result<()> {
    let config = Config::load(&(&args.place).into())?;
    let uploads = config.uploads.folder(&config.database);
    let Restored { created_at, documents } = tributary_engine::restore(&config.database, &uploads, &args.from)?;
    print(format_args!("restored {} and {documents} uploads as of {created_at}", config.database))
}

fn print(line: std::fmt::Arguments<'_>) -> Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("failed to write the output"),
    }
}
