//! Own columns: the view, filters, orders, indexes, and what follows when a column goes.

use diesel::{
    QueryableByName, RunQueryDsl, sql_query,
    sql_types::{Nullable, Text},
};
use tributary_store::{
    AggrOrder, CatalogColumn, CatalogSettings, ColumnFilter, Comparison, ProductFilter, ProductOrder, ProductPlace,
    ProductRow, Store, write_own,
};

use crate::{Database, edit, product, shadowed};

fn settings(names: &[&str], index: &[&str]) -> CatalogSettings {
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let column = |(name, id): (&&str, i64)| CatalogColumn { id, name: (*name).to_owned() };
    CatalogSettings {
        columns: names.iter().zip(1..).map(column).collect(),
        shown: texts(names),
        index: texts(index),
        ..CatalogSettings::default()
    }
}

fn own<const N: usize>(texts: [(&str, &str); N]) -> Option<String> {
    let mut json = String::new();
    write_own(&mut json, texts).then_some(json)
}

fn priced(sku: &str, price: &str, brand: &str) -> ProductRow {
    ProductRow { own: own([("price", price), ("brand", brand)]), ..product(sku, "n") }
}

/// A database with prices of all kinds.
fn prices(index: &[&str]) -> Database {
    let mut database = Database::new();
    database.store.put_catalog_settings(&settings(&["price", "brand"], index)).unwrap();
    let rows = [
        ("a", "9.5", "Acme"),
        ("b", "10", ""),
        ("c", "", "Acme"),
        ("d", "-1", "x\"y'z"),
        ("e", "on request", "Acme"),
        ("f", "10", "Bolt"),
        ("g", "012", "42"),
        ("h", "1e3", ""),
    ];
    database.store.insert_products(&rows.map(|(sku, price, brand)| priced(sku, price, brand)), 5).unwrap();
    database
}

fn listed(store: &mut Store, conditions: &[(&str, Comparison, &str)]) -> String {
    let column = |(column, comparison, text): &(&str, Comparison, &str)| ColumnFilter {
        column: (*column).to_owned(),
        comparison: *comparison,
        text: (*text).to_owned(),
    };
    let filter = ProductFilter { columns: conditions.iter().map(column).collect(), ..ProductFilter::default() };
    let rows = store.products_page(&filter, None, 99).unwrap();
    assert_eq!(store.products_count(&filter).unwrap(), rows.len() as i64);
    rows.into_iter().map(|row| row.sku).collect()
}

#[test]
fn columns_are_compared_as_numbers_or_texts() {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    for index in [&[][..], &["price", "brand"]] {
        let mut database = prices(index);
        let mut check = |conditions: &[(&str, Comparison, &str)], expect: &str| {
            assert_eq!(listed(&mut database.store, conditions), expect, "{conditions:?}");
        };
        check(&[("brand", Equal, "Acme")], "ace");
        check(&[("brand", Equal, "")], "bh");
        check(&[("brand", Equal, "42")], "g");
        check(&[("brand", Equal, "x\"y'z")], "d");
        check(&[("brand", NotEqual, "Acme")], "bdfgh");
        check(&[("price", Equal, "10")], "bf");
        check(&[("price", Equal, "10.0")], "");
        check(&[("price", Greater, "9.5")], "bfh");
        check(&[("price", GreaterOrEqual, "9.5")], "abfh");
        check(&[("price", Less, "10")], "ad");
        check(&[("price", LessOrEqual, "-1")], "d");
        check(&[("price", Greater, "a")], "e");
        check(&[("brand", Less, "B")], "aceg");
        check(&[("name", Equal, "n"), ("price", Equal, "10"), ("brand", Equal, "")], "b");
        check(&[("sku", Greater, "f")], "gh");
        check(&[("sku", NotEqual, "a"), ("description", Equal, "")], "bcdefgh");
    }
}

#[test]
fn a_list_in_any_order_continues_behind_a_place() {
    for (index, column, descending, expect) in [
        (&[][..], "price", false, "cgedabfh"),
        (&["price"], "price", false, "cgedabfh"),
        (&["price"], "price", true, "hfbadegc"),
        (&[], "brand", false, "bhacefdg"),
        (&[], "sku", true, "hgfedcba"),
        (&["name"], "name", true, "hgfedcba"),
    ] {
        let mut database = prices(index);
        let order = ProductOrder { column: column.to_owned(), descending };
        let (mut found, mut after) = (String::new(), None);
        loop {
            let rows = database.store.products_in_order(&ProductFilter::default(), &order, after.as_ref(), 3).unwrap();
            let Some(last) = rows.last() else { break };
            let mut text = if column == "name" { last.name.clone() } else { String::new() };
            tributary_store::read_own(last.own.as_deref(), |name, value| {
                if name == column {
                    text = value;
                }
            })
            .unwrap();
            after = Some(ProductPlace { text, sku: last.sku.clone() });
            found.extend(rows.into_iter().map(|row| row.sku));
        }
        assert_eq!(found, expect, "{column} {descending}");
    }
}

