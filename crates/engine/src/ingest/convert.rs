//! Converts between rows of the store and of the merge, which do not know each other.

use tributary_csv_gate::{Reject, Rejects};
use tributary_merge::{Edit, Offer, Product, StoredRows};
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
    Product { sku, name, description, file: file_id, edited }
}

fn offer(row: ShadowedRow) -> Offer {
    let ShadowedRow { sku, file_id, deletes, name, description } = row;
    Offer { sku, file: file_id, deletes, name, description }
}

/// The edit in a row.
pub(crate) fn edit(row: EditRow) -> Edit {
    let EditRow { sku, name, description, hidden, stands, edited_at: _ } = row;
    Edit { sku, name, description, hidden, stands }
}

/// Returns the row of an edit that is made now.
pub(crate) fn edit_row(edit: Edit) -> EditRow {
    let Edit { sku, name, description, hidden, stands } = edit;
    EditRow { sku, name, description, hidden, stands, edited_at: crate::clock::now() }
}

pub(super) fn product_rows(products: Vec<Product<&str>>) -> Vec<ProductRow<&str>> {
    let row =
        |Product { sku, name, description, file, edited }| ProductRow { sku, name, description, file_id: file, edited };
    products.into_iter().map(row).collect()
}

pub(super) fn shadowed_rows(offers: Vec<Offer<&str>>) -> Vec<ShadowedRow<&str>> {
    let row = |Offer { sku, file, deletes, name, description }| ShadowedRow {
        sku,
        file_id: file,
        deletes,
        name,
        description,
    };
    offers.into_iter().map(row).collect()
}

/// The rejects of a file that are kept.
pub(super) fn reject_rows(rejects: &Rejects) -> Vec<RejectRow> {
    rejects.kept.iter().map(reject_row).collect()
}

fn reject_row(reject: &Reject) -> RejectRow {
    input::reject_row(reject.line, reject.byte, reject.reason.to_string(), reject.raw.clone())
}
