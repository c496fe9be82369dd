//! The folder of uploads as a source. There is none before the first upload: whoever never uploads anything sees nothing of it.

use std::sync::Arc;

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
    context: Context,
    manager: PollManager,
    /// Set once its loop runs.
    runs: OnceCell<()>,
}

impl UploadSource {
    /// The source; `runs` if its loop was started with the others.
    pub(crate) fn new(
        (config, local): (SourceConfig, Arc<LocalSource>),
        context: Context,
        manager: PollManager,
        runs: bool,
    ) -> Self {
        Self { config, local, context, manager, runs: OnceCell::new_with(runs.then_some(())) }
    }

    /// Those that may claim its files.
    pub(super) fn reports(&self) -> &Reports {
        &self.context.reports
    }

    /// Starts it, if it does not run: it becomes the last of the stored sources, and gets a loop.
    ///
    /// # Errors
    /// The database fails; then it can be tried again.
    pub(super) async fn begin(&self) -> Result<()> {
        let begin = || async {
            let config = self.config.clone();
            let stored = self.context.writer.run_first(move |store| ingest::adopt_last(store, &config)).await?;
            let (config, origin) = (self.config.clone(), Origin::Local(Arc::clone(&self.local)));
            let progress = Arc::new(Unobserved);
            self.manager.add(Poll::new(config, origin, stored, self.context.clone(), progress));
            Ok(())
        };
        self.runs.get_or_try_init(begin).await.copied()
    }
}
