//! The source `uploads`, which is the folder of uploaded files. It starts with the first upload, so that nobody who never uploads
//! sees it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Result;
use tokio::sync::OnceCell;
use tributary_config::SourceConfig;
use tributary_format_rules::FormatRules;

use crate::{
    ingest,
    poll::{Context, Poll, PollManager},
    progress::Unobserved,
    reports::Reports,
    source::{LocalSource, Origin},
};

/// The source `uploads`, whether it runs yet or not.
pub(crate) struct UploadSource {
    config: SourceConfig,
    local: Arc<LocalSource>,
    /// Replaced by a reload. Locked only to copy or replace it.
    settings: Mutex<PollSettings>,
    manager: PollManager,
    /// Set once its poll loop runs.
    started: OnceCell<()>,
}

/// The settings that a reload may change.
#[derive(Clone)]
pub(crate) struct PollSettings {
    pub(crate) context: Context,
    pub(crate) poll_interval: Duration,
    pub(crate) formats: FormatRules,
}

impl UploadSource {
    /// The source. `is_polled` says that its loop starts together with those of the configured sources.
    pub(crate) fn new(
        config: SourceConfig,
        local: Arc<LocalSource>,
        settings: PollSettings,
        manager: PollManager,
        is_polled: bool,
    ) -> Self {
        let started = OnceCell::new_with(is_polled.then_some(()));
        Self { config, local, settings: Mutex::new(settings), manager, started }
    }

    /// The reports, which may claim its files.
    pub(super) fn reports(&self) -> Reports {
        self.settings().context.reports
    }

    /// Its configuration, if it runs.
    pub(crate) fn running(&self) -> Option<SourceConfig> {
        self.started.initialized().then(|| self.config())
    }

    fn config(&self) -> SourceConfig {
        SourceConfig { formats: self.settings().formats, ..self.config.clone() }
    }

    /// The formats of its files.
    pub(super) fn formats(&self) -> FormatRules {
        self.settings().formats
    }

    /// The folder.
    pub(crate) fn local(&self) -> &Arc<LocalSource> {
        &self.local
    }

    /// Replaces the settings that it starts with.
    pub(crate) fn replace(&self, settings: PollSettings) {
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
        let start = || async {
            let config = self.config();
            let PollSettings { context, poll_interval, .. } = self.settings();
            let adopted = config.clone();
            let stored = context.writer.run_first(move |store| ingest::adopt_last(store, &adopted)).await?;
            let (origin, progress) = (Origin::Local(Arc::clone(&self.local)), Arc::new(Unobserved));
            self.manager.add(Poll::new(config, origin, stored, context, progress), poll_interval);
            Ok(())
        };
        self.started.get_or_try_init(start).await.copied()
    }
}
