//! State of what one source holds back, between two passes: so that it is not read again each time, and that the loop wakes when it may be
//! applied.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::Utc;
use tokio::sync::Notify;
use tributary_config::Brake;

use crate::ingest::{Held, held_until};

/// Added to the end of a hold, so that it has surely passed when it is looked at.
const MARGIN: Duration = Duration::from_millis(50);

/// The held version of a source.
#[derive(Default)]
pub(super) struct Hold {
    /// The digest of its plan; none if nothing is held, or if it must be read again.
    pub(super) plan: Option<String>,
    /// Time at which it is applied by itself; none if nothing is held, or for ever.
    until: Option<Instant>,
    /// Told once a person has accepted it.
    pub(super) accepted: Arc<Notify>,
}

impl Hold {
    /// Notes how a pass with the plan of this digest ended.
    pub(super) fn note(&mut self, held: Option<&Held>, plan: String, brake: &Brake) {
        self.plan = held.map(|_| plan);
        let until = held.and_then(|held| held_until(&held.row, brake));
        let left = until.map(|until| (until - Utc::now()).to_std().unwrap_or_default());
        self.until = left.map(|left| Instant::now() + left + MARGIN);
    }

    /// Resolves once the version may be applied. Never if nothing is held.
    pub(super) fn released(&self) -> impl Future<Output = ()> + use<> {
        let (accepted, until) = (Arc::clone(&self.accepted), self.until);
        async move {
            let over = async {
                match until {
                    Some(until) => tokio::time::sleep_until(until.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = accepted.notified() => {}
                () = over => {}
            }
        }
    }
}
