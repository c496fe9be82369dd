//! Query plans: a query for a few rows must find them by key. A scan of the whole table would show in nothing but time.

use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query, sql_types::Text};
use tributary_store::{
    CatalogColumn, CatalogSettings, Error, FileRow, ProductFilter, ProductOrder, ProductPlace, RejectFilter, SkuRange,
    Store,
};

use crate::{Database, FEED, edit, recorded::statements, strings};

/// The plan of each statement that `run` executes, one text per step.
fn plans<T>(run: impl FnOnce(&mut Store) -> Result<T, Error>) -> Vec<String> {
    plans_after(|_| Ok(()), run)
}

/// As [`plans`], of a database that `prepare` has changed.
fn plans_after<T>(
    prepare: impl FnOnce(&mut Store) -> Result<(), Error>,
    run: impl FnOnce(&mut Store) -> Result<T, Error>,
) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = Text)]
        detail: String,
    }
    let database = Database::file();
    let statements = statements(&database.url, prepare, run);
    let mut connection = SqliteConnection::establish(database.url.place().to_str().unwrap()).unwrap();
    let mut explain =
        |sql: &String| -> Vec<Step> { sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load(&mut connection).unwrap() };
    statements.iter().flat_map(&mut explain).map(|step| step.detail).collect()
}

#[track_caller]
fn check<T>(run: impl FnOnce(&mut Store) -> Result<T, Error>, expect: &[&str]) {
    let plans = plans(run);
    assert!(!plans.is_empty(), "no query was run");
    let scans: Vec<_> =
        plans.iter().filter(|step| step.starts_with("SCAN") && !step.contains("CONSTANT ROW")).collect();
    assert!(scans.is_empty(), "{scans:?} among {plans:?}");
    for found in expect {
        assert!(plans.iter().any(|step| step.starts_with(found)), "no `{found}` among {plans:?}");
    }
}

/// Guards against an edit, or a look at a product, that takes longer the more files there are.
#[test]
fn one_product_is_found_without_reading_all_files() {
    let filter = ProductFilter { sku: Some("a".to_owned()), ..ProductFilter::default() };
    check(|store| store.products_page(&filter, None, 1), &["SEARCH products USING PRIMARY KEY", "SEARCH files"]);
    check(|store| store.products_count(&filter), &["SEARCH products USING PRIMARY KEY"]);
    check(|store| store.products_page(&ProductFilter::default(), Some("a"), 9), &["SEARCH products USING PRIMARY KEY"]);
    check(|store| store.sku_at_distance(Some("a"), 9, true, true), &["SEARCH edits USING PRIMARY KEY (sku<?)"]);
    let range = SkuRange { first: Some("a".to_owned()), last: Some("b".to_owned()), has_edit: true };
    let edited = ProductFilter { edited: Some(true), range, ..ProductFilter::default() };
    check(
        |store| store.products_page(&edited, Some("a"), 9),
        &["SEARCH products USING PRIMARY KEY (sku=?)", "SEARCH edits USING PRIMARY KEY (sku>? AND sku<?)"],
    );
    check(|store| store.is_shown("a"), &["SEARCH products USING"]);
    check(|store| store.edit("a"), &["SEARCH edits USING PRIMARY KEY"]);
    check(
        |store| store.put_edit(&edit("a")).and_then(|()| store.delete_edit("a")),
        &["SEARCH edits USING PRIMARY KEY"],
    );
    check(|store| store.sku_rows(&["a"]), &["SEARCH products USING", "SEARCH shadowed USING", "SEARCH edits USING"]);
    check(|store| store.edits_of(&["a"]), &["SEARCH edits USING PRIMARY KEY"]);
    check(|store| store.file_origins(&[1, 2]), &["SEARCH files USING INTEGER PRIMARY KEY"]);
    check(|store| store.page_lines(1, "a"), &["SEARCH pages USING INDEX"]);
}

/// Guards against an apply or a verdict that takes longer the more files a source has.
#[test]
fn one_file_is_found_without_reading_the_others() {
    let index = "SEARCH files USING INDEX sqlite_autoindex_files_1";
    let by_path = &format!("{index} (reader=? AND source_id=? AND path=?)");
    check(|store| store.file_of(FEED, "north", "a.csv"), &[by_path]);
    check(|store| store.files_at(FEED, 1, &["a.csv", "b.csv"]), &[by_path]);
    check(|store| store.files(FEED, 1), &[&format!("{index} (reader=? AND source_id=?)")]);
    let put = |store: &mut Store| {
        let source = store.put_source("north", "http://n", 0, 0)?;
        store.put_file(&mut FileRow::new(FEED, source, "a.csv"))
    };
    check(put, &["SEARCH files USING COVERING INDEX"]);
    check(
        |store| store.rejected_files(FEED, 1),
        &["SEARCH files USING INDEX rejected_files (reader=? AND source_id=?)"],
    );
    check(|store| store.page_digests(1), &["SEARCH pages USING INDEX"]);
}

