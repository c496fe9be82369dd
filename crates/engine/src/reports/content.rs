//! The content of a source, shared by the passes over it and the work on its reports. Each pass adds what changed; the work on a report
//! asks for what has changed since it last asked, however many passes there were.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;
use tributary_budget::Share;
use tributary_format_rules::SourceFormats;
use tributary_protocol::{CompactManifest, FileList, ManifestEntry};

use crate::source::SpooledBody;

/// Changes that are kept at least, so that whoever is behind need not compare everything.
const MIN_KEPT_CHANGES: usize = 1_024;

/// The id and the name of a stored source.
#[derive(Debug, Clone)]
pub(crate) struct SourceKey {
    /// Its id in the database.
    pub(crate) id: i64,
    /// Its name.
    pub(crate) name: String,
}

/// The bytes of the only file of a source with the plain protocol. Kept until all reports over it are computed, because they take
/// room on the disk.
pub(crate) type PlainBody = Mutex<Option<Arc<SpooledBody>>>;

/// The content of a source at one version, or a part of it.
#[derive(Default)]
pub(crate) struct SourceContent {
    /// All files, or those that changed, and those that the source cannot read.
    pub(crate) manifest: CompactManifest,
    /// Formats of the files.
    pub(crate) formats: SourceFormats,
    /// Of a plain source.
    pub(crate) body: Arc<PlainBody>,
    /// The part of the memory for lists of files that its list takes.
    pub(crate) share: Option<Share>,
}

impl SourceContent {
    pub(super) fn body(&self) -> MutexGuard<'_, Option<Arc<SpooledBody>>> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The content of a source as far as it is applied.
pub(crate) struct AppliedContent {
    /// Whether there are reports, for which all files are kept.
    keeps_files: bool,
    /// Locked only to read or change it.
    state: Mutex<State>,
    /// The number of the last change; 0 before the first content.
    news: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    /// The files of the last whole list, by path.
    listed: FileList,
    /// The part of the memory for lists of files that it takes.
    share: Option<Share>,
    /// The paths that have changed since, with the file that each stands for, or none.
    changed: BTreeMap<String, Option<ManifestEntry>>,
    /// The content without its files.
    rest: SourceContent,
    /// Numbers and paths of the last changes.
    changes: VecDeque<(u64, String)>,
    /// Since this change, `changes` is complete.
    complete_since: u64,
}

impl AppliedContent {
    /// Nothing is known yet.
    pub(crate) fn new(keeps_files: bool) -> Self {
        Self { keeps_files, state: Mutex::default(), news: watch::Sender::new(0) }
    }

    /// Takes in what a pass has applied, and wakes the work on reports if that is another version.
    pub(crate) fn publish(&self, content: SourceContent) {
        let mut state = self.state();
        let number = *self.news.borrow() + 1;
        let is_first = number == 1;
        if !is_first && state.rest.manifest.version == content.manifest.version {
            return;
        }
        let SourceContent { mut manifest, formats, body, share } = content;
        let (files, removed) = (std::mem::take(&mut manifest.files), std::mem::take(&mut manifest.removed));
        if self.keeps_files {
            if manifest.since.is_none() {
                state.share = share;
            }
            state.take_in(number, manifest.since.is_some(), files, removed);
            // Nobody reads the reasons any more, and each may be long.
            manifest.unreadable.iter_mut().for_each(|unreadable| unreadable.error = String::new());
        } else {
            manifest.unreadable = Vec::new();
        }
        (manifest.left_out, manifest.formats) = (Vec::new(), Vec::new());
        manifest.since = None;
        state.rest = SourceContent { manifest, formats, body, share: None };
        drop(state);
        self.news.send_replace(number);
    }

    /// A channel with the number of the last change.
    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Whether the winner among the files depends on times.
    pub(crate) fn ranks_by_time(&self) -> bool {
        self.state().rest.formats.rank_by_time()
    }

