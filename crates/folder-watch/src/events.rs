//! Turns file events into hints of where to look. A hint claims nothing about what is there.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{SyncSender, TrySendError},
    },
};

use notify::{
    Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode, CreateKind, ModifyKind, RemoveKind},
};

use crate::{offer::Offer, place::Place, shared::Shared};

/// Message that wakes the watching thread.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    /// Look at this offered path, relative to the folder.
    Path(String),
    /// This path, offered or not, appeared or disappeared: it may be or have been a folder.
    Moved(String),
    /// Scan the whole folder.
    Everything,
    /// Not all folders can be watched any more: scan more often.
    Blind(String),
    /// End.
    Stop,
}

/// Subscription to the file events of the folder that stands at the root, with everything below it.
pub(crate) struct Events {
    hints: SyncSender<Hint>,
    shared: Arc<Shared>,
    offer: Offer,
    /// The folder that is subscribed to, and the subscription; `None` in it where there are no events.
    subscription: Option<(Place, Option<RecommendedWatcher>)>,
}

impl Events {
    pub(crate) fn new(hints: SyncSender<Hint>, shared: Arc<Shared>, offer: Offer) -> Self {
        Self { hints, shared, offer, subscription: None }
    }

    /// Subscribes to the folder that stands at `root` now, which is `place`, unless that is done already. Returns the reason
    /// if the system offers no events for it.
    pub(crate) fn subscribe(&mut self, root: &Path, place: Place) -> Option<String> {
        if self.subscription.as_ref().is_some_and(|(watched, _)| *watched == place) {
            return None;
        }
        let watcher = self.watch(root);
        let reason = watcher.as_ref().err().map(ToString::to_string);
        self.subscription = Some((place, watcher.ok()));
        reason
    }

    /// Gives the events up, since some are missing.
    pub(crate) fn give_up(&mut self) {
        if let Some((_, watcher)) = &mut self.subscription {
            *watcher = None;
        }
    }

    /// Makes the next [`Self::subscribe`] start over.
    pub(crate) fn reset(&mut self) {
        self.subscription = None;
    }

    /// Returns whether the folder is subscribed to and has no events.
    pub(crate) fn are_missing(&self) -> bool {
        matches!(self.subscription, Some((_, None)))
    }

    fn watch(&self, root: &Path) -> notify::Result<RecommendedWatcher> {
        // The events of a linked folder carry the path that the link points to.
        let real_root = root.canonicalize()?;
        let (base, hints, shared, offer) =
            (real_root.clone(), self.hints.clone(), Arc::clone(&self.shared), self.offer.clone());
        let handle = move |event: notify::Result<Event>| {
            for hint in hints_of(&base, event, &offer) {
                if let Err(TrySendError::Full(_)) = hints.try_send(hint) {
                    shared.hints_lost.store(true, Ordering::Relaxed);
                }
            }
        };
        let mut watcher = RecommendedWatcher::new(handle, Config::default().with_follow_symlinks(false))?;
        watcher.watch(&real_root, RecursiveMode::Recursive)?;
        Ok(watcher)
    }
}

fn hints_of(root: &Path, event: notify::Result<Event>, offer: &Offer) -> Vec<Hint> {
    let event = match event {
        Ok(event) => event,
        Err(error) if matches!(error.kind, notify::ErrorKind::MaxFilesWatch) => {
            return vec![Hint::Blind(error.to_string())];
        }
        Err(_) => return vec![Hint::Everything],
    };
    if event.need_rescan() || event.paths.is_empty() {
        return vec![Hint::Everything];
    }
    event.paths.iter().filter_map(|path| hint_of(event.kind, path.strip_prefix(root).ok()?, offer)).collect()
}

/// Returns the hint that an event gives about a path, relative to the folder.
fn hint_of(kind: EventKind, path: &Path, offer: &Offer) -> Option<Hint> {
    let path = path.to_str()?;
    match kind {
        // Our own reading causes such events: to act on them would never end.
        EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write) => None,
        EventKind::Create(CreateKind::Folder) | EventKind::Remove(RemoveKind::Folder) => Some(Hint::Everything),
        _ if path.is_empty() => Some(Hint::Everything),
        EventKind::Create(CreateKind::File) | EventKind::Remove(RemoveKind::File) if !offer.takes(path) => None,
        EventKind::Modify(ModifyKind::Data(_)) | EventKind::Access(_) if !offer.takes(path) => None,
        EventKind::Modify(ModifyKind::Data(_)) | EventKind::Access(_) => Some(Hint::Path(path.to_owned())),
        _ => Some(Hint::Moved(path.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{DataChange, Flag, MetadataKind, RenameMode};

    use super::*;

    #[test]
    fn events_say_where_to_look() {
        let data = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let rename = EventKind::Modify(ModifyKind::Name(RenameMode::From));
        let attributes = EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any));
        let path = |path: &str| Some(Hint::Path(path.to_owned()));
        let moved = |path: &str| Some(Hint::Moved(path.to_owned()));
        let table = [
            (data, "a.csv", path("a.csv")),
            (data, "a.csv.tmp", None),
            (EventKind::Access(AccessKind::Open(AccessMode::Any)), "a.csv", None),
            (EventKind::Access(AccessKind::Close(AccessMode::Read)), "a.csv", None),
            (EventKind::Access(AccessKind::Close(AccessMode::Write)), "a.csv", path("a.csv")),
            (EventKind::Create(CreateKind::File), "sub/a.csv", moved("sub/a.csv")),
            (EventKind::Create(CreateKind::File), "sub/a.part", None),
            (EventKind::Create(CreateKind::Folder), "sub", Some(Hint::Everything)),
            (EventKind::Remove(RemoveKind::File), ".a.csv", None),
            (EventKind::Remove(RemoveKind::Folder), "sub", Some(Hint::Everything)),
            (EventKind::Remove(RemoveKind::Other), "sub", moved("sub")),
            (rename, "sub", moved("sub")),
            (rename, "", Some(Hint::Everything)),
            (attributes, "a.csv", moved("a.csv")),
        ];
        for (kind, at, expect) in table {
            assert_eq!(hint_of(kind, Path::new(at), &Offer::default()), expect, "{kind:?} {at}");
        }
    }

    #[test]
    fn lost_events_lead_to_a_scan() {
        let (root, offer) = (Path::new("/data"), Offer::default());
        let overflow = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(hints_of(root, Ok(overflow), &offer), [Hint::Everything]);
        assert_eq!(hints_of(root, Err(notify::Error::generic("odd")), &offer), [Hint::Everything]);
        let limit = notify::Error::new(notify::ErrorKind::MaxFilesWatch);
        assert!(matches!(hints_of(root, Err(limit), &offer)[..], [Hint::Blind(_)]));
        let elsewhere = Event::new(EventKind::Create(CreateKind::File)).add_path("/other/a.csv".into());
        assert_eq!(hints_of(root, Ok(elsewhere), &offer), []);
    }
}
