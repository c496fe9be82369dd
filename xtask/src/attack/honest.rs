//! An honest client of both servers, who asks small things all the time that an attack takes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use tributary_testkit::http;

use super::stage::Stage;

/// Pause between two rounds.
const PAUSE: Duration = Duration::from_millis(100);
/// Longest wait for a small answer, on a machine whose cores the attack shares.
const MAX_SECONDS: f64 = 5.0;

pub(super) struct Honest {
    stopped: Arc<AtomicBool>,
    asking: JoinHandle<Result<f64>>,
}

impl Honest {
    pub(super) fn start(stage: &Stage) -> Self {
        let paths = [stage.master("/"), stage.master("/api/v1/products?limit=10"), stage.source("/sense")];
        let stopped = Arc::new(AtomicBool::new(false));
        let until = stopped.clone();
        Self { stopped, asking: thread::spawn(move || ask(&paths, &until)) }
    }

    /// Returns the seconds of the slowest answer.
    pub(super) fn stop(self) -> Result<f64> {
        self.stopped.store(true, Ordering::Relaxed);
        self.asking.join().map_err(|_| anyhow!("the honest client panicked"))?
    }
}

fn ask(urls: &[String], stopped: &AtomicBool) -> Result<f64> {
    let mut slowest = 0.0_f64;
    while !stopped.load(Ordering::Relaxed) {
        for url in urls {
            let begun = Instant::now();
            answered(url).with_context(|| format!("an honest client got no answer from {url}"))?;
            let seconds = begun.elapsed().as_secs_f64();
            ensure!(seconds < MAX_SECONDS, "an honest client waited {seconds:.1} s for {url}");
            slowest = slowest.max(seconds);
        }
        thread::sleep(PAUSE);
    }
    Ok(slowest)
}

/// Asks until it is answered. A refusal that says when to ask again is obeyed; the wait counts as that for the answer.
fn answered(url: &str) -> Result<()> {
    let begun = Instant::now();
    loop {
        let answer = http::request("GET", url, &[], b"")?;
        let wait = answer.header("retry-after").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        match (answer.status, wait) {
            (200, _) => return Ok(()),
            (503, Some(wait)) if (begun.elapsed() + wait).as_secs_f64() < MAX_SECONDS => thread::sleep(wait),
            (status, _) => bail!("the answer is {status}: {}", answer.text()),
        }
    }
}
