//! Sends a file through the API, as any program may.

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::Method;
use tributary_admission::{Role, read_client_token};
use tributary_http_client::{ClientOptions, Endpoint, expect_success, master_url};

use super::{print_line, stage::Stage};
use crate::cli::DemoArgs;

/// Path and query of the upload. A demo in the same folder replaces the file of an earlier one.
const PATH: &str = "api/v1/uploads?filename=gift-cards.csv&replace=1";
const FILE: &str = "sku,name,description,price\n\
                    gift-10,Gift card,uploaded by the demo,10.00\n\
                    gift-25,Gift card,uploaded by the demo,25.00\n\
                    gift-50,Gift card,uploaded by the demo,50.00\n";

/// Uploads a file of three products once all feeds are applied.
///
/// # Errors
/// The master does not take it.
pub(super) async fn upload(stage: Stage, args: &DemoArgs, master: &str) -> Result<()> {
    if !stage.loaded().await {
        return Ok(());
    }
    let options =
        ClientOptions { user_agent: "tributary-demo", idle_timeout: Some(Duration::from_secs(30)), decompress: false };
    let token = args.access.token_file.as_deref().map(|file| read_client_token(file, Role::Upload)).transpose()?;
    let endpoint = Endpoint::new(master_url(master).map_err(anyhow::Error::msg)?, token);
    let request = endpoint.request(&options.build()?, Method::POST, PATH).body(FILE);
    let sent = async { expect_success(request.send().await).await };
    tokio::select! {
        () = stage.shutdown.cancelled() => {}
        sent = sent => {
            sent.context("failed to upload a file to the demo's own master")?;
            print_line("The demo has sent gift-cards.csv through the API");
        }
    }
    // The other parts go on.
    stage.shutdown.cancelled().await;
    Ok(())
}
