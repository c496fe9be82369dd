//! `master --accept NAME`: accepts what a source holds. A running master is told over HTTP, because it alone writes the database.

use std::{
    io::{self, Write},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, Url};
use tributary_admission::{Role, Token, read_client_token};
use tributary_config::Config;
use tributary_engine::{ACCEPT_COMMAND, AcceptError, Acceptance, accept_held, lock_holder};
use tributary_http_client::{ClientOptions, Endpoint, Error, expect_success};
use tributary_http_common::scheme;
use tributary_tls::{PairInForce, Trust};

/// Time limit of the request.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Advice if the running master cannot be asked.
const ADVICE: &str = "accept on its page, or say with `--listen` where it listens";

/// Accepts what each of the sources named in `config.accept` holds, and says what follows. Ends at the first that holds nothing.
///
/// # Errors
/// Nothing is held; the database fails; a master runs and cannot be reached at the configured address.
pub async fn accept(config: Config) -> Result<()> {
    for name in &config.accept {
        let (offline, of) = (config.clone(), name.clone());
        let accepted = tokio::task::spawn_blocking(move || accept_held(&offline, &of)).await?;
        let then = match accepted {
            Ok(Acceptance::Noted) => "the next pass applies it".to_owned(),
            Ok(Acceptance::Dropped { removed }) => {
                format!("it is no longer configured, so its rows were deleted, and {removed} products with them")
            }
            Err(AcceptError::Failed(error)) if lock_holder(&error).is_some() => {
                tell_running(&config, name, &error).await?;
                "the running master applies it".to_owned()
            }
            Err(error) => return Err(error.into()),
        };
        writeln!(io::stdout(), "accepted what {name} held; {then}").context("failed to write the result")?;
    }
    Ok(())
}

/// Asks the master that runs at the configured address. `locked` says that it has the database.
async fn tell_running(config: &Config, name: &str, locked: &anyhow::Error) -> Result<()> {
    let (host, port) = config.listen.rsplit_once(':').unwrap_or((&config.listen, "80"));
    if port == "0" {
        bail!("{locked:#}, or {ADVICE}: the configuration does not say on which port it listens");
    }
    let host = if matches!(host, "0.0.0.0" | "[::]" | "") { "127.0.0.1" } else { host };
    let pair = PairInForce::read(&config.tls)?;
    let base = Url::parse(&format!("{}://{host}:{port}/", scheme(pair.is_some())))
        .context("the address of the running master")?;
    let token = config.access.token_file.as_deref().map(|file| read_client_token(file, Role::Admin)).transpose()?;
    let endpoint = Endpoint::new(base, None);
    let options = ClientOptions {
        user_agent: concat!("tributary-master/", env!("CARGO_PKG_VERSION")),
        idle_timeout: Some(TIMEOUT),
        decompress: false,
    };
    // The running master has this very certificate, whatever name that is for.
    let pin = pair.and_then(|pair| pair.pin());
    let client = options.build_trusting(&pin.map(Trust::pinned).unwrap_or_default())?;
    let path = format!("api/v1/sources/{}/accept", utf8_percent_encode(name, NON_ALPHANUMERIC));
    // The token is that of any admin in the file, who need not be the person at the command line.
    let request = endpoint.request(&client, Method::POST, &path);
    let request = request.basic_auth(ACCEPT_COMMAND, token.as_ref().map(Token::expose));
    match expect_success(request.send().await).await {
        Ok(_) => Ok(()),
        // The master has answered, so its lock, and the advice that comes with it, do not matter.
        Err(Error::Status { detail: Some(detail), .. }) => bail!("{detail}"),
        Err(error) => Err(error).with_context(|| format!("{locked:#}, or {ADVICE}")),
    }
}
