//! Many rows per statement: lists of any size are written as single rows would be, and a missing row is reported.

use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query, sql_types::Text};
use tributary_store::{AggrRow, Error, Tally};

use crate::{Database, product, shadowed};

/// Around the sizes of the statements: 1, 16 and 256 rows.
const SIZES: [usize; 9] = [0, 1, 15, 16, 17, 255, 256, 257, 800];

fn sku(number: usize) -> String {
    format!("sku-{number:05}")
}

#[test]
fn lists_of_every_size_are_written_as_a_whole() {
    for size in SIZES {
        let mut database = Database::file();
        let skus: Vec<String> = (0..size).map(sku).collect();
        let products: Vec<_> = skus.iter().map(|sku| product(sku, &format!("name of {sku}"))).collect();
        let offers: Vec<_> = skus.iter().flat_map(|sku| [shadowed(sku, 1), shadowed(sku, 2)]).collect();
        let store = &mut database.store;
        store.insert_products(&products, 0).unwrap();
        store.insert_shadowed(&offers).unwrap();
        let state = store.sku_rows(&skus).unwrap();
        assert_eq!((state.products, state.shadowed), (products.clone(), offers), "{size} inserted");
        assert_eq!(store.tally().unwrap(), Tally { products: size as i64, names: 0 }, "{size} inserted");

        let changed: Vec<_> = skus.iter().map(|sku| product(sku, "other")).collect();
        store.update_products(&changed, 0).unwrap();
        let hidden: Vec<_> = skus.iter().map(|sku| (sku.clone(), 2)).collect();
        store.delete_shadowed(&hidden).unwrap();
        let state = store.sku_rows(&skus).unwrap();
        let left: Vec<_> = skus.iter().map(|sku| shadowed(sku, 1)).collect();
        assert_eq!((state.products, state.shadowed), (changed, left), "{size} changed");

        store.delete_products(&skus).unwrap();
        assert_eq!(store.sku_rows(&skus).unwrap().products, [], "{size} deleted");
        assert_eq!(store.tally().unwrap().products, 0, "{size} deleted");
    }
}

#[test]
fn names_of_every_number_are_counted() {
    for size in SIZES {
        let mut database = Database::file();
        let moves = |by: i64| (0..size).map(|number| (sku(number), by)).collect::<Vec<_>>();
        database.store.add_to_aggr(&moves(2)).unwrap();
        database.store.add_to_aggr(&moves(-1)).unwrap();
        let counts = database.store.aggr_page(None, None, i64::MAX).unwrap();
        let expected: Vec<_> =
            moves(1).into_iter().map(|(name, no_of_products)| AggrRow { name, no_of_products }).collect();
        assert_eq!(counts, expected);
        database.store.add_to_aggr(&moves(-1)).unwrap();
        assert_eq!(database.store.tally().unwrap().names, 0);
    }
}

#[test]
fn a_row_that_is_missing_among_many_is_a_contradiction() {
    let mut database = Database::file();
    let products: Vec<_> = (0..300).filter(|number| *number != 77).map(|number| product(&sku(number), "a")).collect();
    database.store.insert_products(&products, 0).unwrap();
    let error = database.store.delete_products(&(0..300).map(sku).collect::<Vec<_>>()).unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }));
    assert!(error.to_string().contains("1 of 300 rows do not exist"), "{error}");
}

/// `.cargo/config.toml` sets how SQLite is built. A build that does not read it is slower, and nothing else would show it.
#[test]
fn sqlite_is_built_without_locks_of_its_own() {
    #[derive(QueryableByName)]
    struct CompileOption {
        #[diesel(sql_type = Text)]
        compile_options: String,
    }
    let mut connection = SqliteConnection::establish(":memory:").unwrap();
    let options: Vec<CompileOption> = sql_query("PRAGMA compile_options").load(&mut connection).unwrap();
    assert!(options.iter().any(|option| option.compile_options == "THREADSAFE=2"));
}

/// A scan of the table for each statement would show in nothing but time.
#[test]
fn rows_are_found_by_their_keys() {
    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = Text)]
        detail: String,
    }
    let database = Database::file();
    let mut connection = SqliteConnection::establish(database.url.place().to_str().unwrap()).unwrap();
    for (statement, table) in [
        ("DELETE FROM products WHERE sku IN ('a','b')", "products"),
        ("DELETE FROM aggr WHERE name IN ('a','b')", "aggr"),
        ("DELETE FROM shadowed WHERE (sku, file_id) IN (VALUES ('a',1),('b',2))", "shadowed"),
    ] {
        let plan: Vec<Step> = sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(&mut connection).unwrap();
        let found = format!("SEARCH {table} USING PRIMARY KEY");
        let details: Vec<_> = plan.into_iter().map(|step| step.detail).collect();
        assert!(details.iter().any(|detail| detail.starts_with(&found)), "{statement}: {details:?}");
    }
}
