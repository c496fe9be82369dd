//! Converts between rows of the store and of the merge, which do not know each other.

use std::borrow::Cow;

use tributary_csv_gate::{Reject, Rejects};
use tributary_merge::{DESCRIPTION, Edit, NAME, Offer, Product, StoredRows, Texts};
use tributary_store::{EditRow, ProductRow, RejectRow, ShadowedRow, SkuRows};

use crate::input;

pub(super) fn before(state: SkuRows) -> StoredRows {
    StoredRows {
        products: state.products.into_iter().map(product).collect(),
        shadowed: state.shadowed.into_iter().map(offer).collect(),
        edits: state.edits.into_iter().map(edit).collect(),
    }
}

fn product(row: ProductRow) -> Product {
    let ProductRow { sku, name, description, file_id, edited } = row;
    Product { sku, texts: Texts::new([name.as_str(), &description]), file: file_id, edited }
}

fn offer(row: ShadowedRow) -> Offer {
    let ShadowedRow { sku, file_id, deletes, name, description } = row;
    Offer { sku, file: file_id, deletes, texts: Texts::new([name.as_str(), &description]) }
}

/// The edit in a row.
pub(crate) fn edit(row: EditRow) -> Edit {
    let EditRow { sku, name, description, hidden, stands, edited_at: _ } = row;
    Edit { sku, texts: [name, description].into_iter().collect(), hidden, stands }
}

/// Returns the row of an edit that is made now.
pub(crate) fn edit_row(edit: &Edit) -> EditRow {
    let text = |column| edit.texts.get(column).map(str::to_owned);
    EditRow {
        sku: edit.sku.clone(),
        name: text(NAME),
        description: text(DESCRIPTION),
        hidden: edit.hidden,
        stands: edit.stands,
        edited_at: crate::clock::now(),
    }
}

pub(super) fn product_rows<'p>(products: &'p [Product<Cow<'_, str>>]) -> Vec<ProductRow<&'p str>> {
    let row = |product: &'p Product<Cow<'_, str>>| {
        let Product { sku, texts, file, edited } = product;
        let (name, description) = columns(texts.borrowed());
        ProductRow { sku: sku.as_ref(), name, description, file_id: *file, edited: *edited }
    };
    products.iter().map(row).collect()
}

pub(super) fn shadowed_rows(offers: Vec<Offer<&str>>) -> Vec<ShadowedRow<&str>> {
    let row = |Offer { sku, file, deletes, texts }| {
        let (name, description) = columns(texts);
        ShadowedRow { sku, file_id: file, deletes, name, description }
    };
    offers.into_iter().map(row).collect()
}

/// The texts that have columns of their own in the tables: the name and the description.
fn columns(texts: Texts<&str>) -> (&str, &str) {
    let mut texts = texts.iter();
    (texts.next().unwrap_or_default(), texts.next().unwrap_or_default())
}

/// The rejects of a file that are kept.
pub(super) fn reject_rows(rejects: &Rejects) -> Vec<RejectRow> {
    rejects.kept.iter().map(reject_row).collect()
}

fn reject_row(reject: &Reject) -> RejectRow {
    input::reject_row(reject.line, reject.byte, reject.reason.to_string(), reject.raw.clone())
}
