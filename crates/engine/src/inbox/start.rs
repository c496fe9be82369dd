//! The source `uploads`, which holds the documents. It starts with the first document, so that nobody who never uploads
//! sees it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Result;
use tokio::sync::{MutexGuard, OnceCell};
use tributary_config::SourceConfig;
use tributary_csv_gate::Columns;
use tributary_format_rules::FormatRules;

use crate::{
    documents::Documents,
    ingest,
    poll::{Context, Poll, PollManager},
    progress::Unobserved,
    source::Origin,
};

/// The source `uploads`, whether it runs yet or not.
pub(crate) struct DocumentSource {
    config: SourceConfig,
    documents: Documents,
    /// Replaced by a reload. Locked only to copy or replace it.
    settings: Mutex<PollSettings>,
    manager: PollManager,
    /// Set once its poll loop runs.
    started: OnceCell<()>,
    /// Held while it starts, and while a reload adopts the sources: it would drop one that is starting.
    turn: tokio::sync::Mutex<()>,
}

/// The settings that a reload may change.
#[derive(Clone)]
pub(crate) struct PollSettings {
    pub(crate) context: Context,
    pub(crate) poll_interval: Duration,
    pub(crate) formats: FormatRules,
    pub(crate) columns: Columns,
}

impl DocumentSource {
    /// The source. `is_polled` says that its loop starts together with those of the configured sources.
    pub(crate) fn new(
        config: SourceConfig,
        documents: Documents,
        settings: PollSettings,
        manager: PollManager,
        is_polled: bool,
    ) -> Self {
        let started = OnceCell::new_with(is_polled.then_some(()));
        Self { config, documents, settings: Mutex::new(settings), manager, started, turn: Default::default() }
    }

    /// Its configuration, if it runs.
    pub(crate) fn running(&self) -> Option<SourceConfig> {
        self.started.initialized().then(|| self.config())
    }

    fn config(&self) -> SourceConfig {
        let PollSettings { formats, columns, .. } = self.settings();
        SourceConfig { formats, columns, ..self.config.clone() }
    }

    /// Keeps it from starting until the result is dropped.
    pub(crate) async fn hold(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// The formats of its files.
    pub(super) fn formats(&self) -> FormatRules {
        self.settings().formats
    }

    /// The documents.
    pub(crate) fn documents(&self) -> &Documents {
        &self.documents
    }

    /// Replaces the settings that it starts with.
    pub(crate) fn replace(&self, settings: PollSettings) {
        self.documents.set_reports(settings.context.reports.clone());
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    fn settings(&self) -> PollSettings {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Starts the source unless it runs: stores it after all others, and starts its poll loop.
    ///
    /// # Errors
    /// The database fails. Then the call can be repeated.
    pub(super) async fn start(&self) -> Result<()> {
        if self.started.initialized() {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        let start = || async {
            let config = self.config();
            let PollSettings { context, poll_interval, .. } = self.settings();
            let adopted = config.clone();
            let stored = context.writer.run_first(move |store| ingest::adopt_last(store, &adopted)).await?;
            let (origin, progress) = (Origin::Documents(self.documents.clone()), Arc::new(Unobserved));
            self.manager.add(Poll::new(config, origin, stored, context, progress), poll_interval);
            Ok(())
        };
        self.started.get_or_try_init(start).await.copied()
    }
}
