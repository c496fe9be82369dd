//! Waiting for another process.

use std::time::Duration;

use anyhow::{Context, Result};
use tributary_testkit::wait;

/// The longest wait before the run fails. The largest load takes minutes on a slow machine.
const TIMEOUT: Duration = Duration::from_secs(1800);

/// Calls `ask` every `pause` until it returns something.
pub(super) fn until<T>(what: &str, pause: Duration, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let got = wait::within(TIMEOUT, pause, || ask().transpose());
    got.with_context(|| format!("waited {TIMEOUT:?} in vain until {what}"))?
}
