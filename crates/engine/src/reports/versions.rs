//! The versions of the sources that a report is up to date with. They are stored with its totals.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use tributary_store::{ReportRow, Store};

/// The version of each source that a report is up to date with, by the source's name. `None`: some files of the source have been
/// computed, but never all of one version.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SourceVersions(BTreeMap<String, Option<String>>);

impl SourceVersions {
    /// Those stored with a report; none if they cannot be parsed.
    pub(crate) fn of(stored: &ReportRow) -> Self {
        serde_json::from_str(&stored.standing).unwrap_or_default()
    }

    /// Reads those of the report called `name`.
    ///
    /// # Errors
    /// The database fails.
    pub(super) fn read(store: &mut Store, name: &str) -> Result<Self> {
        Ok(store.report(name)?.as_ref().map(Self::of).unwrap_or_default())
    }

    /// The text to store with a report.
    pub(super) fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).context("failed to write the versions of a report's sources")
    }

    /// The version of a source.
    pub(super) fn get(&self, source: &str) -> Option<&str> {
        self.0.get(source)?.as_deref()
    }

    /// Whether the report has been up to date with a version of this source.
    pub(crate) fn has(&self, source: &str) -> bool {
        self.get(source).is_some()
    }

    /// Whether no source has contributed anything yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether each of them is one of `sources`.
    pub(super) fn are_of(&self, sources: &[&str]) -> bool {
        self.0.keys().all(|source| sources.contains(&source.as_str()))
    }

    /// Removes those of other sources.
    pub(super) fn retain(&mut self, sources: &[&str]) {
        self.0.retain(|source, _| sources.contains(&source.as_str()));
    }

    /// Sets the version of a source. `None` keeps the version that is known, and only makes the source one that contributes.
    pub(super) fn set(&mut self, source: &str, version: Option<&str>) {
        let entry = self.0.entry(source.to_owned()).or_default();
        if let Some(version) = version {
            *entry = Some(version.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_without_a_whole_version_contributes_but_is_not_up_to_date() {
        let mut versions = SourceVersions::default();
        assert!(versions.is_empty());
        versions.set("north", None);
        versions.set("south", Some("v1"));
        versions.set("south", None);
        assert_eq!((versions.has("north"), versions.has("south"), versions.has("west")), (false, true, false));
        assert!(!versions.are_of(&["south"]));
        assert_eq!(versions.to_json().unwrap(), r#"{"north":null,"south":"v1"}"#);
        versions.retain(&["south", "west"]);
        assert_eq!(versions.to_json().unwrap(), r#"{"south":"v1"}"#);
    }
}
