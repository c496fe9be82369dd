//! Products for people: in lists, and one sku in detail with every current offer and the edit.

use std::sync::Arc;

use anyhow::Result;
use tributary_merge::{Offer, Recency, Survivorship};
use tributary_store::{EditRow, FileOrigin, ProductFilter, ProductView, Store};

use crate::{
    clock,
    ingest::{self, Catalog},
};

/// A product as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Product {
    /// Its key.
    pub sku: String,
    /// As shown.
    pub name: String,
    /// As shown.
    pub description: String,
    /// The own columns of the catalog, as shown.
    pub own: OwnColumns,
    /// Name of the winner's source; `None` for a product that no source offers.
    pub source: Option<String>,
    /// Path of the winner's file; `None` for a product that no source offers.
    pub file: Option<String>,
    /// Whether an edit is applied.
    pub edited: bool,
    /// When it appeared, RFC 3339; `None` if that was before it was recorded.
    pub first_seen: Option<String>,
    /// When its texts last changed, or when it appeared.
    pub changed_at: Option<String>,
}

/// The values of the own columns, in the order in which they are shown.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnColumns<T = String> {
    names: Arc<[String]>,
    values: Vec<T>,
}

impl<T> OwnColumns<T> {
    /// Each column's name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.names.iter().map(String::as_str).zip(&self.values)
    }

    /// The value of a column.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&T> {
        self.values.get(self.names.iter().position(|column| column == name)?)
    }
}

impl<T> Default for OwnColumns<T> {
    fn default() -> Self {
        Self { names: [].into(), values: Vec::new() }
    }
}

/// One sku in detail.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductDetail {
    /// The sku.
    pub sku: String,
    /// The product as shown; `None` if none is.
    pub product: Option<Product>,
    /// Every current offer: the last one wins.
    pub offers: Vec<OfferView>,
    /// The edit, which is applied over the winner.
    pub edit: Option<EditView>,
}

impl ProductDetail {
    /// A digest of the texts that are shown and of the edit. It changes when a person who looks at them would see a change, but not when
    /// a row only moves within its file.
    #[must_use]
    pub fn version(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut add = |text: Option<&str>| {
            // Lengths keep neighbours apart; a text that is missing has one that no text has.
            hasher.update(&text.map_or(u64::MAX, |text| text.len() as u64).to_le_bytes());
            hasher.update(text.unwrap_or_default().as_bytes());
        };
        if let Some(Product { name, description, own, .. }) = &self.product {
            [name, description].into_iter().for_each(|text| add(Some(text)));
            own.iter().for_each(|(column, text)| [column, text].into_iter().for_each(|text| add(Some(text))));
        }
        add(None);
        if let Some(EditView { name, description, own, hidden, stands, edited_at: _, edited_by: _ }) = &self.edit {
            [name, description].into_iter().for_each(|text| add(text.as_deref()));
            own.iter().for_each(|(column, text)| [Some(column), text.as_deref()].into_iter().for_each(&mut add));
            [hidden, stands].into_iter().for_each(|flag| add(flag.then_some("")));
        }
        hasher.finalize().to_hex()[..VERSION_DIGITS].to_owned()
    }
}

/// Digits of a version, which a person may see in a page's source.
const VERSION_DIGITS: usize = 16;

/// One current offer for a sku.
#[derive(Debug, Clone, PartialEq)]
pub struct OfferView {
    /// Name of the source.
    pub source: String,
    /// Path of the file.
    pub file: String,
    /// The line where its row begins; the first line is 1. `None` if it is not known.
    pub row: Option<u64>,
    /// Whether it deletes the product; its texts are then empty.
    pub deletes: bool,
    /// As offered.
    pub name: String,
    /// As offered.
    pub description: String,
    /// The own columns, as offered.
    pub own: OwnColumns,
    /// Whether it is the winner.
    pub wins: bool,
    /// Why it is the winner; `None` if it is not.
    pub rule: Option<WinRule>,
    /// The columns that are shown as it offers them, without those that an edit sets.
    pub gives: Vec<String>,
}

/// The rule by which an offer wins against the next one (docs/reference/README.md#winner).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WinRule {
    /// There is no other offer.
    Only,
    /// It has the newest time or the greatest number in this column.
    Newest(String),
    /// Its source has a higher priority.
    Priority,
    /// Its source stands later in the configuration.
    LaterSource,
    /// Its file is the later one of its source.
    LaterFile,
}

/// The edit of a sku.
#[derive(Debug, Clone, PartialEq)]
pub struct EditView {
    /// Shown instead of the winner's; `None`: the winner's.
    pub name: Option<String>,
    /// Shown instead of the winner's; `None`: the winner's.
    pub description: Option<String>,
    /// The same of the own columns.
    pub own: OwnColumns<Option<String>>,
    /// Whether the product is hidden.
    pub hidden: bool,
    /// Whether it is shown though no source offers it.
    pub stands: bool,
    /// When it last changed, RFC 3339.
    pub edited_at: String,
    /// The author of its last change; `None`: not known.
    pub edited_by: Option<String>,
}

/// Makes products of rows, all of the same catalog.
pub(crate) struct ProductViews {
    names: Arc<[String]>,
}

impl ProductViews {
    /// For the columns of this catalog.
    pub(crate) fn new(catalog: &Catalog) -> Self {
        Self { names: catalog.own_shown().map(str::to_owned).collect() }
    }

