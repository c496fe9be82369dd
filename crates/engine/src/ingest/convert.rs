//! Converts between rows of the store and of the merge, which do not know each other.

use anyhow::Result;
use tributary_csv_gate::{Reject, Rejects};
use tributary_merge::{DESCRIPTION, Edit, NAME, Offer, Product, StoredRows, Texts};
use tributary_store::{EditRow, Error, ProductRow, RejectRow, ShadowedRow, SkuRows, own_edits, read_own};

use super::catalog::{Catalog, FIRST_OWN};
use crate::input;

/// The rows of some skus, for the merge.
///
/// # Errors
/// A text of own columns cannot be read.
pub(super) fn before(state: SkuRows, catalog: &Catalog) -> Result<StoredRows, Error> {
    Ok(StoredRows {
        products: state.products.into_iter().map(|row| product(row, catalog)).collect::<Result<_, _>>()?,
        shadowed: state.shadowed.into_iter().map(|row| offer(row, catalog)).collect::<Result<_, _>>()?,
        edits: state.edits.iter().map(|row| edit(row, catalog)).collect::<Result<_, _>>()?,
    })
}

fn product(row: ProductRow, catalog: &Catalog) -> Result<Product, Error> {
    let ProductRow { sku, name, description, file_id, edited, own } = row;
    Ok(Product { sku, texts: texts(&name, &description, own.as_deref(), catalog)?, file: file_id, edited })
}

fn offer(row: ShadowedRow, catalog: &Catalog) -> Result<Offer, Error> {
    let ShadowedRow { sku, file_id, deletes, name, description, own } = row;
    Ok(Offer { sku, file: file_id, deletes, texts: texts(&name, &description, own.as_deref(), catalog)? })
}

fn texts(name: &str, description: &str, own: Option<&str>, catalog: &Catalog) -> Result<Texts, Error> {
    if own.is_none() {
        return Ok(Texts::new([name, description]));
    }
    let own = own_texts(own, catalog.own())?;
    Ok(Texts::new([name, description].into_iter().chain(own.iter().map(String::as_str))))
}

/// The texts of own columns with these names; empty where there is none.
///
/// # Errors
/// They cannot be read.
pub(crate) fn own_texts<'n>(own: Option<&str>, names: impl Iterator<Item = &'n str>) -> Result<Vec<String>, Error> {
    let names: Vec<&str> = names.collect();
    let mut texts = vec![String::new(); names.len()];
    read_own(own, |name, text| {
        if let Some(at) = names.iter().position(|own| *own == name) {
            texts[at] = text;
        }
    })?;
    Ok(texts)
}

/// The edit in a row.
///
/// # Errors
/// Its own columns cannot be read.
pub(crate) fn edit(row: &EditRow, catalog: &Catalog) -> Result<Edit, Error> {
    let EditRow { sku, name, description, own, hidden, stands, edited_at: _, edited_by: _ } = row;
    let names: Vec<&str> = catalog.own().collect();
    let mut texts = vec![None; names.len()];
    read_own(own.as_deref(), |name, text| {
        if let Some(at) = names.iter().position(|own| *own == name) {
            texts[at] = Some(text);
        }
    })?;
    let texts = [name.clone(), description.clone()].into_iter().chain(texts).collect();
    Ok(Edit { sku: sku.clone(), texts, hidden: *hidden, stands: *stands })
}

/// Returns the row of an edit that is made at the time `now`. Of `before`, which it changes, texts of columns stay that the catalog no longer has.
///
/// # Errors
/// The own columns of `before` cannot be read.
pub(crate) fn edit_row(edit: &Edit, before: Option<&EditRow>, now: &str, catalog: &Catalog) -> Result<EditRow, Error> {
    let text = |column| edit.texts.get(column).map(str::to_owned);
    let mut kept = Vec::new();
    read_own(before.and_then(|before| before.own.as_deref()), |name, text| {
        if catalog.column(name).is_none() {
            kept.push((name.to_owned(), text));
        }
    })?;
    let own = catalog.own().zip(FIRST_OWN..).filter_map(|(name, column)| Some((name, edit.texts.get(column)?)));
    let kept = kept.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    Ok(EditRow {
        sku: edit.sku.clone(),
        name: text(NAME),
        description: text(DESCRIPTION),
        own: own_edits(own.chain(kept)),
        hidden: edit.hidden,
        stands: edit.stands,
        edited_at: now.to_owned(),
        edited_by: None,
    })
}

/// The rejects of a file that are kept.
pub(super) fn reject_rows(rejects: &Rejects) -> Vec<RejectRow> {
    rejects.kept.iter().map(reject_row).collect()
}

fn reject_row(reject: &Reject) -> RejectRow {
    input::reject_row(reject.line, reject.byte, reject.reason.to_string(), reject.raw.clone())
}
