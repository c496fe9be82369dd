//! Finding columns in a header, and groups of several columns.

use crate::support::{check, rejected, renamed, report};

#[test]
fn columns_are_found_by_their_names() {
    let sums = report(&[], &["sum(price)"]);
    check(&sums, "price\n1\n", &["1"]);
    check(&sums, "x,PRICE\n5,1\n", &["1"]);
    check(&sums, "\u{a0}Price ,x\n1,5\n", &["1"]);
    check(&sums, "Price,price,PRICE\n1,2,3\n", &["2"]);
    let (_, reason) = rejected(&sums, "Price,PRICE\n1,2\n");
    assert!(reason.contains("`Price`") && reason.contains("`PRICE`"), "{reason}");
    check(&report(&[], &["sum(\" Price \")"]), "price\n1\n", &["1"]);
    check(&report(&["ÉTÉ"], &["count()"]), "été\na\n", &["a|1"]);
    check(&report(&["Number of Sales"], &["count()"]), "number OF sales\na\n", &["a|1"]);
    let why = "no column `price`: name it in the header, or add its name to the report's columns; skip_rows = … skips lines \
               above the header, and header = […] names the columns of a file without one";
    assert_eq!(rejected(&sums, "Prices\n1\n"), (0, why.to_owned()));
}

#[test]
fn a_column_may_have_several_names() {
    let sums = renamed(report(&[], &["sum(price)"]), "Price", &["UnitPrice", "Unit_Price", "Cost"]);
    check(&sums, "unitprice\n1\n", &["1"]);
    check(&sums, "UNIT_PRICE\n1\n", &["1"]);
    check(&sums, "Cost,Unit_Price\n5,1\n", &["1"]);
    check(&sums, "Cost, unit_price , UnitPrice\n5,6,1\n", &["1"]);
    // A column with other names is not found by its own.
    let (line, reason) = rejected(&sums, "price\n1\n");
    assert_eq!(line, 0);
    assert!(reason.starts_with("no column `price` (one of `UnitPrice`, `Unit_Price`, `Cost`)"), "{reason}");
    // Two columns with the same name in files are one.
    let both = renamed(renamed(report(&[], &["sum(a - b)"]), "a", &["x"]), "b", &["X "]);
    check(&both, "x\n7\n", &["0"]);
}

#[test]
fn columns_that_the_report_does_not_use_may_be_missing() {
    let file = "a,b\n1,x\n2,y\n";
    check(&report(&[], &["count()"]), file, &["2"]);
    check(&renamed(report(&[], &["count()"]), "price", &["Price"]), file, &["2"]);
    check(&report(&["b"], &["max(a)"]), file, &["x|1", "y|2"]);
}

#[test]
fn groups_are_trimmed_texts_in_byte_order() {
    let file = "g\nb\n a\na \n\"a\"\n\u{3000}a\u{a0}\nA\né\n\"a,\"\"b\"\"\"\n\"a\nb\"\n";
    check(&report(&["g"], &["count()"]), file, &["A|1", "a|4", "a\nb|1", "a,\"b\"|1", "b|1", "é|1"]);
}

#[test]
fn several_columns_make_a_group() {
    let file = "a,b,c\nx,yz,1\nxy,z,2\nx,yz,3\nx,,4\n,z,5\n ,\t,6\n";
    let rejects = ["5: no `b`", "6: no `a`", "7: no `a`"];
    check(&report(&["a", "b"], &["sum(c)"]), file, &[&["x|yz|4", "xy|z|2"], &rejects[..]].concat());
    check(&report(&["b", "a"], &["sum(c)"]), "a,b,c\nx,yz,1\nxy,z,2\nx,yz,3\n", &["yz|x|4", "z|xy|2"]);
    // Groups are ordered by the first text, then by the second, whatever characters they contain.
    check(&report(&["a", "b"], &["count()"]), "a,b\nx!,a\nx,b\nx,a\n", &["x|a|1", "x|b|1", "x!|a|1"]);
    // A column may be summed and grouped by: groups compare its text, not its number.
    check(&report(&["c"], &["sum(c)"]), "c\n1\n1.0\n01\n1\n", &["01|1", "1|2", "1.0|1"]);
}
