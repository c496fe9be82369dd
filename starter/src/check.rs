//! Compares a database with what its sources hold.

use std::io::{self, Write};

use anyhow::{Context, Result, bail};
use tributary_cli_common::{check_threads, stop_on_signals};
use tributary_config::Config;
use tributary_engine::Checked;

use crate::cli::PlaceArgs;

/// Prints that the tables are right, or fails with the first difference or the sources that cannot be compared.
pub(crate) fn check(place: &PlaceArgs) -> Result<()> {
    let config = Config::load(&place.into())?;
    check_threads()?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("failed to start the runtime")?;
    let checked = runtime.block_on(async {
        let shutdown = stop_on_signals().context("failed to wait for signals")?;
        tokio::select! {
            checked = tributary_engine::check(&config) => checked,
            () = shutdown.cancelled() => bail!("stopped before everything was compared"),
        }
    });
    runtime.shutdown_background();
    match checked? {
        Checked::Equal { products, names, reports, groups } => {
            let compared = match reports {
                0 => format!("{products} products and {names} names"),
                _ => format!("{products} products, {names} names and {groups} rows of reports"),
            };
            let line = format!("{} is right: {compared} were compared", config.database);
            match writeln!(io::stdout(), "{line}") {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                written => written.context("failed to write the output"),
            }
        }
        Checked::Different(difference) => bail!("{} differs: {difference}", config.database),
        Checked::Unknown(sources) => bail!("cannot compare {}: {}", config.database, sources.join("; ")),
    }
}
