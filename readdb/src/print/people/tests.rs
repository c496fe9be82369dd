//! Tables in terminals of several widths: what is cut, what is aligned, and what stands below each other.

use super::*;

fn printed(columns: &[&str], rows: &[Vec<Cell>], width: Option<u16>) -> String {
    let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
    let mut out = Vec::new();
    Table { noun: "names in aggr", columns: &columns, rows, total: 12_345 }.write(width, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

const AGGR: [&str; 2] = ["name", "no_of_products"];

/// Columns that a line takes on a terminal; the test texts have no other wide characters.
fn shown_width(line: &str) -> usize {
    line.chars().map(|character| if ('\u{3000}'..'\u{a000}').contains(&character) { 2 } else { 1 }).sum()
}

#[test]
fn a_table_fits_the_terminal_with_one_line_per_row() {
    let rows = vec![vec![Cell::from("a\nb "), Cell::from(7)], vec![Cell::from("long ".repeat(50)), Cell::from(12)]];
    let text = printed(&AGGR, &rows, Some(40));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 7, "{text}");
    assert!(lines.iter().all(|line| shown_width(line) <= 40), "{text}");
    assert!(lines[1].ends_with(" no_of_products │"), "{text}");
    assert!(lines[3].starts_with("│ a\\nb ") && lines[3].ends_with("  7 │"), "{text}");
    assert!(lines[4].contains('…'), "{text}");
    assert_eq!(lines[6], "2 of 12,345 names in aggr");
}

#[test]
fn wide_characters_count_as_two_columns() {
    let rows = vec![vec![Cell::from("漢字".repeat(30)), Cell::from(1)], vec![Cell::from("漢字"), Cell::from(2)]];
    for width in [40, 41] {
        let text = printed(&AGGR, &rows, Some(width));
        let table: Vec<&str> = text.lines().take(6).collect();
        assert!(text.contains("漢…") || text.contains("字…"), "{text}");
        assert!(table.iter().all(|line| shown_width(line) == shown_width(table[0])), "{text}");
        assert!(shown_width(table[0]) <= usize::from(width), "{text}");
    }
}

#[test]
fn numbers_are_set_to_the_right_under_their_header() {
    let rows = vec![vec![Cell::from("a"), Cell::Digits("0.5".into())], vec![Cell::from("b"), Cell::Null]];
    let text = printed(&["x", "sum of all"], &rows, Some(80));
    assert!(text.contains("│ x ┆ sum of all │") && text.contains("│ a ┆        0.5 │"), "{text}");
}

#[test]
fn columns_that_do_not_fit_stand_below_each_other() {
    let columns = ["source", "first_seen", "last_applied", "reason"];
    let reason = "word ".repeat(100);
    let row = vec![Cell::from("north"), Cell::from(1), Cell::Null, Cell::from(reason.as_str())];
    let text = printed(&columns, &[row.clone(), row.clone()], Some(40));
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[..lines.len() - 1].iter().all(|line| shown_width(line) == 40), "{text}");
    assert_eq!(lines.len(), 2 * (2 + 3 + RECORD_LINES) + 1, "{text}");
    assert!(lines[1].starts_with("│ source       ┆ north "), "{text}");
    assert!(lines[3].starts_with("│ last_applied ┆  "), "{text}");
    assert!(lines[4].starts_with("│ reason       ┆ word word"), "{text}");
    assert!(text.contains('…') && lines.last() == Some(&"2 of 12,345 names in aggr"), "{text}");
    let wide = printed(&columns, &[row], Some(60));
    assert_eq!(wide.lines().count(), 6, "{wide}");
}

#[test]
fn the_narrowest_terminal_is_no_failure() {
    for width in 0..30 {
        printed(&AGGR, &[vec![Cell::from("long ".repeat(50)), Cell::from(7)]], Some(width));
    }
}

#[test]
fn without_a_terminal_cells_are_not_truncated() {
    let long = "long ".repeat(50);
    assert!(printed(&AGGR, &[vec![Cell::from(long.as_str()), Cell::Null]], None).contains(&long));
}
