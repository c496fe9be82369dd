//! A sku as the page shows it: the product, what each file says, and the edit.

use tributary_config::CatalogConfig;
use tributary_engine::{OfferView, OwnColumns, ProductDetail, WinRule};

use crate::http::{
    api::product_views::{Edit, Offer, Product},
    pages::text::{moment::Moment, wording::encoded},
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
        let offers = detail.offers.into_iter().rev().map(|offer| OfferLine::new(offer, catalog)).collect();
        let edited = detail.edit.as_ref().and_then(|edit| Moment::new(&edit.edited_at));
        Self { sku, product, own, offers, edit: detail.edit.map(Edit::from), edited }
    }

    /// Whether somebody has hidden it.
    pub(crate) fn is_hidden(&self) -> bool {
        self.edit.as_ref().is_some_and(|edit| edit.hidden)
    }

    /// Whether it can be created: it is not shown, and not because somebody hid it.
    pub(crate) fn can_be_created(&self) -> bool {
        self.product.is_none() && !self.is_hidden()
    }
}

/// An offer as the page shows it.
pub(crate) struct OfferLine {
    pub(crate) offer: Offer,
    /// Its own columns that are not empty: label and value.
    pub(crate) own: Vec<(String, String)>,
    /// The columns that it gives, for people; none if the winner gives all.
    pub(crate) gives: Option<String>,
    /// Why it wins, for people; none if it does not.
    pub(crate) rule: Option<String>,
}

impl OfferLine {
    fn new(offer: OfferView, catalog: &CatalogConfig) -> Self {
        let rule = offer.rule.as_ref().map(|rule| rule_words(rule, catalog));
        let offer = Offer::from(offer);
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
        Self { own: labelled(&offer.own, catalog), offer, gives, rule }
    }

    /// The products of its source.
    pub(crate) fn source_link(&self) -> String {
        format!("/products?source={}", encoded(&self.offer.source))
    }

    /// The rows of its file that were set aside.
    pub(crate) fn file_link(&self) -> String {
        format!("/rejects?source={}&file={}", encoded(&self.offer.source), encoded(&self.offer.file))
    }
}

/// Words for the rule by which an offer wins.
fn rule_words(rule: &WinRule, catalog: &CatalogConfig) -> String {
    match rule {
        WinRule::Only => "wins: the only offer".to_owned(),
        WinRule::Newest(column) => format!("wins: the newest {}", label(column, catalog)),
        WinRule::Priority => "wins: its source has the highest priority".to_owned(),
        WinRule::LaterSource => "wins: its source is listed last".to_owned(),
        WinRule::LaterFile => "wins: the last file of its source".to_owned(),
    }
}

fn labelled(own: &OwnColumns, catalog: &CatalogConfig) -> Vec<(String, String)> {
    let filled = own.iter().filter(|(_, text)| !text.is_empty());
    filled.map(|(name, text)| (label(name, catalog), text.clone())).collect()
}

/// Words for a column.
pub(crate) fn label(column: &str, catalog: &CatalogConfig) -> String {
    let own = catalog.columns.iter().find(|own| own.name == column).map(|own| own.label.clone());
    own.unwrap_or_else(|| match column {
        "sku" => "SKU".to_owned(),
        "name" => "Name".to_owned(),
        "description" => "Description".to_owned(),
        other => other.to_owned(),
    })
}
