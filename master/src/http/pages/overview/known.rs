//! A sku as the page shows it: the product, what each file says, and the edit.

use tributary_config::CatalogConfig;
use tributary_engine::{OwnColumns, ProductDetail};

use crate::http::{
    api::product_views::{Edit, Offer, Product},
    pages::text::moment::Moment,
};

/// A sku as the page shows it.
pub(crate) struct Known {
    pub(crate) sku: String,
    /// None if it is not shown.
    pub(crate) product: Option<Product>,
    /// Its own columns that are not empty: label and value.
    pub(crate) own: Vec<(String, String)>,
    /// The winner first.
    pub(crate) offers: Vec<OfferLine>,
    pub(crate) edit: Option<Edit>,
    /// When it was edited, for people.
    pub(crate) edited: Option<Moment>,
}

impl Known {
    pub(crate) fn new(sku: String, detail: ProductDetail, catalog: &CatalogConfig) -> Self {
        let product = detail.product.map(Product::from);
        let own = product.as_ref().map(|product| labelled(&product.own, catalog)).unwrap_or_default();
        let offers = detail.offers.into_iter().rev().map(|offer| OfferLine::new(offer.into(), catalog)).collect();
        let edited = detail.edit.as_ref().and_then(|edit| Moment::new(&edit.edited_at));
        Self { sku, product, own, offers, edit: detail.edit.map(Edit::from), edited }
    }
}

/// An offer as the page shows it.
pub(crate) struct OfferLine {
    pub(crate) offer: Offer,
    /// Its own columns that are not empty: label and value.
    pub(crate) own: Vec<(String, String)>,
    /// The columns that it gives, for people; none if the winner gives all.
    pub(crate) gives: Option<String>,
}

impl OfferLine {
    fn new(offer: Offer, catalog: &CatalogConfig) -> Self {
        let gives = (!catalog.from.is_empty()).then(|| {
            let is_empty = |column: &str| match column {
                "name" => offer.name.is_empty(),
                "description" => offer.description.is_empty(),
                own => offer.own.get(own).is_none_or(String::is_empty),
            };
            let given = offer.gives.iter().filter(|column| !is_empty(column));
            let labels: Vec<_> = given.map(|column| label(column, catalog)).collect();
            (!labels.is_empty()).then(|| format!("gives {}", labels.join(", ")))
        });
        let gives = gives.flatten();
        Self { own: labelled(&offer.own, catalog), offer, gives }
    }
}

fn labelled(own: &OwnColumns, catalog: &CatalogConfig) -> Vec<(String, String)> {
    let filled = own.iter().filter(|(_, text)| !text.is_empty());
    filled.map(|(name, text)| (label(name, catalog), text.clone())).collect()
}

/// Words for a column.
pub(in crate::http::pages) fn label(column: &str, catalog: &CatalogConfig) -> String {
    let own = catalog.columns.iter().find(|own| own.name == column).map(|own| own.label.clone());
    own.unwrap_or_else(|| match column {
        "sku" => "Sku".to_owned(),
        "name" => "Name".to_owned(),
        "description" => "Description".to_owned(),
        other => other.to_owned(),
    })
}
