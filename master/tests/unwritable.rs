//! A master whose files cannot grow, the database among them. It is said, nothing half-done is shown, and everything goes on by itself
//! afterwards. More that happens to the file of a database is in `sqlite`.

mod growth;
mod uploads;

use tributary_testkit::wait;

use crate::system::System;

/// Gives a system this feed of one source.
pub(crate) fn configured(mut system: System, feed: &str) -> System {
    system.write("a", "feed.csv", feed);
    system.serve("a");
    system.configure_sources(&[("a", "max_removal = false")]);
    system
}

/// The same, and a master that has applied it.
pub(crate) fn running(system: System, feed: &str) -> System {
    let mut system = configured(system, feed);
    system.start_master_that_warns();
    system.sync();
    system
}

/// Waits until `/readyz` says that nothing can be written, and returns the text.
#[track_caller]
pub(crate) fn said(system: &System) -> String {
    let text = wait::until("it says that it cannot write", || {
        let answer = system.ask("GET", "/readyz", "");
        (answer.status == 503).then(|| answer.text())
    });
    assert!(text.starts_with("the database cannot be written: "), "{text}");
    text
}

pub(crate) fn is_ready(system: &System) -> bool {
    system.ask("GET", "/readyz", "").status == 200
}
