//! Tests of the whole system that need more than Rust: the form in a real browser, a source in Python. The crate is not a
//! default member of the workspace, so that `cargo test` needs nothing installed. To run the tests:
//!
//! ```sh
//! cargo build --bins      # the tests run the built programs, which `cargo test -p e2e` does not build
//! cargo xtask services --install -- cargo test -p e2e
//! ```
//!
//! `cargo xtask services` starts the services and passes their addresses in `TRIBUTARY_E2E_…`; `--install` installs missing
//! ones with apt-get. This library contains the shared tools and no tests.

mod broker;
mod browser;
mod guide;
mod hosts;
mod master;
mod postgres_server;
mod python;
mod relay;
mod reverse;
mod said;
mod statements;
mod system;
mod talk;

pub use broker::{Broker, Limit, control};
pub use browser::{Browser, Colours, Kind, Tab, browse};
pub use fantoccini::key::Key;
pub use guide::block;
pub use hosts::Hosts;
pub use master::{Master, Products};
pub use postgres_server::PostgresServer;
pub use python::{PythonProgram, python};
pub use relay::Relay;
pub use reverse::{NAME, ReverseProxy, settings as proxy_settings};
pub use said::said;
pub use statements::{At, Plug, Statements};
pub use system::System;
pub use talk::Talk;
pub use tributary_testkit::proxy::Proxy;

use std::time::{Duration, Instant};

use tributary_testkit::{http, wait::MAX_WAIT};

/// Calls `ask` until it returns something: the async [`tributary_testkit::wait::until`].
///
/// # Panics
/// It returns nothing for [`MAX_WAIT`]; the text names `what` was expected.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + MAX_WAIT;
    loop {
        if let Some(got) = ask().await {
            return got;
        }
        assert!(Instant::now() < deadline, "waited {MAX_WAIT:?} in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The value of a metric without labels, of the server at this address.
#[must_use]
pub fn metric(url: &str, name: &str) -> Option<f64> {
    let (_, body) = http::get(&format!("{url}/metrics")).ok()?;
    let text = String::from_utf8(body).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}
