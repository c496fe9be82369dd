//! Waiting for another process.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

/// The longest wait before the run fails. The largest load takes minutes on a slow machine.
const TIMEOUT: Duration = Duration::from_secs(1800);

/// Calls `ask` every `pause` until it returns something.
pub(super) fn until<T>(what: &str, pause: Duration, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        if let Some(got) = ask()? {
            return Ok(got);
        }
        if Instant::now() > deadline {
            bail!("waited {TIMEOUT:?} in vain until {what}");
        }
        thread::sleep(pause);
    }
}
