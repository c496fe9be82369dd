//! Bodies that were fetched for one reader of a source and that others are going to ask for, so that each object is sent once.

use std::{collections::HashMap, sync::Arc};

use tributary_budget::{Budget, Share};
use tributary_protocol::ManifestEntry;

use super::spool::SpooledBody;

/// The room on the disk for such bodies of all sources. For what finds none, each reader asks the bucket again.
static ROOM: Budget = Budget::new(1 << 30);

/// Bodies of one source.
pub(super) struct KeptBodies {
    /// By path and identity of the content.
    bodies: HashMap<(String, String), Kept>,
    room: &'static Budget,
}

struct Kept {
    body: Arc<SpooledBody>,
    /// Readers that have not asked for it yet.
    readers: usize,
    /// Its part of the room, until it is let go.
    _share: Share<&'static Budget>,
}

impl Default for KeptBodies {
    fn default() -> Self {
        Self { bodies: HashMap::new(), room: &ROOM }
    }
}

impl KeptBodies {
    /// Keeps a body for so many readers, if there is room.
    pub(super) fn put(&mut self, entry: &ManifestEntry, body: &Arc<SpooledBody>, readers: usize) {
        let share = (readers > 0).then(|| Share::of(self.room, entry.size)).flatten();
        if let Some(share) = share {
            self.bodies.insert(key(entry), Kept { body: Arc::clone(body), readers, _share: share });
        }
    }

    /// Gives a body to a reader, the last of which takes it out.
    pub(super) fn take(&mut self, entry: &ManifestEntry) -> Option<Arc<SpooledBody>> {
        let key = key(entry);
        let kept = self.bodies.get_mut(&key)?;
        kept.readers -= 1;
        let (body, is_last) = (Arc::clone(&kept.body), kept.readers == 0);
        if is_last {
            self.bodies.remove(&key);
        }
        Some(body)
    }

    /// Lets go of all bodies: nobody asks for them any more.
    pub(super) fn clear(&mut self) {
        self.bodies.clear();
    }
}

fn key(entry: &ManifestEntry) -> (String, String) {
    (entry.path.clone(), entry.hash.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_kept_for_as_many_readers_as_there_are_and_room() {
        static ROOM: Budget = Budget::new(10);
        let (room, mut kept) = (&ROOM, KeptBodies { room: &ROOM, ..KeptBodies::default() });
        let entry = |path: &str| ManifestEntry { path: path.to_owned(), size: 6, ..ManifestEntry::default() };
        let body = || Arc::new(SpooledBody::Memory(bytes::Bytes::new()));
        kept.put(&entry("a"), &body(), 2);
        kept.put(&entry("b"), &body(), 1);
        kept.put(&entry("c"), &body(), 0);
        let taken = ["a", "b", "c", "a", "a"].map(|path| kept.take(&entry(path)).is_some());
        assert_eq!((taken, room.taken()), ([true, false, false, true, false], 0));
        kept.put(&entry("b"), &body(), 1);
        kept.put(&entry("b"), &body(), 1);
        assert_eq!(room.taken(), 6, "the second found no room, and the first is still there");
        kept.clear();
        assert_eq!((kept.take(&entry("b")).is_some(), room.taken()), (false, 0));
    }
}
