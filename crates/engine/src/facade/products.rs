//! Products, names and edits.

use anyhow::Result;
use tributary_store::{AggrOrder, AggrRow, ProductFilter, ProductOrder, ProductPlace, Store};

use super::Engine;
use crate::{
    database::Batches,
    edits::{self, CannotUndo, EditRequest, EditTerms, Stale},
    ingest::{Catalog, NoColumn},
    views::{Product, ProductChange, ProductDetail, ProductViews, detail, product_history},
};

/// Products in a batch of an export.
const PRODUCTS_PER_BATCH: i64 = 5_000;
/// Names in a batch of an export. Without an index for their order, each batch sorts them all again, so batches are large.
const NAMES_PER_BATCH: i64 = 100_000;

/// Which products, and in which order.
#[derive(Debug, Clone, Default)]
pub struct ProductQuery {
    /// Which products.
    pub filter: ProductFilter,
    /// In which order; by sku by default.
    pub order: Option<ProductOrder>,
    /// Those behind this place: `next` of a page in the same order. By sku it is a sku.
    pub after: Option<String>,
}

/// A page of products.
#[derive(Debug)]
pub struct ProductPage {
    /// The names of the own columns, in the order in which they are shown.
    pub own: Vec<String>,
    /// The products, at most as many as requested.
    pub products: Vec<Product>,
    /// The next page comes after this place; `None` on the last page.
    pub next: Option<String>,
}

/// An error of a list of products.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// The query names a column that the catalog does not have.
    #[error(transparent)]
    NoColumn(#[from] NoColumn),
    /// `after` is no place of this order.
    #[error("`after` must be `next` of a page in the same order")]
    NoPlace,
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl ProductQuery {
    /// Refuses columns that the catalog does not have, and a place that is none.
    fn check(self, catalog: &Catalog) -> Result<Checked, ListError> {
        let Self { filter, order, after } = self;
        let order = order.unwrap_or_else(|| ProductOrder { column: "sku".to_owned(), descending: false });
        for column in filter.columns.iter().map(|filter| &filter.column).chain([&order.column]) {
            catalog.check_shown(column)?;
        }
        let place = |after: String| match order.column.as_str() {
            "sku" => Ok((None, after)),
            _ => serde_json::from_str(&after)
                .map(|(text, sku): (Option<String>, String)| (text, sku))
                .map_err(|_| ListError::NoPlace),
        };
        let after = after.map(place).transpose()?;
        Ok(Checked { filter, order, after, views: ProductViews::new(catalog) })
    }
}

/// A query without mistakes.
struct Checked {
    filter: ProductFilter,
    order: ProductOrder,
    /// The text in the column of the order, and the sku. A text that is too long for a URL is looked up.
    after: Option<(Option<String>, String)>,
    views: ProductViews,
}

/// The longest text in a place, in bytes: places stand in URLs.
const MAX_PLACE_BYTES: usize = 1_000;

impl Checked {
    /// At most `limit` products from where it stands; it stands behind them then.
    fn read(&mut self, store: &mut Store, limit: i64) -> Result<Vec<Product>> {
        let after = match self.after.take() {
            None => None,
            Some((text, sku)) => {
                let text = match text {
                    Some(text) => text,
                    None if self.order.column == "sku" => String::new(),
                    None => self.looked_up(store, &sku)?,
                };
                Some(ProductPlace { text, sku })
            }
        };
        let rows = store.products_in_order(&self.filter, &self.order, after.as_ref(), limit)?;
        let products = rows.into_iter().map(|row| self.views.product(row)).collect::<Result<Vec<_>>>()?;
        self.after = products.last().map(|last| (Some(self.text(last).to_owned()), last.sku.clone()));
        Ok(products)
    }

    fn looked_up(&self, store: &mut Store, sku: &str) -> Result<String> {
        let filter = ProductFilter { sku: Some(sku.to_owned()), ..ProductFilter::default() };
        let row = store.products_page(&filter, None, 1)?.pop().ok_or(ListError::NoPlace)?;
        Ok(self.text(&self.views.product(row)?).to_owned())
    }

    /// A product's text in the column of the order.
    fn text<'p>(&self, product: &'p Product) -> &'p str {
        match self.order.column.as_str() {
            "sku" => "",
            "name" => &product.name,
            "description" => &product.description,
            own => product.own.get(own).map_or("", String::as_str),
        }
    }

    /// The place behind a product, as `after` takes it.
    fn place_behind(&self, product: &Product) -> String {
        let text = Some(self.text(product)).filter(|text| text.len() <= MAX_PLACE_BYTES);
        match self.order.column.as_str() {
            "sku" => product.sku.clone(),
            _ => serde_json::json!([text, product.sku]).to_string(),
        }
    }
}

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
    /// The database failed; nothing was changed.
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
    /// One page of products.
    ///
    /// # Errors
    /// [`ListError`].
    pub async fn products(&self, query: ProductQuery, limit: i64) -> Result<ProductPage, ListError> {
        let read = move |store: &mut Store| -> Result<Result<ProductPage, ListError>> {
            let catalog = Catalog::of(store)?;
            let mut query = match query.check(&catalog) {
                Ok(query) => query,
                Err(error) => return Ok(Err(error)),
            };
            // One more than requested shows whether there is a next page.
            let mut products = query.read(store, limit + 1)?;
            let has_more = products.len() as i64 > limit;
            products.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            let next = products.last().filter(|_| has_more).map(|last| query.place_behind(last));
            Ok(Ok(ProductPage { own: catalog.own_shown().map(str::to_owned).collect(), products, next }))
        };
        // A place may prove to be none only once it is looked up.
        self.read(read).await.map_err(|error| error.downcast().unwrap_or_else(ListError::Failed))?
    }

    /// At most `limit` products, in batches from one snapshot, and the names of the own columns.
    ///
    /// # Errors
    /// [`ListError`]; a failure of the database later on is an item of the stream.
    pub async fn export_products(
        &self,
        query: ProductQuery,
        mut limit: i64,
    ) -> Result<(Vec<String>, Batches<Product>), ListError> {
        let catalog = self.read(Catalog::of).await?;
        let own = catalog.own_shown().map(str::to_owned).collect();
        let mut query = query.check(&catalog)?;
        let next = move |store: &mut Store| {
            let products = query.read(store, limit.min(PRODUCTS_PER_BATCH))?;
            limit -= products.len() as i64;
            Ok(products)
        };
        Ok((own, self.0.readers.batches(next).await?))
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

    /// One sku in detail, and at most `limit` of its changes, as of one moment.
    ///
    /// # Errors
    /// The database fails.
    pub async fn product_and_history(&self, sku: &str, limit: i64) -> Result<(ProductDetail, Vec<ProductChange>)> {
        let sku = sku.to_owned();
        self.read(move |store| Ok((detail(store, &sku)?, product_history(store, &sku, limit)?))).await
    }

    /// At most `limit` changes of a product, the newest first.
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
        let sku = sku.to_owned();
        let written = self.0.writer.run_first(move |store| edits::change(store, &sku, change, terms));
        tokio::select! {
            biased;
            written = written => Ok(written?),
            () = self.0.shutdown.cancelled() => Err(EditError::Stopping),
        }
    }
}
