//! Products, names and edits.

use anyhow::Result;
use tributary_merge::EditChange;
use tributary_store::{AggrOrder, AggrRow, ProductFilter, ProductView, Store};

use super::Engine;
use crate::{
    database::Batches,
    edits,
    views::{ProductDetail, detail},
};

/// Products in a batch of an export.
const PRODUCTS_PER_BATCH: i64 = 5_000;
/// Names in a batch of an export. Without an index for their order, each batch sorts them all again, so batches are large.
const NAMES_PER_BATCH: i64 = 100_000;

/// A page of products, by sku.
#[derive(Debug)]
pub struct ProductPage {
    /// The products, at most as many as requested.
    pub products: Vec<ProductView>,
    /// The next page comes after this sku; `None` on the last page.
    pub next: Option<String>,
}

/// An error of [`Engine::change_edit`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The engine is stopping. The edit may have been made or not.
    #[error("the master is stopping; check in a moment whether the edit was made")]
    Stopping,
    /// The database failed; nothing was changed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl Engine {
    /// One page of the products that pass `filter`, after the sku `after`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn products(&self, filter: ProductFilter, after: Option<String>, limit: i64) -> Result<ProductPage> {
        // One more than requested shows whether there is a next page.
        let read = move |store: &mut Store| Ok(store.products_page(&filter, after.as_deref(), limit + 1)?);
        let mut products = self.read(read).await?;
        let has_more = products.len() as i64 > limit;
        products.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = products.last().filter(|_| has_more).map(|last| last.sku.clone());
        Ok(ProductPage { products, next })
    }

    /// At most `limit` products that pass `filter` and come after the sku `after`, by sku, in batches from one snapshot.
    ///
    /// # Errors
    /// None in practice; a failure of the database is an item of the stream.
    pub async fn export_products(
        &self,
        filter: ProductFilter,
        mut after: Option<String>,
        mut limit: i64,
    ) -> Result<Batches<ProductView>> {
        let next = move |store: &mut Store| {
            let rows = store.products_page(&filter, after.as_deref(), limit.min(PRODUCTS_PER_BATCH))?;
            after = rows.last().map(|row| row.sku.clone());
            limit -= rows.len() as i64;
            Ok(rows)
        };
        self.0.readers.batches(next).await
    }

    /// Names that contain `part`, with their counts, and the number of all such names.
    ///
    /// # Errors
    /// The database fails.
    pub async fn names(
        &self,
        part: Option<String>,
        order: AggrOrder,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<AggrRow>, i64)> {
        let read = move |store: &mut Store| {
            let rows = store.aggr_list(part.as_deref(), order, limit, offset)?;
            Ok((rows, store.aggr_matches(part.as_deref())?))
        };
        self.read(read).await
    }

    /// At most `limit` names that contain `part`, after skipping `offset`, in batches from one snapshot.
    ///
    /// # Errors
    /// As [`Engine::export_products`].
    pub async fn export_names(
        &self,
        part: Option<String>,
        order: AggrOrder,
        mut limit: i64,
        mut offset: i64,
    ) -> Result<Batches<AggrRow>> {
        let next = move |store: &mut Store| {
            let rows = store.aggr_list(part.as_deref(), order, limit.min(NAMES_PER_BATCH), offset)?;
            offset += rows.len() as i64;
            limit -= rows.len() as i64;
            Ok(rows)
        };
        self.0.readers.batches(next).await
    }

    /// One sku in detail: the product if it is shown, every offer, and the edit.
    ///
    /// # Errors
    /// The database fails.
    pub async fn product(&self, sku: &str) -> Result<ProductDetail> {
        let sku = sku.to_owned();
        self.read(move |store| detail(store, &sku)).await
    }

    /// Changes the edit of a sku, and returns whether the product was shown before. With `only_if_shown`, nothing changes if it was
    /// not. The change is committed when this returns.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn change_edit(&self, sku: &str, change: EditChange, only_if_shown: bool) -> Result<bool, EditError> {
        let sku = sku.to_owned();
        let written = self.0.writer.run_first(move |store| edits::change(store, &sku, change, only_if_shown));
        tokio::select! {
            biased;
            written = written => Ok(written?),
            () = self.0.shutdown.cancelled() => Err(EditError::Stopping),
        }
    }
}
