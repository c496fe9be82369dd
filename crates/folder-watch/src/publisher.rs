//! Publishes the folder's state, and logs what changed in it.

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use tokio::sync::watch::Sender;
use tracing::{info, warn};
use tributary_protocol::FormatSpec;

use crate::{
    index::Index,
    left_out::LeftOutFiles,
    snapshot::{Snapshot, State},
};

/// The only writer of the folder's state.
pub(crate) struct Publisher {
    state: Sender<State>,
    /// The last snapshot; `None` during the first scan.
    published: Option<Arc<Snapshot>>,
    /// Set while the state is `Unreadable`.
    is_failing: bool,
    formats: Arc<[FormatSpec]>,
    /// As the last scan found it.
    left_out: LeftOutFiles,
}

impl Publisher {
    pub(crate) fn new(state: Sender<State>, formats: &[FormatSpec]) -> Self {
        Self { state, published: None, is_failing: false, formats: formats.into(), left_out: LeftOutFiles::default() }
    }

    /// Returns whether the first scan is complete.
    pub(crate) fn has_published(&self) -> bool {
        self.published.is_some()
    }

    pub(crate) fn is_failing(&self) -> bool {
        self.is_failing
    }

    /// Notes what a scan left out; the next publication has it.
    pub(crate) fn set_left_out(&mut self, left_out: LeftOutFiles) {
        self.left_out = left_out;
    }

    /// Publishes what the index holds, if it has changed or the folder could not be read before.
    pub(crate) fn publish(&mut self, index: &mut Index) {
        let is_noted = self.published.as_ref().is_some_and(|last| last.left_out == self.left_out);
        let is_changed = index.take_change() || !is_noted;
        let is_recovered = std::mem::take(&mut self.is_failing);
        if let Some(last) = self.published.as_ref().filter(|_| !is_changed) {
            if is_recovered {
                info!("the folder can be read again");
                self.state.send_replace(State::Ready(Arc::clone(last)));
            }
            return;
        }
        let mut snapshot =
            Snapshot::new(index.entries(), index.unreadable(), Arc::clone(&self.formats), SystemTime::now());
        snapshot.left_out = self.left_out.clone();
        if let Some(last) = &self.published {
            snapshot.follow(last);
        }
        if self.published.as_ref().is_none_or(|last| last.version != snapshot.version) {
            let (version, files) = (&snapshot.version, snapshot.entries.len());
            info!(%version, files, "the folder is at version {version} with {files} files");
        }
        self.log_unreadable(&snapshot.unreadable);
        let snapshot = Arc::new(snapshot);
        self.published = Some(Arc::clone(&snapshot));
        self.state.send_replace(State::Ready(snapshot));
    }

    /// Publishes that the folder cannot be read.
    pub(crate) fn fail(&mut self, reason: &str) {
        if !std::mem::replace(&mut self.is_failing, true) {
            warn!(reason, "the folder cannot be read: {reason}");
        }
        let is_known = matches!(&*self.state.borrow(), State::Unreadable(known) if **known == *reason);
        if !is_known {
            self.state.send_replace(State::Unreadable(reason.into()));
        }
    }

    /// Logs which paths have become unreadable since the last snapshot, and which no longer are.
    fn log_unreadable(&self, unreadable: &BTreeMap<String, String>) {
        let before = self.published.as_deref();
        // A file whose folder could not be read before is not news.
        let is_new = |path: &str| before.and_then(|before| before.unreadable_reason(path)).is_none();
        let mut new = unreadable.iter().filter(|(path, _)| is_new(path));
        if let Some((path, error)) = new.next() {
            let others = new.count();
            let more = match others {
                0 => String::new(),
                1 => " and 1 other path".to_owned(),
                _ => format!(" and {others} other paths"),
            };
            warn!(file.path = path, error, files = others + 1, "`{path}`{more} cannot be read: {error}");
        }
        let mut recovered = before
            .into_iter()
            .flat_map(|before| before.unreadable.keys())
            .filter(|path| !unreadable.contains_key(*path));
        if let Some(path) = recovered.next() {
            info!(file.path = path, files = recovered.count() + 1, "`{path}` is no longer unreadable");
        }
    }
}
