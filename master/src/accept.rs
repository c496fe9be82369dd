//! `master --accept NAME`: accepts what a source holds. A running master is told over HTTP, because it alone writes the database.

use std::{
    io::{self, Write},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, Url};
use tributary_config::Config;
use tributary_engine::{AcceptError, accept_held, is_locked};
use tributary_http_client::{ClientOptions, Endpoint, Error, expect_success};

/// Time limit of the request.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Accepts what the sources named in `config.accept` hold, and says what follows.
///
/// # Errors
/// Nothing is held; the database fails; a master runs and cannot be reached at the configured address.
pub async fn accept(config: Config) -> Result<()> {
    let (offline, names) = (config.clone(), config.accept.clone());
    let accepted = tokio::task::spawn_blocking(move || accept_held(&offline, &offline.accept)).await?;
    let then = match accepted {
        Ok(()) => "the next pass applies it",
        Err(AcceptError::Failed(error)) if is_locked(&error) => {
            tell_running(&config).await.with_context(|| format!("{error:#}"))?;
            "the running master applies it"
        }
        Err(error) => return Err(error.into()),
    };
    writeln!(io::stdout(), "accepted what {} held; {then}", names.join(", ")).context("failed to write the result")
}

/// Asks the master that runs at the configured address.
async fn tell_running(config: &Config) -> Result<()> {
    let (host, port) = config.listen.rsplit_once(':').unwrap_or((&config.listen, "80"));
    if port == "0" {
        bail!("it listens on a port that the configuration does not know; accept it on its page");
    }
    let host = if matches!(host, "0.0.0.0" | "[::]" | "") { "127.0.0.1" } else { host };
    let base = Url::parse(&format!("http://{host}:{port}/")).context("the address of the running master")?;
    let endpoint = Endpoint::new(base, config.access.token()?);
    let options = ClientOptions {
        user_agent: concat!("tributary-master/", env!("CARGO_PKG_VERSION")),
        idle_timeout: Some(TIMEOUT),
        decompress: false,
    };
    let client = options.build()?;
    for name in &config.accept {
        let path = format!("api/v1/sources/{}/accept", utf8_percent_encode(name, NON_ALPHANUMERIC));
        match expect_success(endpoint.request(&client, Method::POST, &path).send().await).await {
            Ok(_) => {}
            Err(Error::Status { detail: Some(detail), .. }) => bail!("{detail}"),
            Err(error) => return Err(error).context("failed to ask the running master; accept it on its page"),
        }
    }
    Ok(())
}
