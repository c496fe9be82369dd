//! The plan of a pass: which files a source leaves out, how the others are read, and which of them have to be. It does no I/O.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use tributary_config::SourceConfig;
use tributary_format_rules::{FormatRules, SourceFormats};
use tributary_protocol::CompactManifest;

use super::notes;
use crate::{
    ingest::{Feed, FeedRules},
    input::{FilesToRead, KnownFiles, Plan, Planner, Reader as _, plan_aside},
    reports::Reports,
};

/// A manifest and the plan that follows from it.
pub(super) struct Planned {
    /// The manifest without the files that the configuration leaves out.
    pub(super) manifest: CompactManifest,
    pub(super) formats: SourceFormats,
    pub(super) plan: Plan,
    /// Files that are read and applied in parts before those of the plan, if there are very many: new ones, and those that keep their
    /// rank.
    pub(super) early: FilesToRead,
    /// The digest of all of it.
    pub(super) digest: String,
    /// A hint that the order of files may not be the one that is meant.
    pub(super) order_hint: Option<String>,
}

/// All that a plan depends on beside the manifest. It is owned, because another thread plans.
pub(super) struct Basis {
    pub(super) source: SourceConfig,
    pub(super) stored: Arc<KnownFiles>,
    pub(super) rules: FeedRules,
    pub(super) reports: Reports,
    /// Whether the order of files is looked at.
    pub(super) wants_order_hint: bool,
    /// Files that are applied at a time.
    pub(super) files_per_part: usize,
}

impl Basis {
    /// Plans a pass over what a source lists.
    ///
    /// # Errors
    /// The formats that the source announces cannot work.
    pub(super) async fn plan(self, manifest: CompactManifest) -> Result<Planned> {
        plan_aside(move |planner| self.planned(planner, manifest)).await?
    }

    fn planned(&self, planner: &Planner, mut manifest: CompactManifest) -> Result<Planned> {
        let left_out = self.leave_out(&mut manifest);
        let announced =
            FormatRules::announced(&manifest.formats).context("the formats that the source announces cannot work")?;
        let formats = SourceFormats { own: self.source.formats.clone(), announced };
        let feed = Feed::new(self.reports.configured(), &self.rules);
        let mut plan = planner.plan(&feed, (&manifest, &formats), &self.stored);
        plan.left_out.extend(left_out);
        let digest = plan.digest(&manifest.files);
        let order_hint = self.order_hint(&feed, &plan, (&manifest, &formats));
        let early = self.early(&feed, &mut plan, &manifest);
        Ok(Planned { manifest, formats, plan, early, digest, order_hint })
    }

    /// Removes the files that the configuration leaves out from the manifest. Returns the paths of those that are stored.
    fn leave_out(&self, manifest: &mut CompactManifest) -> Vec<String> {
        let selection = &self.source.selection;
        let mut stored = Vec::new();
        manifest.files.retain(|path| {
            let is_wanted = selection.contains(path);
            if !is_wanted && self.stored.contains(path) {
                stored.push(path.to_owned());
            }
            is_wanted
        });
        // Of a folder nobody knows what it holds.
        manifest.unreadable.retain(|unreadable| unreadable.path.ends_with('/') || selection.contains(&unreadable.path));
        stored
    }

    /// Takes the files that can be applied before others out of the plan, if there are too many for one part.
    fn early(&self, feed: &Feed<'_>, plan: &mut Plan, manifest: &CompactManifest) -> FilesToRead {
        if plan.read.len() <= self.files_per_part {
            return FilesToRead::default();
        }
        plan.read.take_out(&manifest.files, feed, |file| {
            let stored = self.stored.find(&file.entry.path);
            stored.is_none_or(|stored| stored.rank_key() == file.rank.key)
        })
    }

    /// Looks at the order of the files of a whole list, if one of them is new.
    fn order_hint(
        &self,
        feed: &Feed<'_>,
        plan: &Plan,
        (manifest, formats): (&CompactManifest, &SourceFormats),
    ) -> Option<String> {
        let mut read = plan.read.paths(&manifest.files);
        let is_due = self.wants_order_hint && manifest.since.is_none();
        let has_new = is_due && read.any(|path| !self.stored.contains(path));
        has_new.then(|| notes::order_hint(manifest, formats, |path| feed.claims(path)))?
    }
}
