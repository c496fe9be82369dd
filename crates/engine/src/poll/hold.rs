//! State of what one source holds back, between two passes: so that it is not read again each time, and that the loop wakes when it may be
//! applied.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;
use tributary_config::Brake;

use crate::ingest::{Held, HoldWait};

/// Added to the end of a hold, so that it has surely passed when it is looked at.
const MARGIN: Duration = Duration::from_millis(50);

/// The held version of a source.
#[derive(Default)]
pub(super) struct Hold {
    /// The digest of its plan; none if nothing is held, or if it must be read again.
    pub(super) plan: Option<String>,
    /// Its wait; none if nothing is held.
    pub(super) wait: Option<HoldWait>,
    /// Told once a person has accepted it.
    pub(super) accepted: Arc<Notify>,
}

impl Hold {
    /// Notes how a pass with the plan of this digest ended.
    pub(super) fn note(&mut self, held: Option<&Held>, plan: String, brake: &Brake) {
        self.plan = held.map(|_| plan);
        let before = self.wait.take();
        self.wait = held.map(|held| HoldWait::of(&held.row, brake, before));
    }

    /// Resolves once the version may be applied. Never if nothing is held.
    pub(super) fn released(&self) -> impl Future<Output = ()> + use<> {
        let until = self.wait.as_ref().and_then(|wait| wait.until).map(|until| until + MARGIN);
        let accepted = Arc::clone(&self.accepted);
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
