//! A person accepts what is held.

use anyhow::Result;
use tributary_config::Config;
use tributary_store::{Error as StoreError, HeldVersionRow, Lock, Store};

use super::Engine;
use crate::{
    clock::now,
    database::events::{self, AcceptedVersion, Event},
    ingest,
};

/// The name of the command line as the one that accepts what is held.
pub const ACCEPT_COMMAND: &str = "master --accept";

/// Result of an acceptance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// The next pass applies the held version.
    Noted,
    /// The source is no longer configured: its rows were deleted.
    Dropped {
        /// Products that are no longer shown.
        removed: u64,
    },
}

/// Why nothing was accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// There is no such source.
    #[error("there is no source `{0}`")]
    NoSource(String),
    /// The source holds nothing.
    #[error("nothing of the source `{0}` is held")]
    NothingHeld(String),
    /// A version of the source is held, but the source is no longer configured.
    #[error(
        "the source `{0}` is not configured: configure it again, or let its rows go with `master --drop-sources {0}`"
    )]
    NotConfigured(String),
    /// Something else is held by now than what was accepted.
    #[error("the source `{0}` holds another version by now; look at it again")]
    Changed(String),
    /// The database fails.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl Engine {
    /// Accepts what a source holds: its version is applied by a pass that begins at once; a source that is no longer configured goes
    /// with all its rows. `digest` names what is accepted; `None`: whatever is held. `by` is who accepts it, if that is known.
    ///
    /// # Errors
    /// Nothing is held, or something else; the database fails.
    pub async fn accept_held(&self, name: &str, digest: Option<String>, by: Option<String>) -> Result<(), AcceptError> {
        // A reload must not configure the source again meanwhile.
        let current = self.0.current.lock().await;
        let is_configured = current.config.sources.iter().any(|source| source.name == name);
        let what = Accepted { name: name.to_owned(), digest, by: by.clone(), is_configured };
        let accept = move |store: &mut Store| match accept(store, &what) {
            Err(AcceptError::Failed(error)) => Err(error),
            other => Ok(other),
        };
        self.0.writer.run(format!("the acceptance of {name}"), accept).await??;
        let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
        tracing::info!(source.id = %name, "what `{name}` held was accepted{by}");
        self.0.loops.release(name);
        Ok(())
    }
}

/// Accepts what a source holds, in a database that no master has open. The next pass applies it; a source that is no longer configured
/// goes at once.
///
/// # Errors
/// Another process holds the database, or it fails; nothing is held.
pub fn accept_held(config: &Config, name: &str) -> Result<Acceptance, AcceptError> {
    let failed = |error: StoreError| AcceptError::Failed(error.into());
    let lock = Lock::acquire(&config.database, ACCEPT_COMMAND).map_err(failed)?;
    let mut store = lock.open_store().map_err(failed)?;
    let is_configured = config.sources.iter().any(|source| source.name == name);
    let by = Some(ACCEPT_COMMAND.to_owned());
    accept(&mut store, &Accepted { name: name.to_owned(), digest: None, by, is_configured })
}

/// An acceptance.
struct Accepted {
    /// The source.
    name: String,
    /// The version; `None`: whatever is held.
    digest: Option<String>,
    by: Option<String>,
    /// Whether the source is configured.
    is_configured: bool,
}

/// The process that has the database, if an error says that another one has: its program, its number and since when.
#[must_use]
pub fn lock_holder(error: &anyhow::Error) -> Option<&str> {
    match error.downcast_ref() {
        Some(StoreError::Locked { holder, .. }) => Some(holder),
        _ => None,
    }
}

fn accept(store: &mut Store, what: &Accepted) -> Result<Acceptance, AcceptError> {
    let Accepted { name, digest, by, is_configured } = what;
    let accepted: Result<_> = store.transaction(|store| {
        let Some(source) = store.sources()?.into_iter().find(|source| source.name == *name) else {
            return Ok(Err(AcceptError::NoSource(name.clone())));
        };
        // Who names what is accepted may say so again, because the answer was lost or the button was pressed twice.
        let is_open = |held: &HeldVersionRow| !held.accepted || digest.is_some();
        let Some(held) = store.held_version(source.id)?.filter(is_open) else {
            return Ok(Err(AcceptError::NothingHeld(name.clone())));
        };
        if digest.as_ref().is_some_and(|digest| *digest != held.digest) {
            return Ok(Err(AcceptError::Changed(name.clone())));
        }
        match (*is_configured, ingest::is_of_gone_source(&held)) {
            (true, false) => {
                if !held.accepted {
                    store.accept_held_version(source.id, by.as_deref(), &now())?;
                    note(store, what, &held)?;
                }
                Ok(Ok(Acceptance::Noted))
            }
            (false, true) => {
                note(store, what, &held)?;
                let removed = ingest::drop_source(store, source)?.removed;
                Ok(Ok(Acceptance::Dropped { removed }))
            }
            (false, false) => Ok(Err(AcceptError::NotConfigured(name.clone()))),
            // It is configured again, which the next start sees.
            (true, true) => Ok(Err(AcceptError::NothingHeld(name.clone()))),
        }
    });
    accepted?
}

/// Stores who let a version pass: its row goes with the pass that applies it.
fn note(store: &mut Store, what: &Accepted, held: &HeldVersionRow) -> Result<()> {
    let accepted = AcceptedVersion { source: what.name.clone(), removes: held.removes, by: what.by.clone() };
    events::put(store, &Event::Accepted(accepted))
}