#[test]
fn sql_clients_find_a_column_each_in_the_view() {
    #[derive(Debug, PartialEq, QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        price: String,
        #[diesel(sql_type = Nullable<Text>)]
        first_seen: Option<String>,
        #[diesel(sql_type = Nullable<Text>)]
        changed_at: Option<String>,
    }
    let mut database = prices(&[]);
    database.store.update_products(&[priced("a", "9.6", "Acme"), priced("b", "10", "")], 65).unwrap();
    let mut connection = database.client();
    let rows: Vec<Row> = sql_query("SELECT price, first_seen, changed_at FROM catalog WHERE sku <= 'c' ORDER BY sku")
        .load(&mut connection)
        .unwrap();
    let row = |price: &str, changed: &str| Row {
        price: price.to_owned(),
        first_seen: Some("1970-01-01T00:00:05Z".to_owned()),
        changed_at: Some(changed.to_owned()),
    };
    let (early, late) = ("1970-01-01T00:00:05Z", "1970-01-01T00:01:05Z");
    assert_eq!(rows, [row("9.6", late), row("10", early), row("", early)]);
}

#[test]
fn a_column_that_goes_leaves_nothing_but_edits() {
    let mut database = prices(&["price", "brand"]);
    let store = &mut database.store;
    let mut offer = shadowed("a", 1);
    offer.own = own([("price", "1")]);
    store.insert_shadowed(&[offer]).unwrap();
    let mut corrected = edit("a");
    corrected.own = own([("price", "2")]);
    store.put_edit(&corrected).unwrap();

    store.drop_own_column("price").unwrap();
    store.put_catalog_settings(&settings(&["brand"], &["brand"])).unwrap();
    let rows = store.sku_rows(&["a", "b", "c"]).unwrap();
    let own = rows.products.iter().map(|row| row.own.as_deref()).collect::<Vec<_>>();
    assert_eq!(own, [Some(r#"{"brand":"Acme"}"#), None, Some(r#"{"brand":"Acme"}"#)]);
    assert_eq!((rows.shadowed[0].own.as_deref(), rows.edits), (None, vec![corrected]));
    assert_eq!(listed(store, &[("brand", Comparison::Equal, "Acme")]), "ace");
    let mut connection = database.client();
    assert!(sql_query("SELECT price FROM catalog").execute(&mut connection).is_err());
}

#[test]
fn products_are_counted_by_any_column() {
    let mut database = prices(&[]);
    let store = &mut database.store;
    store.count_by("brand").unwrap();
    let rows = store.aggr_list(None, AggrOrder::Name, 9, 0).unwrap();
    let rows: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.no_of_products)).collect();
    assert_eq!(rows, [("", 2), ("42", 1), ("Acme", 3), ("Bolt", 1), ("x\"y'z", 1)]);
    assert_eq!(store.tally().unwrap().names, 5);
    store.insert_shadowed(&[shadowed("aa", 1), shadowed("b", 1)]).unwrap();
    assert_eq!(store.all_skus(None, 3).unwrap(), ["a", "aa", "b"]);
    assert_eq!(store.all_skus(Some("g"), 3).unwrap(), ["h"]);
}

/// Texts that some programs take for numbers.
const ODD: &[&str] = &[
    "1e309",
    "-1e309",
    "1E5",
    "1e+5",
    "1e-5",
    "-0",
    "0",
    "00",
    "01",
    "-01",
    "+1",
    ".5",
    "5.",
    "1.0",
    "1",
    "1.00",
    "0x1F",
    "1_000",
    "Infinity",
    "NaN",
    "-",
    "1e",
    "e1",
    "12345678901234567890",
    "12345678901234567891",
    "1,5",
    "true",
    "null",
    "[1]",
    "{}",
    "\"1\"",
    "",
];

/// The store and SQLite must agree on what a number is, or a list in pieces loses rows or never ends.
#[test]
fn odd_numbers_are_listed_in_pieces_of_one() {
    let mut database = Database::new();
    let store = &mut database.store;
    store.put_catalog_settings(&settings(&["price"], &[])).unwrap();
    let spaced = ["1 ", " 2", "\t3\n", "\u{a0}4", " "];
    let rows: Vec<_> = ODD.iter().enumerate().map(|(at, text)| priced(&format!("a{at:02}"), text, "")).collect();
    store.insert_products(&rows, 0).unwrap();
    let rows = spaced
        .iter()
        .enumerate()
        .map(|(at, text)| ProductRow { description: (*text).to_owned(), ..priced(&format!("b{at:02}"), "", "") });
    store.insert_products(&rows.collect::<Vec<_>>(), 0).unwrap();
    let all = ODD.len() + spaced.len();
    for (column, descending) in [("price", false), ("price", true), ("description", false), ("description", true)] {
        let order = ProductOrder { column: column.to_owned(), descending };
        let whole = store.products_in_order(&ProductFilter::default(), &order, None, 99).unwrap();
        let (mut found, mut after) = (Vec::new(), None);
        while found.len() <= all {
            let rows = store.products_in_order(&ProductFilter::default(), &order, after.as_ref(), 1).unwrap();
            let Some(row) = rows.into_iter().next() else { break };
            let mut text = row.description.clone();
            if column == "price" {
                text.clear();
                tributary_store::read_own(row.own.as_deref(), |_, value| text = value).unwrap();
            }
            after = Some(ProductPlace { text, sku: row.sku.clone() });
            found.push(row);
        }
        assert_eq!(found, whole, "{order:?}");
        assert_eq!(found.len(), all);
    }
    for text in ODD.iter().filter(|text| !text.is_empty()) {
        let at = ODD.iter().position(|other| other == text).unwrap();
        assert_eq!(listed(store, &[("price", Comparison::Equal, text)]), format!("a{at:02}"), "{text}");
    }
}
