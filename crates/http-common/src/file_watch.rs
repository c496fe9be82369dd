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

/// Size, inode and modification time: what a write or a rename changes.
type Stamp = (u64, u64, i64, i64);

/// Files that are looked at again and again. Unlike file events this also works for network file systems and for links that are
/// exchanged further up.
#[derive(Debug)]
pub struct FileWatch {
    paths: Vec<PathBuf>,
    /// As they were when they were last read; `None`: missing, or not to be looked at.
    known: Vec<Option<Stamp>>,
}

impl FileWatch {
    /// Notes the files as they are.
    #[must_use]
    pub fn new(paths: Vec<PathBuf>) -> Self {
        let known = paths.iter().map(|path| stamp(path).ok()).collect();
        Self { paths, known }
    }

    /// Resolves once a file has changed, or is gone, and two looks in a row saw the same, so that nobody is writing them.
    pub async fn changed(&mut self) {
        let mut last = self.known.clone();
        loop {
            sleep(WATCH_INTERVAL).await;
            let paths = self.paths.clone();
            // A file that is missing must not hide that another one has changed.
            let look = move || paths.iter().map(|path| stamp(path).ok()).collect::<Vec<_>>();
            let Ok(now) = spawn_blocking(look).await else { continue };
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
    Ok((metadata.len(), metadata.ino(), metadata.mtime(), metadata.mtime_nsec()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn a_missing_file_is_news_and_hides_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["a", "b"].map(|name| folder.path().join(name));
        paths.iter().for_each(|path| fs::write(path, "1").unwrap());
        let mut watch = FileWatch::new(paths.to_vec());
        fs::remove_file(&paths[0]).unwrap();
        watch.changed().await;
        fs::write(&paths[1], "22").unwrap();
        watch.changed().await;
        fs::write(&paths[0], "1").unwrap();
        watch.changed().await;
    }
}
