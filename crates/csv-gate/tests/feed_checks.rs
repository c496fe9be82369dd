//! Checks of the rows of feeds: which cells they see, and what a row that fails leaves behind.

use tributary_csv_gate::{
    CheckedCell, CheckedRow, Columns, Error, Feed, OpWords, OwnColumn, Reason, RowCheck, Settings, Table,
};

use crate::{flat, open};

/// A check that fails where one of its columns has a word in it.
struct Lacks {
    columns: Vec<&'static str>,
    word: &'static str,
}

impl RowCheck for Lacks {
    fn columns(&self) -> Vec<&str> {
        self.columns.clone()
    }

    fn check(&mut self, row: CheckedRow<'_>) -> Result<(), Reason> {
        let cells = self.columns.iter().enumerate();
        let shown = |(at, column): (usize, &&str)| CheckedCell::new(column, row.text(at).unwrap_or("(none)"));
        let cells: Vec<_> = cells.map(shown).collect();
        match cells.iter().any(|cell| cell.found.contains(self.word)) {
            true => Err(Reason::RowCheck { check: format!("lacks {}", self.word), cells }),
            false => Ok(()),
        }
    }
}

fn lacks(columns: &[&'static str], word: &'static str) -> Box<dyn RowCheck + Send> {
    Box::new(Lacks { columns: columns.to_vec(), word })
}

fn own(name: &str, headers: &[&str]) -> OwnColumn {
    OwnColumn { name: name.to_owned(), headers: names(headers) }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn feed<'a>(file: &'a str, columns: &Columns) -> Feed<&'a [u8]> {
    let table = open("a.csv", file.as_bytes(), &Settings::default()).expect("this is a table");
    Feed::new(table, columns, OpWords::new()).expect("this is a feed")
}

/// The offers as `SKU:NAME`, and the rejects as `LINE: REASON`.
fn seen(mut feed: Feed<&[u8]>) -> (Vec<String>, Vec<String>) {
    let mut offers = Vec::new();
    while let Some(offer) = feed.next_offer().expect("these bytes do not fail") {
        offers.push(format!("{}:{}", offer.sku, offer.texts.get(0)));
    }
    assert_eq!(feed.rows(), offers.len() as u64 + feed.rejects().total);
    (offers, flat(feed.rejects()).into_iter().map(|(line, reason, _)| format!("{line}: {reason}")).collect())
}

#[track_caller]
fn check(feed: Feed<&[u8]>, offers: &[&str], rejects: &[&str]) {
    assert_eq!(seen(feed), (names(offers), names(rejects)));
}

#[test]
fn a_check_sees_columns_of_the_catalog_and_cells_of_the_file() {
    let columns = Columns {
        sku: names(&["Item"]),
        name: names(&["Title"]),
        own: vec![own("price", &["RRP"]), own("stock", &[])],
        ..Columns::default()
    };
    // `price` is mapped, so the column of the file that is called so is never meant.
    let file = "Item,Title,RRP,price,Colour,note\n a , A ,\" 1\"\"x \",no, red ,\"x\"\"\"\nb,B,2,x,blue,\n";
    let all = lacks(&["SKU", "name", "price", "stock", "colour", "Note", "gone"], "x");
    let reject = "2: `lacks x` is not true: SKU is `a`, name is `A`, price is `1\"x`, stock is `(none)`, colour is `red`, \
                  Note is `x\"`, gone is `(none)`";
    check(feed(file, &columns).check(all).unwrap(), &["b:B"], &[reject]);
}

#[test]
fn the_first_check_that_fails_says_why() {
    let file = "sku,name,a,b\n1,n,x,y\n2,n,,y\n3,n,x,\n4,n,,\n";
    let checked = feed(file, &Columns::default()).check(lacks(&["a"], "x")).unwrap().check(lacks(&["b"], "y")).unwrap();
    let rejects = [
        "2: `lacks x` is not true: a is `x`",
        "3: `lacks y` is not true: b is `y`",
        "4: `lacks x` is not true: a is `x`",
    ];
    check(checked, &["4:n"], &rejects);
}

