//! One product and its edits.

use anyhow::Result;
use tokio::sync::Semaphore;

use super::Engine;
use crate::{
    database::Busy,
    edits::{self, CannotUndo, EditRequest, EditTerms, Stale},
    ingest::NoColumn,
    views::{ProductChange, ProductDetail, detail, product_history},
};

/// Edits that may wait until they are written, which a large version delays. Further ones are refused.
const MAX_WAITING_EDITS: usize = 256;

static WAITING: Semaphore = Semaphore::const_new(MAX_WAITING_EDITS);

/// An error of [`Engine::change_edit`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// It names a column that the catalog does not have; nothing was changed.
    #[error(transparent)]
    NoColumn(NoColumn),
    /// The product is not as expected, but as this; nothing was changed.
    #[error("the product has changed meanwhile, so nothing was saved")]
    Stale(Box<ProductDetail>),
    /// There is nothing to undo; nothing was changed.
    #[error(transparent)]
    CannotUndo(CannotUndo),
    /// The engine is stopping. The edit may have been made or not.
    #[error("the master is stopping; check in a moment whether the edit was made")]
    Stopping,
    /// The database failed, or too many others wait ([`Busy`]); nothing was changed.
    #[error(transparent)]
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for EditError {
    fn from(error: anyhow::Error) -> Self {
        let error = match error.downcast::<NoColumn>() {
            Ok(error) => return Self::NoColumn(error),
            Err(other) => other,
        };
        let error = match error.downcast::<CannotUndo>() {
            Ok(error) => return Self::CannotUndo(error),
            Err(other) => other,
        };
        error.downcast().map_or_else(Self::Failed, |Stale(detail)| Self::Stale(detail))
    }
}

impl Engine {
    /// One sku in detail: the product if it is shown, every offer, and the edit.
    ///
    /// # Errors
    /// The database fails.
    pub async fn product(&self, sku: &str) -> Result<ProductDetail> {
        let sku = sku.to_owned();
        self.read(move |store| detail(store, &sku)).await
    }

    /// One sku in detail, and at most `limit` of its changes, as of one moment.
    ///
    /// # Errors
    /// The database fails.
    pub async fn product_and_history(&self, sku: &str, limit: i64) -> Result<(ProductDetail, Vec<ProductChange>)> {
        let sku = sku.to_owned();
        self.read(move |store| Ok((detail(store, &sku)?, product_history(store, &sku, limit)?))).await
    }

    /// At most `limit` changes of a product, the newest first; fewer if their texts take more than 4 MiB.
    ///
    /// # Errors
    /// The database fails.
    pub async fn product_history(&self, sku: &str, limit: i64) -> Result<Vec<ProductChange>> {
        let sku = sku.to_owned();
        self.read(move |store| product_history(store, &sku, limit)).await
    }

    /// Changes the edit of a sku on these terms, and returns whether the product was shown before. The change is committed when this
    /// returns.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn change_edit(&self, sku: &str, change: EditRequest, terms: EditTerms) -> Result<bool, EditError> {
        let _place = WAITING.try_acquire().map_err(|_| anyhow::Error::from(Busy))?;
        let sku = sku.to_owned();
        let written = self.0.writer.run_first(move |store| edits::change(store, &sku, change, terms));
        tokio::select! {
            biased;
            written = written => Ok(written?),
            () = self.0.shutdown.cancelled() => Err(EditError::Stopping),
        }
    }
}
