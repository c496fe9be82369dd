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

/// Rows per batch of an export.
const EXPORT_ROWS: i64 = 5_000;
/// Names per batch: where they are not in the order of an index each batch sorts them again, so batches are large.
const EXPORT_NAMES: i64 = 100_000;

/// A page of products in order of sku.
#[derive(Debug)]
pub struct ProductPage {
    /// At most as many as asked for.
    pub products: Vec<ProductView>,
    /// Ask for the products after this sku to get the next page; none on the last page.
    pub next: Option<String>,
}

/// Why an edit was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The engine stops. The edit may or may not have been made.
    #[error("the master is stopping; ask again in a moment whether the edit was made")]
    Stopping,
    /// The database fails; nothing was changed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl Engine {
    /// One page of the products that pass `filter`, after the sku `after`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn products(&self, filter: ProductFilter, after: Option<String>, limit: i64) -> Result<ProductPage> {
        // One more than asked for tells whether there is a next page.
        let read = move |store: &mut Store| Ok(store.products_page(&filter, after.as_deref(), limit + 1)?);
        let mut products = self.read(read).await?;
        let has_more = products.len() as i64 > limit;
        products.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = products.last().filter(|_| has_more).map(|last| last.sku.clone());
        Ok(ProductPage { products, next })
    }

    /// All products that pass `filter`, in order of sku, in batches out of one snapshot.
    ///
    /// # Errors
    /// None before the stream begins; a batch is an error if the database fails.
    pub async fn export_products(&self, filter: ProductFilter) -> Result<Batches<ProductView>> {
        let mut after: Option<String> = None;
        let next = move |store: &mut Store| {
            let rows = store.products_page(&filter, after.as_deref(), EXPORT_ROWS)?;
            after = rows.last().map(|row| row.sku.clone());
            Ok(rows)
        };
        self.0.readers.batches(next).await
    }

    /// Names that contain `part` with their counts, and how many such names there are.
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

    /// All names that contain `part`, in batches out of one snapshot.
    ///
    /// # Errors
    /// As of [`Engine::export_products`].
    pub async fn export_names(&self, part: Option<String>, order: AggrOrder) -> Result<Batches<AggrRow>> {
        let mut offset = 0;
        let next = move |store: &mut Store| {
            let rows = store.aggr_list(part.as_deref(), order, EXPORT_NAMES, offset)?;
            offset += rows.len() as i64;
            Ok(rows)
        };
        self.0.readers.batches(next).await
    }

    /// What is known of a sku: the product if it is shown, every offer, the edit.
    ///
    /// # Errors
    /// The database fails.
    pub async fn product(&self, sku: &str) -> Result<ProductDetail> {
        let sku = sku.to_owned();
        self.read(move |store| detail(store, &sku)).await
    }

    /// Changes the edit of a sku and says whether the product was shown before. With `only_if_shown` an edit of a product that is
    /// not shown is left alone. The change is committed when this returns.
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