    /// The product in a row.
    ///
    /// # Errors
    /// Its own columns cannot be read.
    pub(crate) fn product(&self, row: ProductView) -> Result<Product> {
        let ProductView { sku, name, description, own, source, file, edited, first_seen, changed_at } = row;
        let own = self.own(own.as_deref())?;
        let changed_at = changed_at.or(first_seen).and_then(clock::text_of_seconds);
        let first_seen = first_seen.and_then(clock::text_of_seconds);
        Ok(Product { sku, name, description, own, source, file, edited, first_seen, changed_at })
    }

    fn own(&self, own: Option<&str>) -> Result<OwnColumns> {
        let values = ingest::own_texts(own, self.names.iter().map(String::as_str))?;
        Ok(OwnColumns { names: Arc::clone(&self.names), values })
    }

    fn edit(&self, row: &EditRow, catalog: &Catalog) -> Result<EditView> {
        let texts = ingest::edit(row, catalog)?.texts;
        let text = |name: &String| catalog.column(name).and_then(|column| texts.get(column)).map(str::to_owned);
        let EditRow { sku: _, name, description, own: _, hidden, stands, edited_at, edited_by } = row.clone();
        let own = OwnColumns { names: Arc::clone(&self.names), values: self.names.iter().map(text).collect() };
        Ok(EditView { name, description, own, hidden, stands, edited_at, edited_by })
    }
}

/// Reads one sku in detail, without reading the files that do not offer it.
///
/// # Errors
/// The database fails or is damaged.
pub(crate) fn detail(store: &mut Store, sku: &str) -> Result<ProductDetail> {
    let catalog = Catalog::of(store)?;
    let views = ProductViews::new(&catalog);
    let filter = ProductFilter { sku: Some(sku.to_owned()), ..ProductFilter::default() };
    let product = store.products_page(&filter, None, 1)?.pop().map(|row| views.product(row)).transpose()?;
    let (offers, rules) = ingest::current_offers(store, sku, &catalog)?;
    let edit = store.edit(sku)?.map(|row| views.edit(&row, &catalog)).transpose()?;
    let is_edited = |column: &str| match (&edit, column) {
        (None, _) => false,
        (Some(edit), "name") => edit.name.is_some(),
        (Some(edit), "description") => edit.description.is_some(),
        (Some(edit), own) => edit.own.get(own).is_some_and(Option::is_some),
    };
    let shown: Vec<&str> = if product.is_some() { catalog.shown().collect() } else { Vec::new() };
    let given: Vec<&str> = shown.into_iter().filter(|column| !is_edited(column)).collect();
    let offers = offer_views(store, offers, &rules, &catalog, (&views, &given))?;
    Ok(ProductDetail { sku: sku.to_owned(), product, offers, edit })
}

/// The offers with the columns of `given` that each gives.
fn offer_views(
    store: &mut Store,
    offers: Vec<(Offer, FileOrigin)>,
    rules: &Survivorship,
    catalog: &Catalog,
    (views, given): (&ProductViews, &[&str]),
) -> Result<Vec<OfferView>> {
    let borrowed: Vec<_> = offers.iter().map(|(offer, _)| offer.borrowed()).collect();
    let has_winner = borrowed.last().is_some_and(|winner| !winner.deletes);
    let mut gives = vec![Vec::new(); offers.len()];
    for column in given.iter().filter(|_| has_winner) {
        let giver = catalog.column(column).map(|number| rules.giver(number, &borrowed)).transpose()?.flatten();
        giver.into_iter().for_each(|at| gives[at].push((*column).to_owned()));
    }
    let rule = win_rule(&offers, rules, catalog);
    let count = offers.len();
    let mut all = Vec::with_capacity(count);
    for ((rank, (offer, origin)), gives) in offers.iter().enumerate().zip(gives) {
        let row = match store.page_lines(offer.file, &offer.sku)? {
            Some((entries, lines)) => tributary_merge::line_of(&offer.sku, &entries, &lines)?,
            None => None,
        };
        let texts = if offer.deletes { Default::default() } else { offer.texts.borrowed() };
        let text = |name: &str| catalog.column(name).map(|column| texts.get(column).to_owned()).unwrap_or_default();
        let values = views.names.iter().map(|name| text(name)).collect();
        all.push(OfferView {
            source: origin.source.clone(),
            file: origin.path.clone(),
            row,
            deletes: offer.deletes,
            name: text("name"),
            description: text("description"),
            own: OwnColumns { names: Arc::clone(&views.names), values },
            wins: rank + 1 == count,
            rule: (rank + 1 == count).then(|| rule.clone()),
            gives,
        });
    }
    Ok(all)
}

/// The rule by which the last offer wins against the one before it.
fn win_rule(offers: &[(Offer, FileOrigin)], rules: &Survivorship, catalog: &Catalog) -> WinRule {
    let [.., (next, below), (winner, origin)] = offers else { return WinRule::Only };
    if let Some(newest) = rules.newest {
        let recency = |offer: &Offer| Recency::parse(offer.texts.borrowed().get(newest));
        if recency(winner) != recency(next) {
            return WinRule::Newest(catalog.name(newest).to_owned());
        }
    }
    if origin.priority != below.priority {
        WinRule::Priority
    } else if origin.source_id != below.source_id {
        WinRule::LaterSource
    } else {
        WinRule::LaterFile
    }
}
