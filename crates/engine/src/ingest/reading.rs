//! The *reading* of a file: the digest of everything beside its bytes that decides which rows it gives.

use serde_json::json;
use tributary_csv_gate::Columns;

/// Returns the reading of a source's product feeds. It changes whenever the same bytes could give other rows, so that every
/// file is read again: with the column names, the format of the gate, and the format of the stored pages.
pub(crate) fn reading(columns: &Columns) -> String {
    // Folded, because the gate compares header names trimmed and in any case.
    let mapped = |name: &Option<String>| name.as_deref().map(tributary_csv_gate::folded);
    let decides = json!({
        "role": "feed",
        "gate": tributary_csv_gate::FORMAT,
        "merge": tributary_merge::FORMAT_VERSION,
        "columns": [mapped(&columns.sku), mapped(&columns.name), mapped(&columns.description), mapped(&columns.op)],
    });
    blake3::hash(decides.to_string().as_bytes()).to_hex()[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_changes_with_the_columns_and_with_nothing_else() {
        let sku = |name: &str| Columns { sku: Some(name.to_owned()), ..Columns::default() };
        assert_eq!(reading(&sku("Item code")), reading(&sku(" item CODE ")));
        assert_ne!(reading(&sku("Item code")), reading(&sku("Item")));
        assert_ne!(reading(&Columns::default()), reading(&sku("sku")));
        let name = Columns { name: Some("Item".to_owned()), ..Columns::default() };
        assert_ne!(reading(&sku("Item")), reading(&name));
    }
}
