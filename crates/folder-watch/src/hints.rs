//! Turns the file system's events into hints of where to look. A hint claims nothing of what will be found there.

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

use tributary_formats::is_offered;

use crate::Shared;

/// What wakes the watching thread.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Look at this offered path, relative to the folder.
    Path(String),
    /// This path, offered or not, appeared or disappeared: it may be or have been a folder.
    Moved(String),
    /// Look at the whole folder.
    Everything,
    /// Folders can no longer all be watched: look at the whole folder more often.
    Blind(String),
    /// End.
    Stop,
}

/// Watches the folder with all below it until the returned value is dropped.
pub(crate) fn listen(
    root: &Path,
    signals: SyncSender<Signal>,
    shared: Arc<Shared>,
) -> notify::Result<RecommendedWatcher> {
    // A link's events come with the path that it points to.
    let real_root = root.canonicalize()?;
    let base = real_root.clone();
    let handle = move |event: notify::Result<Event>| {
        for signal in signals_of(&base, event) {
            if let Err(TrySendError::Full(_)) = signals.try_send(signal) {
                shared.hints_lost.store(true, Ordering::Relaxed);
            }
        }
    };
    let mut watcher = RecommendedWatcher::new(handle, Config::default().with_follow_symlinks(false))?;
    watcher.watch(&real_root, RecursiveMode::Recursive)?;
    Ok(watcher)
}

fn signals_of(root: &Path, event: notify::Result<Event>) -> Vec<Signal> {
    let event = match event {
        Ok(event) => event,
        Err(error) if matches!(error.kind, notify::ErrorKind::MaxFilesWatch) => {
            return vec![Signal::Blind(error.to_string())];
        }
        Err(_) => return vec![Signal::Everything],
    };
    if event.need_rescan() || event.paths.is_empty() {
        return vec![Signal::Everything];
    }
    event.paths.iter().filter_map(|path| signal_of(event.kind, path.strip_prefix(root).ok()?)).collect()
}

/// What an event says of a path, relative to the folder.
fn signal_of(kind: EventKind, path: &Path) -> Option<Signal> {
    let path = path.to_str()?;
    match kind {
        // Our own reading makes such events: to look because of them would never end.
        EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write) => None,
        EventKind::Create(CreateKind::Folder) | EventKind::Remove(RemoveKind::Folder) => Some(Signal::Everything),
        _ if path.is_empty() => Some(Signal::Everything),
        EventKind::Create(CreateKind::File) | EventKind::Remove(RemoveKind::File) if !is_offered(path) => None,
        EventKind::Modify(ModifyKind::Data(_)) | EventKind::Access(_) if !is_offered(path) => None,
        EventKind::Modify(ModifyKind::Data(_)) | EventKind::Access(_) => Some(Signal::Path(path.to_owned())),
        _ => Some(Signal::Moved(path.to_owned())),
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
        let path = |path: &str| Some(Signal::Path(path.to_owned()));
        let moved = |path: &str| Some(Signal::Moved(path.to_owned()));
        let table = [
            (data, "a.csv", path("a.csv")),
            (data, "a.csv.tmp", None),
            (EventKind::Access(AccessKind::Open(AccessMode::Any)), "a.csv", None),
            (EventKind::Access(AccessKind::Close(AccessMode::Read)), "a.csv", None),
            (EventKind::Access(AccessKind::Close(AccessMode::Write)), "a.csv", path("a.csv")),
            (EventKind::Create(CreateKind::File), "sub/a.csv", moved("sub/a.csv")),
            (EventKind::Create(CreateKind::File), "sub/a.part", None),
            (EventKind::Create(CreateKind::Folder), "sub", Some(Signal::Everything)),
            (EventKind::Remove(RemoveKind::File), ".a.csv", None),
            (EventKind::Remove(RemoveKind::Folder), "sub", Some(Signal::Everything)),
            (EventKind::Remove(RemoveKind::Other), "sub", moved("sub")),
            (rename, "sub", moved("sub")),
            (rename, "", Some(Signal::Everything)),
            (attributes, "a.csv", moved("a.csv")),
        ];
        for (kind, at, expect) in table {
            assert_eq!(signal_of(kind, Path::new(at)), expect, "{kind:?} {at}");
        }
    }

    #[test]
    fn lost_events_make_us_look_everywhere() {
        let root = Path::new("/data");
        let overflow = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(signals_of(root, Ok(overflow)), [Signal::Everything]);
        assert_eq!(signals_of(root, Err(notify::Error::generic("odd"))), [Signal::Everything]);
        let limit = notify::Error::new(notify::ErrorKind::MaxFilesWatch);
        assert!(matches!(signals_of(root, Err(limit))[..], [Signal::Blind(_)]));
        let elsewhere = Event::new(EventKind::Create(CreateKind::File)).add_path("/other/a.csv".into());
        assert_eq!(signals_of(root, Ok(elsewhere)), []);
    }
}
