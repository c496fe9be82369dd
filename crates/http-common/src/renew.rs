//! Reads the files of secrets again while a server runs: on SIGHUP, and when one of them changes.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::spawn_blocking,
};
use tributary_admission::{Access, Tokens, TokensInForce};
use tributary_tls::PairInForce;

use crate::FileWatch;

/// Interval in which a person is warned of what stays as it is.
const WARN_INTERVAL: Duration = Duration::from_secs(86_400);

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
        let mut days = tokio::time::interval(WARN_INTERVAL);
        loop {
            tokio::select! {
                _ = days.tick() => {}
                _ = hangup.recv() => self.renew().await,
                () = watch.changed() => self.renew().await,
            }
            self.warn().await;
        }
    }

    /// Logs what keeps nobody from serving, but a person should know.
    async fn warn(&self) {
        let key = self.pair.iter().map(|pair| pair.files()[1].to_owned());
        let mut secrets: Vec<PathBuf> = self.access.token_file.iter().cloned().chain(key).collect();
        let looked_at = spawn_blocking(move || {
            secrets.retain(|file| is_open_to_all(file));
            secrets
        });
        for file in looked_at.await.unwrap_or_default() {
            let shown = file.display();
            tracing::warn!(file = %shown, "every user of this machine can read {shown}; take that away with `chmod o-r {shown}`");
        }
        if let Some(fault) = self.pair.as_ref().and_then(|pair| pair.date_fault(SystemTime::now())) {
            tracing::warn!("{fault}");
        }
    }

    async fn renew(&self) {
        self.renew_tokens().await;
        self.renew_pair().await;
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

/// Whether every user of this machine can read a file: its mode and the folders above it allow that.
#[cfg(unix)]
fn is_open_to_all(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let allows = |path: &Path, bit: u32| fs::metadata(path).is_ok_and(|found| found.permissions().mode() & bit != 0);
    let Ok(file) = fs::canonicalize(file) else { return false };
    allows(&file, 0o004) && file.ancestors().skip(1).all(|folder| allows(folder, 0o001))
}

#[cfg(not(unix))]
fn is_open_to_all(_: &Path) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_open_if_its_folders_are_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        fs::write(&file, "t").unwrap();
        let check = |of_folder: u32, of_file: u32, expect: bool| {
            for (path, mode) in [(folder.path(), of_folder), (&file, of_file)] {
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            }
            assert_eq!(is_open_to_all(&file), expect, "{of_folder:o} {of_file:o}");
        };
        check(0o755, 0o644, true);
        check(0o755, 0o640, false);
        check(0o700, 0o644, false);
        assert!(!is_open_to_all(&folder.path().join("none")));
    }
}
