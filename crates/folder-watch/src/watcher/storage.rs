//! Tells a folder whose files were removed from one that was unmounted or replaced.

use std::path::Path;

use tracing::info;

use super::Watcher;
use crate::{
    open::{is_shortage, open_folder},
    place::Place,
    scan::{Scan, ScanError, scan},
};

impl Watcher {
    /// Scans the folder, subscribed to its events. It is an error if other storage took its place.
    pub(super) fn scan_served_folder(&mut self) -> Result<Scan, ScanError> {
        loop {
            let place = self.current_place()?;
            if let Some(reason) = self.events.subscribe(&self.root, place) {
                self.warn_of_missing_events(&reason);
            }
            self.hinted.clear();
            let found = scan(&self.root, &self.offer, &self.shared)?;
            // Otherwise the folder was replaced in between.
            if found.place == Some(place) {
                self.place = Some(place);
                return Ok(found);
            }
        }
    }

    /// Returns what stands at the root now, if that is the storage of before or holds at least half of the known files.
    fn current_place(&mut self) -> Result<Place, ScanError> {
        let place = Place::of_root(&self.root).inspect_err(|error| {
            // What comes back later may look the same, and yet the system has dropped the subscription.
            if !matches!(error, ScanError::Io { source, .. } if is_shortage(source)) {
                self.events.reset();
            }
        })?;
        let Some(doubt) = self.place.and_then(|known| known.doubt(place)) else { return Ok(place) };
        self.events.reset();
        if self.index.holds_half_of("", &scan(&self.root, &self.offer, &self.shared)?) {
            info!("the folder is other storage now ({doubt}), and holds the known files");
            return Ok(place);
        }
        Err(ScanError::OtherStorage { path: self.root.display().to_string(), doubt })
    }

    /// Returns whether missing files were removed, and not lost with a folder or a mount point above them. If the folder itself
    /// is gone, that is an error.
    pub(super) fn are_removed(&self, missing: &[String]) -> Result<bool, ScanError> {
        if missing.is_empty() {
            return Ok(true);
        }
        let is_still = |(path, known): (&str, Place)| {
            open_folder(&self.root, Path::new(path)).and_then(Place::of).is_ok_and(|place| place == known)
        };
        Ok(self.place == Some(Place::of_root(&self.root)?)
            && missing.iter().flat_map(|path| self.mounts.above(path)).all(is_still))
    }
}
