//! The tables of reports: any names, all values, created again when their columns change, and read in any order.

use std::time::Instant;

use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query, sql_types::BigInt};
use tributary_store::{Error, GroupRow, MAX_PAGE_BYTES, ReportOrder, ReportRange, ReportTable, ReportValue, Store};

use ReportValue::{Decimal, Integer, Null, Real, Text};

use crate::{Database, strings};

pub(crate) fn table(name: &str, group_by: &[&str], metrics: &[&str]) -> ReportTable {
    ReportTable { name: name.to_owned(), group_by: strings(group_by), metrics: strings(metrics) }
}

fn row(group: &[&str], values: &[ReportValue]) -> GroupRow {
    GroupRow { group: strings(group), values: values.to_vec() }
}

fn all(store: &mut Store, table: &ReportTable) -> Vec<GroupRow> {
    store.report_rows(table, ReportRange::ALL).unwrap()
}

fn ordered(order: ReportOrder<'_>) -> ReportRange<'_> {
    ReportRange { order, ..ReportRange::ALL }
}

fn write(store: &mut Store, table: &ReportTable, rows: impl IntoIterator<Item = GroupRow>) -> i64 {
    store.transaction(|store| store.write_report(table, rows)).unwrap()
}

/// The number that a query of any SQL client returns as `n`.
fn count(connection: &mut SqliteConnection, query: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    sql_query(query).get_result::<Count>(connection).unwrap().n
}

#[test]
fn columns_may_be_named_by_anything() {
    let mut database = Database::new();
    let is_file = database.url.file().is_some();
    let empty = if is_file { "" } else { "a name for PostgreSQL" };
    let names = ["Department Name", "a\"b", "select", "größe 📦", empty, "a.b", "'x'", "?", ";--"];
    let table = table("odd \"name", &names[..5], &names[5..]);
    let rows = [
        row(&["a", "", "c\"", "é", "'"], &[Integer(1), Null, Real(0.1), Text("9".repeat(30))]),
        row(
            &[if is_file { "a\0b" } else { "a\u{1}b" }, "?", ";", "x", "y"],
            &[Integer(i64::MIN), Integer(i64::MAX), Real(-1e300), Null],
        ),
    ];
    assert_eq!(write(&mut database.store, &table, rows.clone()), 2);
    assert_eq!(all(&mut database.store, &table), rows);
    assert_eq!(database.store.stored_report("odd \"name").unwrap().as_ref(), Some(&table));
    for name in names {
        let found = database.store.report_rows(&table, ordered(ReportOrder::Descending(name))).unwrap();
        assert_eq!(found.len(), 2, "{name:?}");
    }
    // SQLite takes a quoted name of no column for a text.
    assert!(database.store.report_rows(&table, ordered(ReportOrder::Ascending("none"))).is_err());
}

#[test]
fn a_table_is_created_again_when_its_columns_change() {
    let mut database = Database::new();
    let store = &mut database.store;
    let tables = [
        table("sales", &["a"], &["n"]),
        table("sales", &["a", "b"], &["n"]),
        table("sales", &["b", "a"], &["n"]),
        table("sales", &["b", "a"], &["m", "n"]),
        table("sales", &["b", "a"], &["n", "m"]),
        table("sales", &[], &["n"]),
    ];
    assert_eq!(store.stored_report("sales").unwrap(), None);
    for table in &tables {
        let width = table.group_by.len();
        let row = row(&["x", "y"][..width], &[Integer(1), Null][..table.metrics.len()]);
        // Twice: the second time its rows are replaced.
        for _ in 0..2 {
            assert_eq!(write(store, table, [row.clone()]), 1);
            assert_eq!(store.stored_report("sales").unwrap().as_ref(), Some(table));
            assert_eq!(all(store, table), std::slice::from_ref(&row));
        }
        assert_eq!(write(store, table, []), 0);
        assert!(all(store, table).is_empty());
    }
    assert_eq!(store.report_names().unwrap(), strings(&["sales"]));
}

#[test]
fn a_group_that_occurs_twice_is_an_error_and_changes_nothing() {
    let mut database = Database::new();
    let table = table("sales", &["a"], &["n"]);
    write(&mut database.store, &table, [row(&["old"], &[Integer(1)])]);
    let twice = [row(&["x"], &[Integer(1)]), row(&["x"], &[Integer(2)])];
    let failed: Result<i64, Error> = database.store.transaction(|store| store.write_report(&table, twice));
    assert!(failed.unwrap_err().to_string().contains("write [\"x\"] or a group after it to the report \"sales\""));
    assert_eq!(all(&mut database.store, &table), [row(&["old"], &[Integer(1)])]);
}

#[test]
fn values_of_every_kind_stand_in_one_column() {
    let mut database = Database::new();
    let table = table("mixed", &["k"], &["v", "w"]);
    let value = |number: i64| match number % 5 {
        0 => Null,
        1 => Integer(number),
        2 => Real(number as f64 / 3.0),
        3 => Text(format!("{number}{}", "0".repeat(30))),
        _ => Integer(-number),
    };
    let keys: Vec<String> = (0..5_000).map(|number| format!("{number:05}")).collect();
    // Mixed at first, then one kind with nulls, then only nulls.
    let of = |number: i64| match number {
        ..2_000 => [value(number), value(number + 1)],
        2_000..4_000 => [Integer(number), if number % 2 == 0 { Null } else { Real(0.5) }],
        _ => [Null, Null],
    };
    let rows: Vec<_> = (0..).zip(&keys).map(|(number, key)| row(&[key], &of(number))).collect();
    assert_eq!(write(&mut database.store, &table, rows.clone()), 5_000);
    assert_eq!(all(&mut database.store, &table), rows);
}

#[test]
fn decimals_keep_their_digits_beside_numbers_that_sql_can_compare() {
    let mut database = Database::file();
    let (store, path) = (&mut database.store, database.url.place().to_owned());
    let decimal = |digits: &str| Decimal(digits.to_owned());
    let (large, small) = (decimal("12345678901234567.89"), decimal("-0.12345678901234567891"));
    let tables = [(table("odd \"n", &["k", "a\"b"], &["v", "w x"]), 2), (table("odd \"n", &[], &["v", "w x"]), 0)];
    for (table, keys) in tables {
        let row = |number: usize, values: &[ReportValue]| row(&[&format!("{number:04}"), "x"][..keys], values);
        let mut rows = vec![row(0, &[large.clone(), Null])];
        if keys > 0 {
            let more = |number| row(number, &[Real(0.5), if number % 700 == 0 { small.clone() } else { Integer(7) }]);
            rows.extend((1..3_000).map(more));
        }
        write(store, &table, rows.clone());
        assert_eq!(all(store, &table), rows);
        let first =
            store.report_rows(&table, ReportRange { limit: 1, ..ordered(ReportOrder::Descending("v")) }).unwrap();
        assert_eq!(first, rows[..1], "by size");
        // What any SQL client sees.
        let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        let number = "SELECT count(*) AS n FROM \"report_odd \"\"n\" WHERE v > 1e16 AND typeof(v) = 'real'";
        let exact =
            "SELECT count(*) AS n FROM \"exact_odd \"\"n\" WHERE v = '12345678901234567.89' AND \"w x\" IS NULL";
        assert_eq!([number, exact].map(|query| count(&mut connection, query)), [1, 1]);
        // Without such a value there is no second table.
        write(store, &table, [row(0, &[Real(0.5), Null])]);
        assert_eq!(all(store, &table), [row(0, &[Real(0.5), Null])]);
        assert_eq!(count(&mut connection, "SELECT count(*) AS n FROM sqlite_schema WHERE name LIKE 'exact%'"), 0);
        write(store, &table, rows);
    }
    store.drop_report("odd \"n").unwrap();
    assert!(store.report_names().unwrap().is_empty());
}

#[test]
fn rows_are_read_in_every_order_and_nulls_come_last() {
    let mut database = Database::new();
    let store = &mut database.store;
    let table = table("sales", &["k"], &["v"]);
    let (large, negative) = ("9".repeat(30), format!("-{}", "9".repeat(30)));
    let values = [Null, Integer(2), Text(large), Real(1.5), Text(negative), Integer(2)];
    let rows = ["a", "b", "c", "d", "e", "f"].iter().zip(values).map(|(key, value)| row(&[key], &[value]));
    write(store, &table, rows);
    let mut check = |order, (limit, offset), expect: &str| {
        let rows = store.report_rows(&table, ReportRange { limit, offset, ..ordered(order) }).unwrap();
        assert_eq!(
            rows.iter().map(|row| row.group[0].as_str()).collect::<String>(),
            expect,
            "{order:?} {limit} {offset}"
        );
    };
    check(ReportOrder::Key, (-1, 0), "abcdef");
    check(ReportOrder::Descending("k"), (-1, 0), "fedcba");
    check(ReportOrder::Ascending("v"), (-1, 0), "edbfca");
    check(ReportOrder::Descending("v"), (-1, 0), "cbfdea");
    check(ReportOrder::Descending("v"), (2, 1), "bf");
    check(ReportOrder::Key, (2, 5), "f");
    check(ReportOrder::Key, (2, 6), "");
}

#[test]
fn a_reader_sees_the_old_rows_until_the_new_ones_are_committed() {
    // On a server, a reader waits for a transaction that changes the columns.
    let mut database = Database::file();
    let (old, new) = (table("sales", &["a"], &["n"]), table("sales", &["a"], &["m"]));
    write(&mut database.store, &old, [row(&["x"], &[Integer(1)])]);
    let mut reader = database.store.reader().unwrap();
    let expect = [row(&["x"], &[Integer(1)])];
    database
        .store
        .transaction::<_, Error>(|store| {
            store.write_report(&old, [row(&["y"], &[Integer(2)])])?;
            assert_eq!(all(&mut reader, &old), expect);
            store.write_report(&new, [row(&["z"], &[Integer(3)])])?;
            assert_eq!(all(&mut reader, &old), expect);
            Ok(())
        })
        .unwrap();
    assert_eq!(all(&mut reader, &new), [row(&["z"], &[Integer(3)])]);
    // The table is there, the column is not.
    assert!(reader.report_rows(&old, ReportRange::ALL).is_err());
}

#[test]
fn a_million_groups_are_written_and_read_in_their_order() {
    let mut database = Database::new();
    let table = table("large", &["key"], &["rows", "total"]);
    let rows = (0..1_000_000_i64).map(|number| GroupRow {
        group: vec![format!("group-{number:07}")],
        values: vec![Integer(number), Real(number as f64 / 7.0)],
    });
    let started = Instant::now();
    let written = database.store.transaction_of(1_000_000, |store| store.write_report(&table, rows.clone())).unwrap();
    let wrote = started.elapsed();
    assert_eq!(written, 1_000_000);
    let mut expected = rows;
    let each = |row| {
        assert_eq!(Some(row), expected.next());
        Ok::<_, Error>(())
    };
    database.store.each_report_row(&table, ReportRange::ALL, each).unwrap();
    assert_eq!(expected.next(), None);
    println!("wrote a million groups in {wrote:.2?}, read them in {:.2?}", started.elapsed() - wrote);
}

/// Fifty rows of a page may have 200 MiB of keys.
#[test]
fn a_page_of_long_groups_ends_early_and_never_before_its_first_row() {
    let mut database = Database::new();
    let table = table("long", &["g"], &["n"]);
    let groups: Vec<String> = (0..9).map(|number| format!("{number}{}", "x".repeat(MAX_PAGE_BYTES / 3))).collect();
    write(&mut database.store, &table, groups.iter().map(|group| row(&[group], &[Integer(1)])));
    let mut page = |offset, limit| {
        let range = ReportRange { limit, offset, ..ReportRange::ALL };
        database
            .store
            .report_page(&table, range)
            .unwrap()
            .into_iter()
            .map(|row| row.group[0].clone())
            .collect::<Vec<_>>()
    };
    assert!(page(0, 50) == groups[..3] && page(3, 2) == groups[3..5] && page(8, 50) == groups[8..]);
    let huge = "y".repeat(MAX_PAGE_BYTES + 1);
    write(&mut database.store, &table, [row(&[&huge], &[Integer(1)]), row(&["z"], &[Integer(1)])]);
    assert_eq!(database.store.report_page(&table, ReportRange::ALL).unwrap().len(), 1);
}
