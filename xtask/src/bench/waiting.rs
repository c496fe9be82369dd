//! Waiting for what another process does.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

/// How long anything may take before the run is given up; the largest load takes minutes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(1800);

/// Asks `ask` at every `pause` until it gives something.
pub(super) fn until<T>(what: &str, pause: Duration, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(got) = ask()? {
            return Ok(got);
        }
        if Instant::now() > deadline {
            bail!("waited {PATIENCE:?} in vain for: {what}");
        }
        thread::sleep(pause);
    }
}
