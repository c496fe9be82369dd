//! The list of readers. Whatever asks all of them asks here; a new reader is added here.

use std::sync::LazyLock;

use tributary_config::ReportConfig;

use crate::{
    ingest::{Feed, FeedRules},
    input::{Reader, ResultLink},
};

/// Rules only decide how a file is read, which is a matter of its source.
static ANY: LazyLock<FeedRules> = LazyLock::new(FeedRules::default);

/// All readers of files.
pub(crate) struct ReaderList<'a> {
    feed: Feed<'a>,
    reports: &'a [ReportConfig],
}

impl<'a> ReaderList<'a> {
    /// The product feed, and these reports.
    pub(crate) fn new(reports: &'a [ReportConfig]) -> Self {
        Self { feed: Feed::new(reports, &ANY), reports }
    }

    /// Each of them, in the order in which people see them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &dyn Reader> {
        let feed: &dyn Reader = &self.feed;
        std::iter::once(feed).chain(self.reports.iter().map(|report| report as &dyn Reader))
    }
}

/// Links to all results of a file that these reports may claim.
#[must_use]
pub fn result_links(reports: &[ReportConfig], source: &str, path: &str) -> Vec<ResultLink> {
    let readers = ReaderList::new(reports);
    readers.all().filter(|reader| reader.claims(path)).flat_map(|reader| reader.links(source, path)).collect()
}
