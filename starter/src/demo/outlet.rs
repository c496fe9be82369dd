//! The list of the outlet, which loses most of its rows now and then: the master holds such a version until a person accepts it.

use std::time::Duration;

use anyhow::{Context, Result};
use tributary_config::PRODUCTS;
use tributary_store::{DatabaseUrl, Error, Store};

use super::{
    feeds::{OUTLET, OUTLET_ROWS, write_outlet},
    stage::Stage,
};

/// Time for which the list is whole.
const WHOLE_FOR: Duration = Duration::from_secs(8);
/// Time for which it stays short after it was accepted, before it is whole again.
const SHORT_FOR: Duration = Duration::from_secs(60);
/// Interval in which the database is asked whether it was accepted.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Shortens the list, and restores it some time after the short one was applied, until shutdown.
///
/// # Errors
/// The list cannot be written, or the database not be read.
pub(super) async fn shrink_and_grow(stage: Stage) -> Result<()> {
    if !stage.loaded().await {
        return Ok(());
    }
    let [whole, short] = OUTLET_ROWS;
    while stage.pause(WHOLE_FOR).await {
        stage.write(move |folder| write_outlet(folder, short)).await?;
        if !is_applied(&stage, short).await? || !stage.pause(SHORT_FOR).await {
            break;
        }
        stage.write(move |folder| write_outlet(folder, whole)).await?;
    }
    Ok(())
}

/// Waits until the outlet offers this many products. Returns false at a shutdown.
async fn is_applied(stage: &Stage, rows: u64) -> Result<bool> {
    while stage.pause(LOOK_INTERVAL).await {
        let database = stage.database.clone();
        let offers = tokio::task::spawn_blocking(move || offers(&database)).await.context("a task failed")??;
        if u64::try_from(offers).is_ok_and(|offers| offers == rows) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn offers(database: &DatabaseUrl) -> Result<i64, Error> {
    let sources = Store::open_existing(database)?.sources_view(PRODUCTS)?;
    Ok(sources.iter().find(|source| source.name == OUTLET).map_or(0, |source| source.sums.results))
}
