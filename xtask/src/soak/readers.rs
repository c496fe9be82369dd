//! Two clients that read pages and lists all the time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
};

use anyhow::{Result, anyhow, ensure};
use tributary_testkit::http;

use super::random::Random;

const READERS: u64 = 2;
const PATHS: [&str; 12] = [
    "/",
    "/products",
    "/products?q=s1",
    "/?sku=s17",
    "/sources",
    "/sources/a",
    "/reports/rows",
    "/rejects",
    "/api/v1/products?limit=500",
    "/api/v1/aggr?format=csv",
    "/api/v1/history",
    "/metrics",
];

/// Reading clients, which end with this.
pub(super) struct Readers {
    is_over: Arc<AtomicBool>,
    reads: Arc<AtomicU64>,
    threads: Vec<JoinHandle<Result<()>>>,
}

impl Readers {
    pub(super) fn start(url: String, seed: u64) -> Self {
        let (is_over, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let reader = |number| {
            let (is_over, reads, url) = (Arc::clone(&is_over), Arc::clone(&reads), url.clone());
            let mut random = Random::new(seed * 100 + number);
            thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    let path = random.pick(&PATHS);
                    let (status, _) = http::get(&format!("{url}{path}"))?;
                    // A product of a page may be hidden.
                    ensure!(matches!(status, 200 | 404), "{path} was answered with {status}");
                    reads.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            })
        };
        let threads = (0..READERS).map(reader).collect();
        Self { is_over, reads, threads }
    }

    /// Whether one has ended by itself: a read of it has failed, which [`Self::stop`] tells.
    pub(super) fn have_failed(&self) -> bool {
        self.threads.iter().any(JoinHandle::is_finished)
    }

    /// Ends them. Fails if a read has failed.
    pub(super) fn stop(self) -> Result<u64> {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().map_err(|_| anyhow!("a reader panicked"))??;
        }
        Ok(self.reads.load(Ordering::Relaxed))
    }

    /// Ends them, whatever has failed: the master may have been killed.
    pub(super) fn stop_any(self) {
        let _ = self.stop();
    }
}
