//! Reads the files of secrets again while a server runs: on SIGHUP, and when one of them changes.

use std::path::PathBuf;

use anyhow::{Context, Result};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::spawn_blocking,
};
use tributary_admission::{Access, Tokens, TokensInForce};

use crate::FileWatch;

/// The files of secrets of a server, and what is in force of them.
#[derive(Debug)]
pub struct Renewal {
    access: Access,
    tokens: Option<TokensInForce>,
}

impl Renewal {
    /// `access` names the files; what they hold is in force already.
    #[must_use]
    pub fn new(access: Access, tokens: Option<TokensInForce>) -> Self {
        Self { access, tokens }
    }

    /// Renews what is in force until it is dropped. Without files it waits for ever, and leaves SIGHUP as it is.
    ///
    /// # Errors
    /// The system gives no signals.
    pub async fn follow(self) -> Result<()> {
        let files = self.files();
        if files.is_empty() {
            return std::future::pending().await;
        }
        let mut hangup = signal(SignalKind::hangup()).context("failed to wait for SIGHUP")?;
        let mut watch = FileWatch::new(files);
        loop {
            tokio::select! {
                _ = hangup.recv() => {}
                () = watch.changed() => {}
            }
            self.renew_tokens().await;
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        self.access.token_file.iter().cloned().collect()
    }

    async fn renew_tokens(&self) {
        let (Some(path), Some(in_force)) = (self.access.token_file.clone(), &self.tokens) else { return };
        let shown = path.display().to_string();
        match spawn_blocking(move || Tokens::read(&path)).await {
            Ok(Ok(tokens)) => {
                tracing::info!(file = %shown, tokens = tokens.count(), "the tokens of {shown} are in force");
                in_force.replace(tokens);
            }
            Ok(Err(error)) => tracing::error!("the old tokens stay in force: {:#}", anyhow::Error::from(error)),
            Err(_) => tracing::error!("the old tokens stay in force: reading them broke off"),
        }
    }
}
