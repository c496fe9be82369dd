//! The JSON of products, their offers and edits (docs/reference/http-api.md#products). Own columns are members beside the others.

use serde::{Serialize, Serializer};
use tributary_engine::{EditView, OfferView, OwnColumns};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

/// A page of the products.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProductPage {
    /// In the requested order; by sku (bytes) by default.
    #[schema(value_type = Vec<ListedProduct>)]
    pub(crate) items: Vec<Product>,
    /// `after` of the next page; null at the end.
    pub(crate) next: Option<String>,
    /// `before` of the page before; null at the beginning.
    pub(crate) previous: Option<String>,
}

impl ProductPage {
    /// The members beside its items.
    pub(crate) fn places(&self) -> serde_json::Value {
        serde_json::json!({ "next": self.next, "previous": self.previous })
    }
}

/// A product as it is shown.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Product {
    /// Its key.
    pub(crate) sku: String,
    /// The winner's, or the edit's.
    pub(crate) name: String,
    /// The winner's, or the edit's.
    pub(crate) description: String,
    /// The own columns of the catalog, each under its name: texts. The schema allows anything, for whoever adds members of another type.
    #[serde(flatten, serialize_with = "members")]
    #[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>)]
    pub(crate) own: OwnColumns,
    /// The winner's source; null for a product that exists only as an edit.
    pub(crate) source: Option<String>,
    /// The winner's file; null for a product that exists only as an edit.
    pub(crate) file: Option<String>,
    /// Whether an edit applies.
    pub(crate) edited: bool,
    /// When it appeared, RFC 3339; null if that was before it was recorded.
    pub(crate) first_seen: Option<String>,
    /// When it last changed, or appeared, RFC 3339; null if that was before it was recorded.
    pub(crate) changed_at: Option<String>,
}

/// Describes a product of a list, which has the members that `columns` names, or else all.
struct ListedProduct;

impl PartialSchema for ListedProduct {
    fn schema() -> RefOr<Schema> {
        let mut schema = Product::schema();
        if let RefOr::T(Schema::Object(product)) = &mut schema {
            product.required.clear();
            product.description = Some("A product; with `columns` it has only the members that are named.".to_owned());
        }
        schema
    }
}

impl ToSchema for ListedProduct {}

/// A product with all offers and the edit of its sku.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProductDetail {
    /// As shown.
    #[serde(flatten)]
    pub(crate) product: Product,
    /// Every current offer; the last one wins.
    pub(crate) offers: Vec<Offer>,
    /// The edit that is applied over the winner; null if there is none.
    pub(crate) edit: Option<Edit>,
}

/// A file's row for a sku.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Offer {
    /// The source's name.
    pub(crate) source: String,
    /// The file's path.
    pub(crate) file: String,
    /// The line on which the row begins; the first line is 1.
    pub(crate) row: Option<u64>,
    /// As offered.
    pub(crate) name: String,
    /// As offered.
    pub(crate) description: String,
    /// The own columns, as offered.
    #[serde(flatten, serialize_with = "members")]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub(crate) own: OwnColumns,
    /// Whether it deletes the sku.
    pub(crate) deletes: bool,
    /// Whether it is the winner.
    pub(crate) wins: bool,
    /// The columns that are shown as it offers them.
    pub(crate) gives: Vec<String>,
}

/// A person's or program's change to a sku.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Edit {
    /// Shown in place of the winner's; null: the winner's.
    pub(crate) name: Option<String>,
    /// Shown in place of the winner's; null: the winner's.
    pub(crate) description: Option<String>,
    /// The own columns in the same way.
    #[serde(flatten, serialize_with = "members")]
    #[schema(value_type = std::collections::BTreeMap<String, Option<String>>)]
    pub(crate) own: OwnColumns<Option<String>>,
    /// Whether the product is not shown.
    pub(crate) hidden: bool,
    /// Whether it is shown though no source offers it.
    pub(crate) stands: bool,
    /// When it was last changed, RFC 3339.
    pub(crate) edited_at: String,
    /// The author of its last change; null: not known.
    pub(crate) edited_by: Option<String>,
}

impl Product {
    /// Bytes of its texts.
    pub(crate) fn text_bytes(&self) -> usize {
        let own: usize = self.own.iter().map(|(name, text)| name.len() + text.len()).sum();
        self.sku.len() + self.name.len() + self.description.len() + own
    }
}

fn members<T: Serialize, S: Serializer>(own: &OwnColumns<T>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(own.iter())
}

impl From<tributary_engine::Product> for Product {
    fn from(product: tributary_engine::Product) -> Self {
        let tributary_engine::Product { sku, name, description, own, source, file, edited, first_seen, changed_at } =
            product;
        Self { sku, name, description, own, source, file, edited, first_seen, changed_at }
    }
}

impl From<tributary_engine::ProductPage> for ProductPage {
    fn from(page: tributary_engine::ProductPage) -> Self {
        Self { items: page.products.into_iter().map(Product::from).collect(), next: page.next, previous: page.previous }
    }
}

impl From<OfferView> for Offer {
    fn from(offer: OfferView) -> Self {
        let OfferView { source, file, row, deletes, name, description, own, wins, gives, rule: _ } = offer;
        Self { source, file, row, name, description, own, deletes, wins, gives }
    }
}

impl From<EditView> for Edit {
    fn from(EditView { name, description, own, hidden, stands, edited_at, edited_by }: EditView) -> Self {
        Self { name, description, own, hidden, stands, edited_at, edited_by }
    }
}
