//! Lists of products: in pages, as a whole, and as a search that reads a bounded part of the table.

use anyhow::Result;
use tributary_store::{
    ColumnFilter, Comparison, MAX_PAGE_BYTES, ProductFilter, ProductOrder, ProductPlace, ProductView, SkuRange, Store,
};

use super::Engine;
use crate::{
    database::{Batch, Batches},
    ingest::{Catalog, NoColumn},
    views::{Product, ProductViews},
};

/// Most products of a file before a place: they are read twice.
const MAX_PRODUCTS_BACKWARDS: i64 = 5_000;
/// Products that one search looks at, unless an index leads to those that match. Comparing a number in 10,000 of them took 18 to 30 ms.
const MAX_SEARCHED: i64 = 10_000;
/// Matches that a search counts.
const MAX_COUNTED: i64 = 10_000;
/// The longest text in a place, in bytes: places stand in URLs.
const MAX_PLACE_BYTES: usize = 1_000;

/// Which products, and in which order.
#[derive(Debug, Clone, Default)]
pub struct ProductQuery {
    /// Which products.
    pub filter: ProductFilter,
    /// In which order; by sku by default.
    pub order: Option<ProductOrder>,
    /// Those behind this place: `next` of a page in the same order. By sku it is a sku.
    pub after: Option<String>,
    /// The last ones before this place: `previous` of a page in the same order. Not together with `after`.
    pub before: Option<String>,
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
    /// The page before comes before this place; `None` on the first page.
    pub previous: Option<String>,
}

/// A page of a search.
#[derive(Debug)]
pub struct ProductSearch {
    /// The products that were found.
    pub page: ProductPage,
    /// All products.
    pub total: i64,
    /// Whether there are so few that any order and any condition can be searched as a whole.
    pub is_small: bool,
    /// The number of products that match.
    pub matches: Matches,
    /// The sku as far as the search has looked; `None` if it has looked at all that lie ahead. `next`, or `previous`, goes on there.
    pub searched_to: Option<String>,
    /// Whether the order was not the one that was asked for, but by sku, because it would take reading the whole table.
    pub is_unsorted: bool,
}

/// The number of products that match a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matches {
    /// So many.
    Exactly(i64),
    /// More than so many.
    MoreThan(i64),
    /// Counting them would take reading the whole table.
    Unknown,
}