/// Guards against an apply, a page or a report that takes longer the more files other readers have.
#[test]
fn the_files_of_a_reader_are_found_without_reading_those_of_others() {
    let of_reader = "SEARCH files USING INDEX sqlite_autoindex_files_1 (reader=?)";
    check(|store| store.files_of_reader("sales"), &[of_reader]);
    check(|store| store.all_file_origins(FEED), &[of_reader]);
    check(|store| store.report_failures("sales"), &["SEARCH failed_reports USING PRIMARY KEY"]);
    check(|store| store.clear_report_failure("sales", 1), &["SEARCH failed_reports USING PRIMARY KEY"]);
}

/// Guards against pages of rejects and sources that take longer the more rejects and files there are.
#[test]
fn rejects_are_found_by_their_files_and_sums_in_an_index() {
    let of_file = RejectFilter { file: Some("a.csv".to_owned()), ..RejectFilter::default() };
    let of_source = RejectFilter { source: Some("north".to_owned()), ..RejectFilter::default() };
    let key = "SEARCH rejects USING INTEGER PRIMARY KEY (rowid<?)";
    check(|store| store.newest_rejects(&RejectFilter::default(), None, 9), &[key]);
    let newest = plans(|store| store.newest_rejects(&of_source, None, 9));
    let of_each = "SEARCH rejects USING COVERING INDEX rejects_by_file (file_id=? AND rowid<?)";
    assert!(newest.iter().any(|step| step == of_each), "{newest:?}");
    let whole: Vec<_> = plans(|store| store.newest_rejects(&of_file, None, 9));
    assert!(!whole.iter().any(|step| step.starts_with("SCAN rejects")), "{whole:?}");
    check(|store| store.reject_reasons(1, 9), &["SEARCH rejects USING INDEX rejects_by_file (file_id=?)"]);
    let sums = plans(|store| store.sources_view(FEED));
    assert!(sums.iter().any(|step| step == "SCAN files USING COVERING INDEX file_sums"), "{sums:?}");
    assert!(sums.iter().any(|step| step.ends_with("INDEX rejected_files")), "{sums:?}");
}

/// Guards against operations that take longer the more messages are remembered.
#[test]
fn messages_of_operations_are_found_by_their_ids() {
    let index = "SEARCH operation_messages USING COVERING INDEX sqlite_autoindex_operation_messages_1 (id=?)";
    check(|store| store.known_operation_messages(&["a", "b"]), &[index]);
}

/// Guards against a page in the middle of a sorted list that reads all that lies before it: of 5,000,000 products it took 40 s.
#[test]
fn a_place_in_an_order_is_found_by_the_index() {
    let index = |store: &mut Store| {
        let column = CatalogColumn { id: 1, name: "price".to_owned() };
        let shown = vec!["price".to_owned()];
        store.put_catalog_settings(&CatalogSettings {
            columns: vec![column],
            shown: shown.clone(),
            index: shown,
            ..CatalogSettings::default()
        })
    };
    for (text, descending) in [("5", false), ("5", true), ("x", false), ("x", true)] {
        let order = ProductOrder { column: "price".to_owned(), descending };
        let place = ProductPlace { text: text.to_owned(), sku: "a".to_owned() };
        let plans = plans_after(index, |store| {
            store.products_in_order(&ProductFilter::default(), &order, Some(&place), 9).map(drop)
        });
        let of_products: Vec<_> = plans.iter().filter(|step| step.contains(" products")).collect();
        let seeks = |step: &&String| step.starts_with("SEARCH products USING INDEX catalog_by_price");
        assert!(!of_products.is_empty() && of_products.iter().all(seeks), "{text} {plans:?}");
        assert!(plans.iter().all(|step| !step.contains("TEMP B-TREE")), "{text} {plans:?}");
    }
}

/// Guards against a page of a product, or an edit, that takes longer the more has changed.
#[test]
fn changes_of_products_are_found_by_sku_and_number() {
    let by_sku = "SEARCH product_changes USING INDEX product_changes_by_sku (sku=?)";
    let by_id = "SEARCH product_changes USING INTEGER PRIMARY KEY";
    check(|store| store.product_changes("a", 9), &[by_sku]);
    check(|store| store.product_change("a", 1), &[by_id]);
    check(Store::newest_product_change, &["SEARCH product_changes"]);
    check(|store| store.delete_product_changes_after(Some(1)), &[by_id]);
}

#[test]
fn rows_are_deleted_by_their_keys() {
    // The rows do not exist, which is an error, but the statements are run all the same.
    let check = |run: fn(&mut Store) -> Result<(), Error>, expect: &str| {
        check(|store| Ok(run(store).is_err()), &[expect]);
    };
    check(|store| store.delete_products(&strings(&["a", "b"])), "SEARCH products USING PRIMARY KEY");
    check(|store| store.delete_shadowed(&[("a", 1), ("b", 2)]), "SEARCH shadowed USING PRIMARY KEY");
    check(|store| store.delete_file(1), "SEARCH files USING INTEGER PRIMARY KEY");
}