#[test]
fn a_check_without_columns_in_the_file_is_dropped() {
    let columns = Columns { own: vec![own("price", &["RRP"])], ..Columns::default() };
    let checked = feed("sku,name,price\n1,n,none\n", &columns);
    check(checked.check(lacks(&["price", "stock"], "none")).unwrap(), &["1:n"], &[]);
}

#[test]
fn an_ambiguous_column_rejects_the_file() {
    let file = "sku,name,Weight,weight\n1,n,1,2\n";
    assert!(feed(file, &Columns::default()).check(lacks(&["weight"], "x")).is_ok());
    match feed(file, &Columns::default()).check(lacks(&["WEIGHT"], "x")).map(|_| ()) {
        Err(Error::Rejected(reject)) => {
            assert_eq!((reject.line, reject.raw.as_str()), (1, "sku,name,Weight,weight"));
            assert!(reject.reason.contains("`WEIGHT` could be column 3, `Weight`, or column 4, `weight`"), "{reject}");
        }
        other => panic!("should be rejected, but is {other:?}"),
    }
}

#[test]
fn rows_that_delete_are_not_checked() {
    let file = "sku,name,op,a\n1,x,delete,x\n2,n,,x\n,n,delete,x\n3,n,what,x\n";
    let checked = feed(file, &Columns::default()).check(lacks(&["sku", "name", "a"], "x")).unwrap();
    let rejects = [
        "3: `lacks x` is not true: sku is `2`, name is `n`, a is `x`",
        "4: no sku",
        "5: unknown op `what`: op = { \"what\" = \"upsert\" } or \"delete\" says what it means",
    ];
    check(checked, &["1:"], &rejects);
}

/// A variant does not lose its name because the first one has a bad price.
#[test]
fn a_row_that_fails_leaves_its_texts_to_those_below() {
    let file = "handle,sku,name,price\nshirt,s1,Shirt,-1\nshirt,s2,,2\nshirt,s3,,-3\nhat,h1,,4\n";
    let rejects = [
        "2: `lacks -` is not true: price is `-1`, name is `Shirt`",
        "4: `lacks -` is not true: price is `-3`, name is `Shirt`",
    ];
    let offers = ["s2:Shirt", "h1:"];
    let (columns, fill) = (Columns::default(), ["name".to_owned()]);
    let is_positive = || lacks(&["price", "name"], "-");
    check(feed(file, &columns).fill_down(&fill).check(is_positive()).unwrap(), &offers, &rejects);
    check(feed(file, &columns).check(is_positive()).unwrap().fill_down(&fill), &offers, &rejects);
    // What is wrong with an inherited text is wrong in each row that inherits it.
    let file = "sku,name\n1,draft\n2,\n3,Pen\n4,\n";
    let rejects = ["2: `lacks draft` is not true: name is `draft`", "3: `lacks draft` is not true: name is `draft`"];
    let checked = feed(file, &columns).fill_down(&fill).check(lacks(&["name"], "draft")).unwrap();
    check(checked, &["3:Pen", "4:Pen"], &rejects);
}

/// Only a column that is used has a limit, and one that is checked is used.
#[test]
fn a_checked_cell_that_is_too_long_is_a_reject() {
    let file = format!("sku,name,a,b\n1,n,{0},\n2,n,,{0}\n", "x".repeat((1 << 20) + 1));
    let table = || Table::open("a.csv", file.len() as u64, || Ok(file.as_bytes()), &Settings::default()).unwrap();
    let feed = || Feed::new(table(), &Columns::default(), OpWords::new()).unwrap();
    let reject = ["2: field is longer than 1048576 bytes: max_field = … raises the limit"];
    check(feed().check(lacks(&["a"], "y")).unwrap(), &["2:n"], &reject);
    check(feed().check(lacks(&["a"], "y")).unwrap().fill_down(&["name".to_owned()]), &["2:n"], &reject);
    check(feed(), &["1:n", "2:n"], &[]);
}

#[test]
fn long_cells_are_cut() {
    assert_eq!(
        CheckedCell::new("a", &format!(" {} ", "é".repeat(50))).to_string(),
        format!("a is `{}`", "é".repeat(40))
    );
}
