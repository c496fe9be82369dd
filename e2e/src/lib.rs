//! Tests of the whole system that need more than Rust: the form in a real browser, a source in Python. They are no default
//! member of the workspace, so that `cargo test` needs nothing installed. Run them so:
//!
//! ```sh
//! cargo build --bins      # they run the built programs, and `cargo test -p e2e` builds none but itself
//! cargo xtask services --install -- cargo test -p e2e
//! ```
//!
//! `cargo xtask services` starts what they need and passes the addresses in `TRIBUTARY_E2E_…`; `--install` installs what is
//! missing with apt-get. This library is what the tests share; it holds no test itself.

mod browser;
mod system;

pub use browser::{Browser, Kind, browse};
pub use system::System;

use std::time::{Duration, Instant};

use tributary_testkit::wait::PATIENCE;

/// Asks `ask` until it gives something: [`tributary_testkit::wait::until`] for what must be awaited.
///
/// # Panics
/// It gives nothing for [`PATIENCE`]; the text says `what` was waited for.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(got) = ask().await {
            return got;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain for: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