    /// The content with the files that changed since the change with this number, or with all of them; and its own number. None
    /// before the first.
    pub(super) fn since(&self, known: Option<u64>) -> Option<(SourceContent, u64)> {
        let state = self.state();
        let number = Some(*self.news.borrow()).filter(|number| *number > 0)?;
        let SourceContent { manifest, formats, body, share: _ } = &state.rest;
        let mut manifest = manifest.clone();
        match known.filter(|known| *known >= state.complete_since) {
            None => manifest.files = state.files(),
            Some(known) => {
                let later = state.changes.iter().rev().take_while(|(number, _)| *number > known);
                let mut paths: Vec<&String> = later.map(|(_, path)| path).collect();
                paths.sort_unstable();
                paths.dedup();
                for path in paths {
                    match state.file(path) {
                        Some(entry) => manifest.files.push(&entry),
                        None => manifest.removed.push(path.clone()),
                    }
                }
                manifest.since = Some(known.to_string());
            }
        }
        let (formats, body) = (formats.clone(), Arc::clone(body));
        Some((SourceContent { manifest, formats, body, share: None }, number))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take_in(&mut self, number: u64, is_part: bool, files: FileList, removed: Vec<String>) {
        if !is_part {
            // What is not readable any more is not listed, so nobody can tell what is gone but by comparing everything.
            self.list_again(files);
            self.changes.clear();
            self.complete_since = number;
            return;
        }
        let removed = removed.into_iter().map(|path| (path, None));
        for (path, entry) in removed.chain(files.iter().map(|entry| (entry.path.clone(), Some(entry)))) {
            self.changes.push_back((number, path.clone()));
            self.changed.insert(path, entry);
        }
        while self.changes.len() > self.listed.len().max(MIN_KEPT_CHANGES) {
            let Some((number, _)) = self.changes.pop_front() else { break };
            self.complete_since = number;
        }
        if self.changed.len() > self.listed.len().max(MIN_KEPT_CHANGES) {
            self.list_again(self.files());
        }
    }

    /// Takes a list for the whole.
    fn list_again(&mut self, mut files: FileList) {
        files.sort();
        self.listed = files;
        self.changed.clear();
    }

    /// The file at a path, if there is one.
    fn file(&self, path: &str) -> Option<ManifestEntry> {
        self.changed.get(path).cloned().unwrap_or_else(|| self.listed.find(path))
    }

    /// All files, by path.
    fn files(&self) -> FileList {
        let mut files = self.listed.clone();
        files.retain(|path| !self.changed.contains_key(path));
        self.changed.values().flatten().for_each(|entry| files.push(entry));
        files.sort();
        files
    }
}

#[cfg(test)]
mod tests {
    use tributary_protocol::Unreadable;

    use super::*;

    fn content(version: &str, since: Option<&str>, files: &[&str], removed: &[&str]) -> SourceContent {
        let entry = |path: &&str| ManifestEntry { path: (*path).to_owned(), ..ManifestEntry::default() };
        let manifest = CompactManifest {
            version: version.to_owned(),
            since: since.map(str::to_owned),
            files: files.iter().map(entry).collect(),
            removed: removed.iter().map(|path| (*path).to_owned()).collect(),
            ..CompactManifest::default()
        };
        SourceContent { manifest, ..SourceContent::default() }
    }

    #[track_caller]
    fn check(applied: &AppliedContent, known: Option<u64>, files: &[&str], removed: Option<&[&str]>) -> u64 {
        let (content, number) = applied.since(known).unwrap();
        let CompactManifest { files: found, removed: gone, since, .. } = content.manifest;
        assert_eq!(found.paths().collect::<Vec<_>>(), files);
        assert_eq!(
            (since.is_some(), gone),
            (removed.is_some(), removed.unwrap_or_default().iter().map(|path| (*path).to_owned()).collect())
        );
        number
    }

    #[test]
    fn whoever_is_behind_gets_all_that_has_changed_since() {
        let applied = AppliedContent::new(true);
        assert!(applied.since(None).is_none());
        applied.publish(content("1", None, &["a", "b"], &[]));
        let first = check(&applied, None, &["a", "b"], None);
        check(&applied, Some(first), &[], Some(&[]));
        applied.publish(content("2", Some("1"), &["c"], &["a"]));
        applied.publish(content("3", Some("2"), &["d"], &["c"]));
        check(&applied, Some(first), &["d"], Some(&["a", "c"]));
        let third = check(&applied, None, &["b", "d"], None);
        applied.publish(content("3", Some("2"), &["never"], &[]));
        check(&applied, Some(third), &[], Some(&[]));
        // A whole listing has to be compared as a whole.
        applied.publish(content("4", None, &["b"], &[]));
        let fourth = check(&applied, Some(third), &["b"], None);
        check(&applied, Some(fourth), &[], Some(&[]));
        let many: Vec<String> = (0..2_000).map(|number| number.to_string()).collect();
        for (at, path) in many.iter().enumerate() {
            applied.publish(content(&format!("m{at}"), Some("x"), &[], &[path.as_str()]));
        }
        check(&applied, Some(fourth), &["b"], None);
    }

    /// Eight sources that gave a thousand long reasons each used to keep 30 MiB.
    #[test]
    fn without_reports_no_file_is_kept_and_no_reason_in_any_case() {
        for (keeps_files, files, unreadable) in [(false, &[][..], 0), (true, &["a"], 1)] {
            let applied = AppliedContent::new(keeps_files);
            let mut content = content("1", None, &["a"], &[]);
            content.manifest.unreadable = vec![Unreadable { path: "b".to_owned(), error: "x".repeat(4_096) }];
            applied.publish(content);
            check(&applied, None, files, None);
            let kept = applied.since(None).unwrap().0.manifest.unreadable;
            assert_eq!((kept.len(), kept.iter().map(|kept| kept.error.len()).sum::<usize>()), (unreadable, 0));
        }
    }
}
