//! Reads the files of secrets again while a server runs: on SIGHUP, and when one of them changes.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::spawn_blocking,
};
use tributary_admission::{Access, Tokens, TokensInForce};
use tributary_tls::PairInForce;

use crate::FileWatch;

/// The files of secrets of a server, and what is in force of them.
#[derive(Debug)]
pub struct Renewal {
    access: Access,
    tokens: Option<TokensInForce>,
    pair: Option<PairInForce>,
}

impl Renewal {
    /// `access` names the files; what they hold is in force already.
    #[must_use]
    pub fn new(access: Access, tokens: Option<TokensInForce>, pair: Option<PairInForce>) -> Self {
        Self { access, tokens, pair }
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
            self.renew_pair().await;
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        let pair = self.pair.iter().flat_map(PairInForce::files).map(Path::to_owned);
        self.access.token_file.iter().cloned().chain(pair).collect()
    }

    async fn renew_pair(&self) {
        let Some(pair) = self.pair.clone() else { return };
        let shown = pair.files()[0].display().to_string();
        match spawn_blocking(move || pair.renew()).await {
            Ok(Ok(())) => tracing::info!(file = %shown, "the certificate of {shown} is in force"),
            Ok(Err(error)) => tracing::error!("the old certificate stays in force: {:#}", anyhow::Error::from(error)),
            Err(_) => tracing::error!("the old certificate stays in force: reading the new one broke off"),
        }
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
