//! A person accepts what is held.

use anyhow::Result;
use tributary_config::Config;
use tributary_store::{Error as StoreError, HeldVersionRow, Lock, Store};

use super::Engine;
use crate::ingest;

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
    /// with all its rows. `digest` names what is accepted; `None`: whatever is held.
    ///
    /// # Errors
    /// Nothing is held, or something else; the database fails.
    pub async fn accept_held(&self, name: &str, digest: Option<String>) -> Result<(), AcceptError> {
        // A reload must not configure the source again meanwhile.
        let current = self.0.current.lock().await;
        let is_configured = current.config.sources.iter().any(|source| source.name == name);
        let accepted = name.to_owned();
        let accept = move |store: &mut Store| match accept(store, &accepted, digest.as_deref(), is_configured) {
            Err(AcceptError::Failed(error)) => Err(error),
            other => Ok(other),
        };
        self.0.writer.run(format!("the acceptance of {name}"), accept).await??;
        tracing::info!(source.id = %name, "what `{name}` held was accepted");
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
    let _lock = Lock::acquire(&config.database, "master --accept").map_err(failed)?;
    let mut store = Store::open(&config.database).map_err(failed)?;
    let is_configured = config.sources.iter().any(|source| source.name == name);
    accept(&mut store, name, None, is_configured)
}

/// Whether an error says that another process has the database.
#[must_use]
pub fn is_locked(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(StoreError::Locked { .. }))
}

fn accept(store: &mut Store, name: &str, digest: Option<&str>, is_configured: bool) -> Result<Acceptance, AcceptError> {
    let accepted: Result<_> = store.transaction(|store| {
        let Some(source) = store.sources()?.into_iter().find(|source| source.name == name) else {
            return Ok(Err(AcceptError::NoSource(name.to_owned())));
        };
        // Who names what is accepted may say so again, because the answer was lost or the button was pressed twice.
        let is_open = |held: &HeldVersionRow| !held.accepted || digest.is_some();
        let Some(held) = store.held_version(source.id)?.filter(is_open) else {
            return Ok(Err(AcceptError::NothingHeld(name.to_owned())));
        };
        if digest.is_some_and(|digest| digest != held.digest) {
            return Ok(Err(AcceptError::Changed(name.to_owned())));
        }
        match (is_configured, ingest::is_of_gone_source(&held)) {
            (true, false) => {
                store.accept_held_version(source.id)?;
                Ok(Ok(Acceptance::Noted))
            }
            (false, true) => {
                let removed = ingest::drop_source(store, source)?.removed;
                Ok(Ok(Acceptance::Dropped { removed }))
            }
            (false, false) => Ok(Err(AcceptError::NotConfigured(name.to_owned()))),
            // It is configured again, which the next start sees.
            (true, true) => Ok(Err(AcceptError::NothingHeld(name.to_owned()))),
        }
    });
    accepted?
}
