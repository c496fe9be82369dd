//! The history of products, held against what is shown: the last change of a text ends where the product is now, and each begins where
//! the one before it ended.

use std::collections::BTreeMap;

use serde_json::Value;
use tributary_store::{ProductChangeRow, Store};

/// Changes that are compared. The tests make fewer.
const MAX_CHANGES: i64 = 1_000;

/// Compares the history of some skus with the name and the description that they show.
pub(super) fn check(store: &mut Store, shown: &BTreeMap<String, Vec<String>>) -> Result<(), String> {
    for sku in (0..10).map(|number| format!("s{number}")) {
        let changes = store.product_changes(&sku, MAX_CHANGES).unwrap();
        for (at, column) in ["name", "description"].into_iter().enumerate() {
            // The columns of a product stand in this order.
            let now = shown.get(&sku).map(|texts| texts[at].as_str());
            replay(&changes, column, now).map_err(|why| format!("{sku} {column}: {why} in {changes:?}"))?;
        }
    }
    Ok(())
}

/// Goes from what is shown now back to the first change of a column.
fn replay(changes: &[ProductChangeRow], column: &str, now: Option<&str>) -> Result<(), String> {
    // Null: the product is not shown, or may have appeared since, which a source does without a change.
    let mut later = Some(now.map(str::to_owned));
    for change in changes {
        let texts: Value = serde_json::from_str(&change.texts).unwrap();
        let is_gone = texts["name"][1].is_null() && !texts["name"].is_null();
        let values = if texts[column].is_null() && (is_gone || texts["name"][0].is_null() && !texts["name"].is_null()) {
            // Of a product that appears or goes, empty texts are left out.
            let side = |side: usize| (!texts["name"][side].is_null()).then(String::new);
            [side(0), side(1)]
        } else if texts[column].is_null() {
            continue;
        } else {
            [0, 1].map(|side| texts[column][side].as_str().map(str::to_owned))
        };
        let [before, after] = values;
        let fits = match (&later, &after) {
            (Some(Some(_)), None) => true,
            (Some(later), after) => later == after,
            (None, _) => true,
        };
        if !fits {
            return Err(format!("{after:?} is not followed by {later:?}"));
        }
        later = Some(before);
    }
    Ok(())
}
