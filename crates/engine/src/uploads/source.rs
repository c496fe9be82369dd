//! The folder of uploads as a source. There is none before the first upload: whoever never uploads anything sees nothing of it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Result;
use tokio::sync::OnceCell;
use tributary_config::SourceConfig;

use crate::{
    ingest,
    poll::{Context, Poll, PollManager},
    progress::Unobserved,
    reports::Reports,
    source::{LocalSource, Origin},
};

/// The source `uploads`, which may yet have to begin.
pub(crate) struct UploadSource {
    config: SourceConfig,
    pub(super) local: Arc<LocalSource>,
    /// Replaced by a reload. Held only to copy or to set it.
    current: Mutex<Current>,
    manager: PollManager,
    /// Set once its loop runs.
    runs: OnceCell<()>,
}

/// What a reload may change.
#[derive(Clone)]
struct Current {
    context: Context,
    poll_interval: Duration,
}

impl UploadSource {
    /// The source; `runs` if its loop was started with the others.
    pub(crate) fn new(
        (config, local): (SourceConfig, Arc<LocalSource>),
        (context, poll_interval): (Context, Duration),
        manager: PollManager,
        runs: bool,
    ) -> Self {
        let current = Mutex::new(Current { context, poll_interval });
        Self { config, local, current, manager, runs: OnceCell::new_with(runs.then_some(())) }
    }

    /// Those that may claim its files.
    pub(super) fn reports(&self) -> Reports {
        self.current().context.reports
    }

    /// Its configuration, if it runs.
    pub(crate) fn running(&self) -> Option<SourceConfig> {
        self.runs.initialized().then(|| self.config.clone())
    }

    /// The folder.
    pub(crate) fn local(&self) -> &Arc<LocalSource> {
        &self.local
    }

    /// Uses another context from now on, if it does not run yet.
    pub(crate) fn replace(&self, context: Context, poll_interval: Duration) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Current { context, poll_interval };
    }

    fn current(&self) -> Current {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Starts it, if it does not run: it becomes the last of the stored sources, and gets a loop.
    ///
    /// # Errors
    /// The database fails; then it can be tried again.
    pub(super) async fn begin(&self) -> Result<()> {
        let begin = || async {
            let config = self.config.clone();
            let Current { context, poll_interval } = self.current();
            let stored = context.writer.run_first(move |store| ingest::adopt_last(store, &config)).await?;
            let (config, origin) = (self.config.clone(), Origin::Local(Arc::clone(&self.local)));
            let progress = Arc::new(Unobserved);
            self.manager.add(Poll::new(config, origin, stored, context, progress), poll_interval);
            Ok(())
        };
        self.runs.get_or_try_init(begin).await.copied()
    }
}
