//! The part of a report that is stored of one source: its files, by which a plan tells what to compute.

use std::sync::Arc;

use anyhow::Result;

use super::{Report, SourceContent, apply::AppliedUpdate};
use crate::input::{KnownFiles, Plan, plan_aside};

/// The stored part of a report over one source.
pub(super) struct Stored {
    /// The source's files, by path.
    pub(super) files: KnownFiles,
    /// The source's version that the report is up to date with.
    pub(super) version: Option<String>,
    /// Whether the last attempt failed.
    pub(super) has_failed: bool,
    /// The number of the last change of the content with which `files` were compared.
    pub(super) compared: Option<u64>,
}

impl Stored {
    /// Follows an update that was written.
    pub(super) fn follow(&mut self, AppliedUpdate { files, removed, .. }: AppliedUpdate) {
        for row in removed {
            self.files.remove(&row.path);
        }
        for row in &files {
            self.files.insert(row);
        }
    }

    /// Compares what the source holds with what is stored of it.
    ///
    /// # Errors
    /// Planning panics. Then nothing is known of the stored files any more.
    pub(super) async fn plan(&mut self, report: &Arc<Report>, content: &SourceContent) -> Result<Plan> {
        let (report, manifest, formats) = (Arc::clone(report), content.manifest.clone(), content.formats.clone());
        let known = std::mem::take(&mut self.files);
        let planned = plan_aside(move |planner| {
            let plan = planner.plan(&report.config, (&manifest, &formats), &known);
            (plan, known)
        });
        let plan;
        (plan, self.files) = planned.await?;
        Ok(plan)
    }
}
