//! Edits through the form, one after the other, while other work goes on.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow, ensure};
use tributary_testkit::process::Daemon;

use crate::bench::{client::Connection, figures::Latencies};

/// Pause between two edits: people, not a load.
const PAUSE: Duration = Duration::from_millis(20);

/// Edits that are being made.
pub(super) struct Edits {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Result<Vec<Duration>>>,
}

impl Edits {
    /// Begins to edit the first product of a source.
    pub(super) fn start(master: &Daemon, source: usize) -> Result<Self> {
        let mut client = Connection::open(&master.url)?;
        let is_over = Arc::new(AtomicBool::new(false));
        let is_done = Arc::clone(&is_over);
        let edit = move || {
            let mut times = Vec::new();
            while !is_done.load(Ordering::Relaxed) {
                let form = format!("sku=s{source:05}-r000&name=Edited+{}&description=", times.len());
                let begun = Instant::now();
                let status = client.post("/update", &form)?;
                times.push(begun.elapsed());
                ensure!(status == 303, "an edit is answered with {status}");
                thread::sleep(PAUSE);
            }
            Ok(times)
        };
        Ok(Self { is_over, thread: thread::spawn(edit) })
    }

    /// Ends them.
    pub(super) fn stop(self) -> Result<Edited> {
        self.is_over.store(true, Ordering::Relaxed);
        let times = self.thread.join().map_err(|_| anyhow!("the thread that edits panicked"))??;
        ensure!(!times.is_empty(), "nothing was edited");
        Ok(Edited(Latencies::of(times)))
    }
}

/// Edits that were made.
pub(super) struct Edited(Latencies);

impl fmt::Display for Edited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} edits ({})", self.0.count(), self.0.summary())
    }
}
