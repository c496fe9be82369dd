//! The text of a manifest, in pages. It knows no requests.

use std::{io, sync::Arc};

use tributary_folder_watch::Snapshot;
use tributary_protocol::BodyDigest;

/// Writes a manifest page by page, so that a slow caller holds no thread and no second copy of it.
pub(crate) struct ManifestPages {
    snapshot: Arc<Snapshot>,
    /// The path of the next file; empty before the first, `None` after the last.
    next: Option<String>,
    /// The text that follows the files.
    end: Vec<u8>,
}

impl ManifestPages {
    /// Files that are written at a time.
    const FILES: usize = 200;

    pub(crate) fn new(snapshot: Arc<Snapshot>) -> Self {
        Self { snapshot, next: Some(String::new()), end: Vec::new() }
    }

    /// Writes a page, and returns whether more follows.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        let Some(from) = self.next.take() else {
            out.append(&mut self.end);
            return Ok(false);
        };
        let (files, next) = self.snapshot.manifest_page(&from, Self::FILES);
        if from.is_empty() {
            self.begin(out)?;
        }
        for (at, file) in files.iter().enumerate() {
            if at > 0 || !from.is_empty() {
                out.push(b',');
            }
            serde_json::to_writer(&mut *out, file)?;
        }
        self.next = next;
        Ok(true)
    }

    /// The digest of the whole manifest as it is sent.
    pub(crate) fn digest(mut self) -> io::Result<BodyDigest> {
        let (mut digest, mut page) = (BodyDigest::default(), Vec::new());
        loop {
            let has_more = self.write(&mut page)?;
            digest.update(&page);
            page.clear();
            if !has_more {
                return Ok(digest);
            }
        }
    }

    fn begin(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        const FILES: &str = "\"files\":[";
        let frame = serde_json::to_string(&self.snapshot.manifest_frame())?;
        // Only the version, which is a digest, stands before it.
        let at = frame.find(FILES).ok_or_else(|| io::Error::other("a manifest has no files"))? + FILES.len();
        out.extend_from_slice(&frame.as_bytes()[..at]);
        self.end = frame.as_bytes()[at..].to_vec();
        Ok(())
    }
}
