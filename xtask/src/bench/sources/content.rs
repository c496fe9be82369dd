//! The one file of a source that is played: generated rows, of which a change rewrites some.

use std::fmt::Write as _;

use tributary_protocol::{Manifest, ManifestEntry, Sense};

/// The path of the file.
pub(super) const PATH: &str = "feed.csv";

/// The content of a source at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content {
    /// Number of the source.
    pub(super) source: usize,
    pub(super) rows: usize,
    /// Rows, from the first one on, whose description has the revision.
    pub(super) changed: usize,
    pub(super) revision: u32,
}

/// A content as it is offered.
#[derive(Debug, Clone)]
pub(super) struct Offered {
    pub(super) content: Content,
    /// The hash of the bytes, as in the manifest.
    pub(super) hash: String,
    pub(super) bytes: usize,
}

impl Content {
    /// A content that was never changed.
    pub(super) fn first(source: usize, rows: usize) -> Self {
        Self { source, rows, changed: 0, revision: 0 }
    }

    /// The bytes of the file.
    pub(super) fn csv(&self) -> String {
        let Self { source, rows, changed, revision } = *self;
        let mut csv = String::from("sku,name,description\n");
        for row in 0..rows {
            let revision = if row < changed { revision } else { 0 };
            // A `String` takes every write.
            let _ = writeln!(
                csv,
                "s{source:05}-r{row:03},Product {},Row {row} of source {source}; revision {revision}",
                source % 500
            );
        }
        csv
    }

    /// Computes what the source says of it.
    pub(super) fn offer(self) -> Offered {
        let csv = self.csv();
        Offered { content: self, hash: format!("blake3:{}", blake3::hash(csv.as_bytes()).to_hex()), bytes: csv.len() }
    }
}

impl Offered {
    /// The version of the source: a manifest of one file is as old as the file.
    pub(super) fn version(&self) -> &str {
        self.hash.trim_start_matches("blake3:")
    }

    /// The answer to `/sense` of a caller that has applied the version `since`.
    pub(super) fn sense(&self, since: Option<&str>) -> Sense {
        Sense {
            status: u8::from(since != Some(self.version())),
            version: Some(self.version().to_owned()),
            name: Some(format!("simulated {}", self.content.source)),
            files: Some(1),
            bytes: Some(self.bytes as u64),
            changed_at: Some(MODIFIED.to_owned()),
        }
    }

    /// The answer to `/sense/files`: all files, or a delta since a version that this source had.
    pub(super) fn manifest(&self, since: Option<&str>) -> Manifest {
        let entry = ManifestEntry {
            path: PATH.to_owned(),
            size: self.bytes as u64,
            modified: MODIFIED.to_owned(),
            hash: self.hash.clone(),
            partial: false,
        };
        let is_same = since == Some(self.version());
        Manifest {
            version: self.version().to_owned(),
            since: since.map(str::to_owned),
            files: if is_same { Vec::new() } else { vec![entry] },
            deltas: true,
            ..Manifest::default()
        }
    }
}

/// When the file was changed, as far as the master is concerned: times only inform people.
const MODIFIED: &str = "2026-01-01T00:00:00Z";