/// An error of a list of products.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// The query names a column that the catalog does not have.
    #[error(transparent)]
    NoColumn(#[from] NoColumn),
    /// `after` is no place of this order.
    #[error("`after` and `before` must be `next` and `previous` of a page in the same order")]
    NoPlace,
    /// Both places are given.
    #[error("give `after` or `before`, not both")]
    TwoPlaces,
    /// The part before a place is asked for without a limit.
    #[error("a file of the products `before` a place needs a `limit` of at most {MAX_PRODUCTS_BACKWARDS}")]
    NoLimit,
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl ProductQuery {
    /// Refuses columns that the catalog does not have, and a place that is none.
    fn check(self, catalog: &Catalog) -> Result<Checked, ListError> {
        let Self { filter, order, after, before } = self;
        let order = order.unwrap_or_else(by_sku);
        for column in filter.columns.iter().map(|filter| &filter.column).chain([&order.column]) {
            catalog.check_shown(column)?;
        }
        let is_back = before.is_some();
        if is_back && after.is_some() {
            return Err(ListError::TwoPlaces);
        }
        let place = |place: String| match order.column.as_str() {
            "sku" => Ok((None, place)),
            _ => serde_json::from_str(&place)
                .map(|(text, sku): (Option<String>, String)| (text, sku))
                .map_err(|_| ListError::NoPlace),
        };
        let from = after.or(before).map(place).transpose()?;
        Ok(Checked { filter, order, from, is_back, is_cut: false, views: ProductViews::new(catalog) })
    }
}

fn by_sku() -> ProductOrder {
    ProductOrder { column: "sku".to_owned(), descending: false }
}

/// A query without mistakes.
struct Checked {
    filter: ProductFilter,
    order: ProductOrder,
    /// Its place: the text in the column of the order, and the sku. A text that is too long for a URL is looked up.
    from: Option<(Option<String>, String)>,
    /// Whether it reads towards the front.
    is_back: bool,
    /// Whether the last page ended early because of its size.
    is_cut: bool,
    views: ProductViews,
}

impl Checked {
    /// At most `limit` products from where it stands, in the order and within the bytes of a page.
    fn read(&mut self, store: &mut Store, limit: i64) -> Result<Vec<Product>> {
        let (mut products, mut bytes) = (Vec::new(), 0);
        self.is_cut = false;
        self.each(store, limit, &mut |row, views| {
            bytes += row.text_bytes();
            products.push(views.product(row)?);
            Ok(bytes < MAX_PAGE_BYTES)
        })?;
        self.is_cut = bytes >= MAX_PAGE_BYTES;
        if self.is_back {
            products.reverse();
        }
        Ok(products)
    }

    /// Passes at most `limit` products from where it stands to `take`, as they are read, until it returns false.
    fn each(
        &self,
        store: &mut Store,
        limit: i64,
        take: &mut dyn FnMut(ProductView, &ProductViews) -> Result<bool>,
    ) -> Result<()> {
        let from = match self.from.clone() {
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
        let ProductOrder { column, descending } = self.order.clone();
        let order = ProductOrder { column, descending: descending != self.is_back };
        store.each_product(&self.filter, &order, from.as_ref(), limit, |row| take(row, &self.views))
    }

    /// Goes back by at most `limit` products, to read these forwards from there. Returns their number.
    fn turn(&mut self, store: &mut Store, limit: i64) -> Result<i64> {
        let (mut count, mut start) = (0, None);
        self.each(store, limit + 1, &mut |row, views| {
            count += 1;
            if count > limit {
                let first = views.product(row)?;
                start = Some((Some(self.text(&first).to_owned()), first.sku));
            }
            Ok(true)
        })?;
        (self.from, self.is_back) = (start, false);
        Ok(count.min(limit))
    }

    /// Passes at most `limit` products to `send`, in batches.
    fn send(&self, store: &mut Store, limit: i64, send: &mut dyn FnMut(Vec<Product>) -> Result<()>) -> Result<()> {
        let mut batch = Batch::new(send);
        self.each(store, limit, &mut |row, views| {
            let bytes = row.text_bytes();
            batch.push(views.product(row)?, bytes)?;
            Ok(true)
        })?;
        batch.finish()
    }

    fn looked_up(&self, store: &mut Store, sku: &str) -> Result<String> {
        let filter = ProductFilter { sku: Some(sku.to_owned()), ..ProductFilter::default() };
        let row = store.products_page(&filter, None, 1)?.pop().ok_or(ListError::NoPlace)?;
        Ok(self.text(&self.views.product(row)?).to_owned())
    }

    /// Reads a page, and whether there are others.
    fn page(&mut self, store: &mut Store, limit: i64, catalog: &Catalog) -> Result<ProductPage> {
        let comes_from_another = self.from.is_some();
        // One more than requested shows whether there is another page ahead.
        let mut products = self.read(store, limit + 1)?;
        let has_one_more = products.len() as i64 > limit;
        if has_one_more && self.is_back {
            products.remove(0);
        } else {
            products.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        }
        let has_more = has_one_more || self.is_cut;
        let (has_next, has_previous) =
            if self.is_back { (comes_from_another, has_more) } else { (has_more, comes_from_another) };
        Ok(ProductPage {
            own: catalog.own_shown().map(str::to_owned).collect(),
            next: products.last().filter(|_| has_next).map(|last| self.place_of(last)),
            previous: products.first().filter(|_| has_previous).map(|first| self.place_of(first)),
            products,
        })
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

    /// The place of a product, as `after` and `before` take it.
    fn place_of(&self, product: &Product) -> String {
        let text = Some(self.text(product)).filter(|text| text.len() <= MAX_PLACE_BYTES);
        match self.order.column.as_str() {
            "sku" => product.sku.clone(),
            _ => serde_json::json!([text, product.sku]).to_string(),
        }
    }

    /// Whether an index leads to the products that match, in the order, so that few others are read.
    fn is_direct(&self, catalog: &Catalog) -> bool {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
        let ProductFilter { sku, name, part, source, edited, columns, range: _ } = &self.filter;
        let order = self.order.column.as_str();
        if sku.is_some() || name.is_some() || part.is_some() || source.is_some() || edited.is_some() {
            return false;
        }
        match columns.as_slice() {
            [] => order == "sku" || catalog.is_indexed(order),
            [ColumnFilter { column, comparison: Equal, .. }] => {
                // The index ends in the sku.
                column == "sku" || (catalog.is_indexed(column) && (order == "sku" || order == column))
            }
            [filter @ ColumnFilter { column, comparison: Less | LessOrEqual | Greater | GreaterOrEqual, .. }] => {
                column == order && (column == "sku" || (catalog.is_indexed(column) && filter.compares_numbers()))
            }
            _ => false,
        }
    }

    /// Limits the search to the products that one request may look at, in order of sku. Returns the last of them; `None` if it looks at all
    /// that lie ahead.
    fn limit_range(&mut self, store: &mut Store) -> Result<Option<String>> {
        let has_edit = self.filter.edited == Some(true);
        let from = self.from.as_ref().map(|(_, sku)| sku.clone());
        let descending = self.order.descending != self.is_back;
        let end = store.sku_at_distance(from.as_deref(), MAX_SEARCHED - 1, descending, has_edit)?;
        let (first, last) = if descending { (end.clone(), from) } else { (from, end.clone()) };
        self.filter.range = SkuRange { first, last, has_edit };
        Ok(end)
    }
}

/// Searches as far as one request may.
fn search(store: &mut Store, mut query: Checked, limit: i64, catalog: &Catalog) -> Result<ProductSearch> {
    let total = store.tally()?.products;
    let exact_name = query.filter.name.take_if(|_| catalog.is_indexed("name"));
    query.filter.columns.extend(exact_name.map(|text| ColumnFilter {
        column: "name".to_owned(),
        comparison: Comparison::Equal,
        text,
    }));
    let is_small = total <= MAX_SEARCHED;
    let is_bounded = is_small || query.is_direct(catalog);
    let is_unsorted = !is_bounded && query.order.column != "sku";
    if is_unsorted {
        query.order = by_sku();
        query.from = query.from.map(|(_, sku)| (None, sku));
    }
    let searched_to = if is_bounded { None } else { query.limit_range(store)? };
    let is_all = searched_to.is_none() && query.from.is_none();
    let filter = query.filter.clone();
    let is_back = query.is_back;
    let mut page = query.page(store, limit, catalog)?;
    let matches = match () {
        () if filter == ProductFilter::default() => Matches::Exactly(total),
        () if is_bounded || is_all => match store.products_count_up_to(&filter, MAX_COUNTED + 1)? {
            more if more > MAX_COUNTED => Matches::MoreThan(MAX_COUNTED),
            exactly => Matches::Exactly(exactly),
        },
        () => Matches::Unknown,
    };
    // A page that is not full goes on where the search has ended.
    let ahead = if is_back { &mut page.previous } else { &mut page.next };
    let searched_to = searched_to.filter(|_| ahead.is_none());
    if searched_to.is_some() {
        ahead.clone_from(&searched_to);
    }
    Ok(ProductSearch { page, total, is_small, matches, searched_to, is_unsorted })
}

impl Engine {
    /// One page of products.
    ///
    /// # Errors
    /// [`ListError`].
    pub async fn products(&self, query: ProductQuery, limit: i64) -> Result<ProductPage, ListError> {
        self.list(query, move |store, mut query, catalog| query.page(store, limit, catalog)).await
    }

    /// One page of a search for a person, who must not wait: without an index for it, it looks at a bounded part of the table only, in order
    /// of sku.
    ///
    /// # Errors
    /// [`ListError`].
    pub async fn search_products(&self, query: ProductQuery, limit: i64) -> Result<ProductSearch, ListError> {
        self.list(query, move |store, query, catalog| search(store, query, limit, catalog)).await
    }

    async fn list<T: Send + 'static>(
        &self,
        query: ProductQuery,
        read: impl FnOnce(&mut Store, Checked, &Catalog) -> Result<T> + Send + 'static,
    ) -> Result<T, ListError> {
        let read = move |store: &mut Store| -> Result<Result<T, ListError>> {
            let catalog = Catalog::of(store)?;
            match query.check(&catalog) {
                Ok(query) => read(store, query, &catalog).map(Ok),
                Err(error) => Ok(Err(error)),
            }
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
        limit: i64,
    ) -> Result<(Vec<String>, Batches<Product>), ListError> {
        let catalog = self.read(Catalog::of).await?;
        let own = catalog.own_shown().map(str::to_owned).collect();
        let mut query = query.check(&catalog)?;
        if query.is_back && limit > MAX_PRODUCTS_BACKWARDS {
            return Err(ListError::NoLimit);
        }
        let produce = move |store: &mut Store, send: &mut dyn FnMut(_) -> _| {
            let limit = if query.is_back { query.turn(store, limit)? } else { limit };
            query.send(store, limit, send)
        };
        Ok((own, self.0.readers.stream(produce).await?))
    }
}
