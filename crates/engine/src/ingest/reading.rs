//! The *reading* of a file: the digest of everything beside its bytes that decides which rows it gives.

use serde_json::json;
use tributary_csv_gate::Columns;
use tributary_protocol::FormatSpec;

/// Returns the reading of a product feed. It changes whenever the same bytes could give other rows, so that the file is read again:
/// with the column names, the file's format, the version of the gate's rules, and that of the stored pages.
pub(crate) fn reading(columns: &Columns, format: &FormatSpec) -> String {
    let mapped = |name: &Option<String>| name.as_deref().map(|name| name.trim().to_owned());
    let mut decides = json!({
        "role": "feed",
        "gate": tributary_csv_gate::FORMAT,
        "merge": tributary_merge::FORMAT_VERSION,
        "columns": [mapped(&columns.sku), mapped(&columns.name), mapped(&columns.description), mapped(&columns.op)],
    });
    if let Some(format) = format.digest() {
        decides["format"] = format.into();
    }
    blake3::hash(decides.to_string().as_bytes()).to_hex()[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_changes_with_the_columns_and_the_format_and_with_nothing_else() {
        let none = FormatSpec::default();
        let sku = |name: &str| Columns { sku: Some(name.to_owned()), ..Columns::default() };
        assert_eq!(reading(&sku("Item code"), &none), reading(&sku(" Item code "), &none));
        assert_ne!(reading(&sku("Item code"), &none), reading(&sku("Item"), &none));
        assert_ne!(reading(&Columns::default(), &none), reading(&sku("sku"), &none));
        let name = Columns { name: Some("Item".to_owned()), ..Columns::default() };
        assert_ne!(reading(&sku("Item"), &none), reading(&name, &none));
        let tabs = FormatSpec { delimiter: Some("\t".into()), ..FormatSpec::default() };
        assert_ne!(reading(&name, &none), reading(&name, &tabs));
        assert_eq!(reading(&name, &tabs), reading(&name, &FormatSpec { files: vec!["*".into()], ..tabs }));
    }
}
