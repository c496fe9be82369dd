//! Notices that files change, by looking at them again and again.

use std::{
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{task::spawn_blocking, time::sleep};

/// Interval between two looks.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// Size, inode and modification time: what a write or a rename changes. `None`: not known.
type Stamp = Option<(u64, u64, i64, i64)>;

/// Files that are looked at again and again. Unlike file events this also works for network file systems and for links that are
/// exchanged further up.
#[derive(Debug)]
pub struct FileWatch {
    paths: Vec<PathBuf>,
    /// As they were when they were last read.
    known: Vec<Stamp>,
}

impl FileWatch {
    /// Notes the files as they are.
    #[must_use]
    pub fn new(paths: Vec<PathBuf>) -> Self {
        let known = paths.iter().map(|path| stamp(path).unwrap_or_default()).collect();
        Self { paths, known }
    }

    /// Resolves once a file has changed and two looks in a row saw the same, so that nobody is writing them.
    pub async fn changed(&mut self) {
        let mut last = self.known.clone();
        loop {
            sleep(WATCH_INTERVAL).await;
            let paths = self.paths.clone();
            let look = move || paths.iter().map(|path| stamp(path)).collect::<io::Result<Vec<Stamp>>>();
            // A look that failed is no news: a file that is being exchanged is missing for a moment.
            let Ok(Ok(now)) = spawn_blocking(look).await else { continue };
            if now != self.known && now == last {
                self.known = now;
                return;
            }
            last = now;
        }
    }
}

fn stamp(path: &Path) -> io::Result<Stamp> {
    let metadata = std::fs::metadata(path)?;
    Ok(Some((metadata.len(), metadata.ino(), metadata.mtime(), metadata.mtime_nsec())))
}
