//! Rows to write to the tables for some skus. They are made of a merged batch on one thread, and written on another: serving SQLite
//! keeps a core busy, so as little as possible is left to do beside it.

use std::{borrow::Cow, ops::Range};

use tributary_merge::{Delta, Offer, Product, TableChanges, Texts};
use tributary_store::{ProductRow, ShadowedRow, write_own};

use super::catalog::Catalog;

/// Rows to write, which hold their texts together.
#[derive(Debug, Default)]
pub(super) struct RowChanges {
    /// The texts of all rows, one after the other.
    texts: String,
    products: TableChanges<ProductSpans, Span>,
    shadowed: TableChanges<ShadowedSpans, (Span, i64)>,
}

/// A part of the texts.
type Span = Range<usize>;

#[derive(Debug)]
struct ProductSpans {
    sku: Span,
    columns: ColumnSpans,
    file: Option<i64>,
    edited: bool,
}

#[derive(Debug)]
struct ShadowedSpans {
    sku: Span,
    columns: ColumnSpans,
    file: i64,
    deletes: bool,
}

/// The name, the description, and the own columns as they are stored.
#[derive(Debug)]
struct ColumnSpans {
    name: Span,
    description: Span,
    own: Option<Span>,
}

impl RowChanges {
    /// Copies the rows of a delta.
    pub(super) fn new(delta: &Delta<'_>, catalog: &Catalog) -> Self {
        let mut changes = Self::default();
        let Delta { products, shadowed, names: _ } = delta;
        let product = |all: &mut Self, row: &Product<Cow<'_, str>>| ProductSpans {
            sku: all.push(&row.sku),
            columns: all.push_columns(row.texts.borrowed(), catalog),
            file: row.file,
            edited: row.edited,
        };
        let offer = |all: &mut Self, row: &Offer<&str>| ShadowedSpans {
            sku: all.push(row.sku),
            columns: all.push_columns(row.texts, catalog),
            file: row.file,
            deletes: row.deletes,
        };
        changes.products = TableChanges {
            inserted: products.inserted.iter().map(|row| product(&mut changes, row)).collect(),
            updated: products.updated.iter().map(|row| product(&mut changes, row)).collect(),
            deleted: products.deleted.iter().map(|sku| changes.push(sku)).collect(),
        };
        changes.shadowed = TableChanges {
            inserted: shadowed.inserted.iter().map(|row| offer(&mut changes, row)).collect(),
            updated: shadowed.updated.iter().map(|row| offer(&mut changes, row)).collect(),
            deleted: shadowed.deleted.iter().map(|(sku, file)| (changes.push(sku), *file)).collect(),
        };
        changes
    }

    /// Bytes of all texts.
    pub(super) fn bytes(&self) -> usize {
        self.texts.len()
    }

    fn push(&mut self, text: &str) -> Span {
        let start = self.texts.len();
        self.texts.push_str(text);
        start..self.texts.len()
    }

    fn push_columns(&mut self, texts: Texts<&str>, catalog: &Catalog) -> ColumnSpans {
        let mut texts = texts.iter();
        let name = self.push(texts.next().unwrap_or_default());
        let description = self.push(texts.next().unwrap_or_default());
        let start = self.texts.len();
        let own = write_own(&mut self.texts, catalog.own().zip(texts)).then_some(start..self.texts.len());
        ColumnSpans { name, description, own }
    }

    /// The skus of products that change: those that are shown in another way, then the new ones, then those that go.
    pub(super) fn skus(&self) -> impl Iterator<Item = &str> {
        let shown = self.products.updated.iter().chain(&self.products.inserted).map(|row| &row.sku);
        shown.chain(&self.products.deleted).map(|sku| self.text(sku))
    }

    /// Products that were not shown before.
    pub(super) fn inserted_products(&self) -> Vec<ProductRow<&str>> {
        self.products.inserted.iter().map(|row| self.product(row)).collect()
    }

    /// Products that are shown in another way.
    pub(super) fn updated_products(&self) -> Vec<ProductRow<&str>> {
        self.products.updated.iter().map(|row| self.product(row)).collect()
    }

    /// Skus that are no longer shown.
    pub(super) fn deleted_products(&self) -> Vec<&str> {
        self.products.deleted.iter().map(|sku| self.text(sku)).collect()
    }

    /// Offers that are kept from now on, though they are not shown as they are.
    pub(super) fn inserted_shadowed(&self) -> Vec<ShadowedRow<&str>> {
        self.shadowed.inserted.iter().map(|row| self.offer(row)).collect()
    }

    /// Kept offers with other texts.
    pub(super) fn updated_shadowed(&self) -> Vec<ShadowedRow<&str>> {
        self.shadowed.updated.iter().map(|row| self.offer(row)).collect()
    }

    /// Offers that need not be kept any more, by sku and file.
    pub(super) fn deleted_shadowed(&self) -> Vec<(&str, i64)> {
        self.shadowed.deleted.iter().map(|(sku, file)| (self.text(sku), *file)).collect()
    }

    fn text(&self, span: &Span) -> &str {
        &self.texts[span.clone()]
    }

    fn product(&self, ProductSpans { sku, columns, file, edited }: &ProductSpans) -> ProductRow<&str> {
        let ColumnSpans { name, description, own } = columns;
        let [sku, name, description] = [sku, name, description].map(|span| self.text(span));
        let own = own.as_ref().map(|own| self.text(own));
        ProductRow { sku, name, description, file_id: *file, edited: *edited, own }
    }

    fn offer(&self, ShadowedSpans { sku, columns, file, deletes }: &ShadowedSpans) -> ShadowedRow<&str> {
        let ColumnSpans { name, description, own } = columns;
        let [sku, name, description] = [sku, name, description].map(|span| self.text(span));
        let own = own.as_ref().map(|own| self.text(own));
        ShadowedRow { sku, file_id: *file, deletes: *deletes, name, description, own }
    }
}
