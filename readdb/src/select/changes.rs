//! Changes of a product: `readdb changes --sku SKU`.

use anyhow::Result;
use tributary_store::{ProductChangeRow, Store};

use super::history::time_text;
use crate::{cell::Cell, cli::Request};

pub(super) const COLUMNS: [&str; 8] = ["id", "at", "source", "file", "entrance", "who", "columns", "edit"];

/// Returns at most `limit` changes of the product, the newest first.
pub(super) fn rows(store: &mut Store, request: &Request, limit: i64) -> Result<Vec<Vec<Cell>>> {
    let changes = store.product_changes(request.sku.as_deref().unwrap_or_default(), limit)?;
    Ok(changes.into_iter().map(cells).collect())
}

fn cells(row: ProductChangeRow) -> Vec<Cell> {
    let ProductChangeRow { id, sku: _, at, source, file, entrance, author, texts, edit } = row;
    vec![
        id.into(),
        time_text(at).into(),
        source.into(),
        file.into(),
        entrance.into(),
        author.into(),
        texts.into(),
        edit.into(),
    ]
}
