//! Lines around a table that are no rows: titles, groups of columns, units, totals, counts.

use tributary_csv_gate::{Blocks, Columns, Header, Ragged, Settings};

use crate::{check, check_feed, feed, open, see};

fn set() -> Settings {
    Settings::default()
}

/// Reads a file and compares its columns, its rows and the number of lines that are ignored, also in blocks.
#[track_caller]
fn check_ignored(text: &str, columns: &str, rows: &[&str], ignored: u64) {
    let mut table = open("a.csv", text.as_bytes(), &set()).expect("this is a table");
    let mut found = Vec::new();
    while let Some(row) = table.next_row().expect("memory does not fail") {
        found.push(row.fields().collect::<Vec<_>>().join("|"));
    }
    assert_eq!(
        (table.columns().join("|").as_str(), found),
        (columns, rows.iter().map(|row| (*row).to_owned()).collect())
    );
    assert_eq!((table.rejects().total, table.rejects().ignored.lines), (0, ignored), "{:?}", table.rejects());
    let mut blocks = Blocks::new(open("a.csv", text.as_bytes(), &set()).expect("this is a table"), 16);
    let mut in_blocks = 0;
    while let Some(block) = blocks.next_block().expect("memory does not fail") {
        let mut rows = block.rows(9);
        while rows.advance() {
            in_blocks += 1;
        }
    }
    assert_eq!((in_blocks, blocks.table().rejects().ignored.lines), (rows.len(), ignored));
}

#[test]
fn titles_and_comments_above_the_header_are_skipped() {
    check_ignored("Report of 2024-01-01\nsku,name\np1,Pen\np2,Nib\n", "sku|name", &["p1|Pen", "p2|Nib"], 1);
    check_ignored("# created by x, y\n# twice\nsku;name\np1;Pen\n", "sku|name", &["p1|Pen"], 2);
    check_ignored("# by \"till 2\"\nsku,name\np1,Pen\n# end of it\n", "sku|name", &["p1|Pen"], 2);
    check_ignored("# created by x, y\nsku,name,n\np1,Pen,5\n", "sku|name|n", &["p1|Pen|5"], 1);
    check_ignored("\n\nPrices\n\n\nsku,name\np1,Pen\n", "sku|name", &["p1|Pen"], 5);
    check_ignored("\nReport,,\n,,\nsku,name,n\np1,Pen,5\n", "sku|name|n", &["p1|Pen|5"], 3);
    let town = "City - budget export\r\nCreated,2024-03-01\r\n\r\nsku,name,n\r\nb1,Roads,1\r\nb2,Parks,2\r\n\
                Total,,3\r\n\r\nSource: treasury; preliminary\r\n";
    check_ignored(town, "sku|name|n", &["b1|Roads|1", "b2|Parks|2"], 6);
}

#[test]
fn names_of_groups_above_the_names_are_skipped() {
    let text = ",Prices,,Stock,\nsku,net,gross,here,there\np1,1,2,3,4\np2,5,6,7,8\n";
    check_ignored(text, "sku|net|gross|here|there", &["p1|1|2|3|4", "p2|5|6|7|8"], 1);
    let text = "Item,Item,Prices,Prices\nsku,name,net,gross\np1,Pen,1,2\n";
    check_ignored(text, "sku|name|net|gross", &["p1|Pen|1|2"], 1);
}

#[test]
fn headers_stay_headers() {
    let check = |text: &str, columns: &str| {
        let table = open("a.csv", text.as_bytes(), &set()).expect("this is a table");
        assert_eq!((table.columns().join("|").as_str(), table.rejects().ignored.lines), (columns, 0), "{text}");
    };
    check(",sku,name\n0,p1,Pen\n1,p2,Nib\n", "|sku|name");
    check(",sku,name\na,p1,Pen\nb,p2,Nib\n", "|sku|name");
    check("sku,name\np1,Pen,x\np2,Nib,y\np3,Pad,z\n", "sku|name");
    check("sku,name\n\np1,Pen,x\np2,Nib,y\np3,Pad,z\n", "sku|name");
    check("text\nhello, world\nfoo, bar\nthree, four\n", "text");
    check("sku\np1\np2\n", "sku");
    check("sku,,\np1,Pen,blue\np2,Nib,red\n", "sku||");
    check("sku,name,price,price\nA1,Pen,free,none\nA2,Ink,3,3\nA3,Oil,4,4\n", "sku|name|price|price");
    check("sku,name,,stock\nset,Pen,x,none\nA2,Ink,y,3\nA3,Oil,y,4\n", "sku|name||stock");
    check("sku,name,,\nA1,Pen,S,M\nA2,Ink,38,40\nA3,Oil,38,40\n", "sku|name||");
    check("#sku,name\np1,Pen,x\np2,Nib,y\n", "#sku|name");
    check("sku,name,text\n\"\",\"\n\n\",\"a\t\"\n\"\t\"\n\"\",\"a\t\"\n", "sku|name|text");
    check("# of items,name\nx,Pen\ny,Nib\n", "# of items|name");
    check("a,a\nx,y\nz,w\n", "a|a");
    check("<x>\n<p>a, b\nsku,name\np1,Pen\np2,Nib\n", "<x>");
    check("Report of it\n", "Report of it");
    check("Report of it\nsku,name\n", "Report of it");
}

#[test]
fn lines_above_are_read_as_set() {
    let text = "Report of 2024\nsku,name\np1,Pen\n";
    let names = Header::Names(vec!["a".into(), "b".into()]);
    let found = see("a.csv", text.as_bytes(), &Settings { header: names, ..set() }).unwrap();
    assert_eq!((found.rows.len(), found.rejects.len()), (2, 1));
    let skip = Settings { skip_rows: 1, ..set() };
    check(text, &skip, "sku|name", &[(3, "p1|Pen")], &[]);
    let mut table = open("a.csv", text.as_bytes(), &set()).unwrap();
    assert_eq!(
        (table.dialect().skipped_lines, table.rejects().ignored.first.clone()),
        (1, Some((1, "Report of 2024".into())))
    );
    assert_eq!(table.next_row().unwrap().unwrap().line(), 3);
}

#[test]
fn units_and_lines_below_the_header_are_no_rows() {
    let units = "units of measure, not a row: no `sku`, and `w` is not a number as in the other rows";
    check(
        "sku,w,p\n,kg,EUR\np1,1,2\np2,3,4\n",
        &set(),
        "sku|w|p",
        &[(3, "p1|1|2"), (4, "p2|3|4")],
        &[(2, units, ",kg,EUR")],
    );
    let units = "units of measure, not a row: `w` is not a number as in the other rows";
    check("w,p\n[g],[cm]\n1,2\n3,4\n", &set(), "w|p", &[(3, "1|2"), (4, "3|4")], &[(2, units, "[g],[cm]")]);
    check_ignored("sku,name\n---,----\np1,Pen\n(1 rows affected)\n", "sku|name", &["p1|Pen"], 2);
    check_ignored("|sku|name|\n|:--|---:|\n|p1|Pen|\n", "|sku|name|", &["|p1|Pen|"], 1);
    check_ignored(" sku | name \n-----+------\n p1  | Pen\n(1 row)\n", "sku|name", &[" p1  | Pen"], 2);
    let is_unit = |unit: &str| {
        let found = see("a.csv", format!("sku,w\n,{unit}\np1,1\np2,2\n").as_bytes(), &set()).unwrap();
        assert_eq!((found.rows.len(), found.rejects.len()), (2, 1), "{unit}");
    };
    let units =
        ["s", "mbar", "m/s", "deg C", "Stück", "kg/m³", "m s-1", "EUR/kg", "yyyy-mm-dd", "hh:mm:ss", "TT.MM.JJJJ"];
    units.into_iter().for_each(is_unit);
    let one_unknown = "sku,w,p,q\n,kg,furlong,m\np1,1,2,3\np2,3,4,5\n";
    assert_eq!(see("a.csv", one_unknown.as_bytes(), &set()).unwrap().rejects.len(), 1);
    let rows = |text: &str, rows| assert_eq!(see("a.csv", text.as_bytes(), &set()).unwrap().rows.len(), rows, "{text}");
    rows("sku,w,p\n,kg,furlong\np1,1,2\np2,3,4\n", 3);
    rows("sku,w\n,m-n-o\np1,1\np2,2\n", 3);
    rows("sku,w\np0,kg\np1,1\np2,2\n", 3);
    rows("sku,w\n,n/a\np1,1\np2,2\n", 3);
    rows("sku,w\n,kg\np1,1\np2,\n", 3);
    rows("sku,w\n,kg\np1,1\n", 2);
    rows("sku,w\n,a\np1,1\np2,2\n", 3);
    rows("sku,w\n-,-\np1,1\n", 2);
}

#[test]
fn feeds_find_the_line_with_their_names() {
    let text = "Report of it,,\n,,\nsku,name,text\np1,Pen,a b\np2,Nib,c\nsku,name,text\n";
    let mut feed = feed(text.as_bytes(), &Columns::default()).unwrap();
    let offer = feed.next_offer().unwrap().unwrap();
    assert_eq!((offer.sku, offer.line), ("p1", 4));
    assert_eq!(feed.next_offer().unwrap().unwrap().sku, "p2");
    assert!(feed.next_offer().unwrap().is_none());
    assert_eq!((feed.rejects().total, feed.rows(), feed.rejects().ignored.lines), (0, 2, 2));
    let rejected = |text: &'static str| match crate::feed(text.as_bytes(), &Columns::default()).map(|_| ()) {
        Err(error) => assert!(error.to_string().starts_with("line 1: no column `sku`"), "{error}"),
        Ok(()) => panic!("{text} has no header"),
    };
    rejected("id,title,text\nsku,name,text\np1,Pen,x\n");
    rejected("id,,text\na,b,c\nsku,name,text\n");
    rejected("Report,,\n,,\nsku,title,text\n");
}

#[test]
fn lines_above_the_names_of_a_feed_may_hold_delimiters() {
    let rows = "a,Pen,1\nb,Nib,2\nc,Cup,3\n";
    let feeds = |text: String| check_feed(text, &set(), &["a|Pen|", "b|Nib|", "c|Cup|"], &[]);
    feeds(format!("Our prices, net\n\nsku,name,price\n{rows}"));
    feeds(format!("Our prices, net, all\n\nsku,name,price\n{rows}Total,,6\n"));
    feeds(format!("Report,Products\nDate,2024\n\nSKU,Name,price\n{rows}\nTotal,,6\n"));
    feeds(format!("Report; Products\n\nsku;name;price\n{}", rows.replace(',', ";")));
    feeds(format!("List,,\nsku,name,price\n---,----,-----\n{rows}"));
    let second = format!("Report,Products\nDate,2024\nsku,name,price\n{rows}\nstore,city\nA,Rome\n");
    check_feed(second, &set(), &["a|Pen|", "b|Nib|", "c|Cup|"], &[(8, "a second table")]);
    let rejected = |text: &'static str| match feed(text.as_bytes(), &Columns::default()).map(|_| ()) {
        Err(error) => assert!(error.to_string().contains("skip_rows = "), "{error}"),
        Ok(()) => panic!("{text} has rows above its names"),
    };
    rejected("id,title,text\n1,b,c\n\nsku,name,text\np1,Pen,x\n");
    rejected(format!("{}sku,name,text\np1,Pen,x\n", "line, of\n".repeat(40)).leak());
}

#[test]
fn dashes_below_a_repeated_header_are_no_row() {
    let page = "SKU,NAME,PRICE\n---,----,-----\n";
    check_feed(format!("{page}a,Pen,1\n\n{page}b,Nib,2\n"), &set(), &["a|Pen|", "b|Nib|"], &[]);
    check_feed(format!("SKU,NAME,PRICE\na,Pen,1\n\n{page}b,Nib,2\n"), &set(), &["a|Pen|", "b|Nib|"], &[]);
    let page = " sku | name \n-----+------\n";
    check_feed(format!("{page} a | Pen\n{page} b | Nib\n"), &set(), &["a|Pen|", "b|Nib|"], &[]);
    check_feed("sku,name,n\na,Pen,1\n---,----,-----\n", &set(), &["a|Pen|", "---|----|"], &[]);
}

#[test]
fn footers_are_no_rows_of_feeds() {
    let text = "sku,name,n\np1,Pen,1\np2,Nib,2\nTotal,,3\n(2 rows)\n";
    let mut feed = feed(text.as_bytes(), &Columns::default()).unwrap();
    let mut skus = Vec::new();
    while let Some(offer) = feed.next_offer().unwrap() {
        skus.push(offer.sku.to_owned());
    }
    assert_eq!((skus.join(" ").as_str(), feed.rejects().total, feed.rows()), ("p1 p2", 0, 2));
    assert_eq!((feed.rejects().ignored.lines, feed.rejects().ignored.first.clone()), (2, Some((4, "Total,,3".into()))));
}

#[test]
fn empty_rows_at_the_end_are_no_rows() {
    let offers = ["a|Pen|", "b|Nib|"];
    for rows in [";\n;\n;\n".to_owned(), ";\r\n;\r\n\r\n".to_owned(), ";\n".repeat(60_000)] {
        check_feed(format!("sku;name\na;Pen\nb;Nib\n{rows}"), &set(), &offers, &[]);
    }
    check_feed("sku;name\na;Pen\nb;Nib\n;\n", &set(), &offers, &[(4, "no sku")]);
    check_feed("sku;name\na;Pen\n;\n;\nb;Nib\n", &set(), &offers, &[(3, "no sku"), (4, "no sku")]);
    let bare_feeds = "sku,name,price\r\na,Pen\nx,1\r\nb,Nib,2\r\nTotal,,3\r\n";
    check_feed(bare_feeds, &set(), &["a|Pen\nx|", "b|Nib|"], &[]);
}

#[test]
fn footers_of_long_files_are_found() {
    let rows: String = (0..100_000).map(|i| format!("p{i},Pen,{i}\n")).collect();
    for footer in ["Total,,5\n", "Total,,5\n\nSource of it\n", "(100000 rows)", "Total,,5\n(100000 rows)\n\n"] {
        let mut table = open("a.csv", format!("sku,name,n\n{rows}{footer}").leak().as_bytes(), &set()).unwrap();
        let mut count = 0;
        while table.next_row().unwrap().is_some() {
            count += 1;
        }
        let ignored = table.rejects().ignored.first.as_ref().map(|(line, _)| *line);
        assert_eq!((count, table.rejects().total, ignored), (100_000, 0, Some(100_002)), "{footer}");
    }
}

#[test]
fn the_end_of_a_quoted_cell_is_no_footer() {
    let escape = Settings { escape: Some(b'\\'), ..set() };
    check("a,b\n\"1\",\"x\n\nb c\\\"\"\n", &escape, "a|b", &[(2, "1|x\n\nb c\"")], &[]);
    let lenient = Settings { quotes: tributary_csv_gate::Quotes::Lenient, ..set() };
    check("a,b\n\"1\",\"x\n\nb \"c\"\n", &lenient, "a|b", &[(2, "1|x\n\nb \"c")], &[]);
    check("a,b\n\"1\",\"x\n\nb c\"\"\"\n", &set(), "a|b", &[(2, "1|x\n\nb c\"")], &[]);
}

#[test]
fn notes_are_rows_where_short_rows_are_padded() {
    let text = "sku,name\np1,Pen\n\nnot a note\n";
    let padded = Settings { ragged: Ragged::Pad, ..set() };
    check(text, &padded, "sku|name", &[(2, "p1|Pen"), (4, "not a note|")], &[]);
    check(text, &set(), "sku|name", &[(2, "p1|Pen")], &[]);
}

#[test]
fn a_second_table_is_skipped() {
    let why =
        "a second table begins here, and is skipped: move it to a file of its own, or skip it with skip_footer = …";
    let rows = [(2, "p1|Pen|1"), (3, "p2|Nib|2")];
    let first = "sku,name,n\np1,Pen,1\np2,Nib,2\n";
    let check_second = |second: &str, line: u64, raw: &str, ignored: u64| {
        let text = format!("{first}{second}");
        check(&text, &set(), "sku|name|n", &rows, &[(line, why, raw)]);
        let mut table = open("a.csv", text.as_bytes(), &set()).unwrap();
        while table.next_row().unwrap().is_some() {}
        assert_eq!((table.rows(), table.rejects().ignored.lines), (3, ignored), "{second}");
    };
    check_second("\nsku,stock,place\np1,5,x\np2,6,y\n", 5, "sku,stock,place", 2);
    check_second("Total,,3\n\n\nStock of it\nplace,city,size\nx,Bonn,5\n\n", 7, "Stock of it", 6);
    check_second("\ndate,city\n2024-01-01,Bonn\n2024-01-02,Bonn", 5, "date,city", 2);
    check_second("\r\nname,place\n1,2", 5, "name,place", 1);
    let padded = Settings { ragged: Ragged::Pad, ..set() };
    check(format!("{first}\nsku,place\np1,x\n"), &padded, "sku|name|n", &rows, &[(5, why, "sku,place")]);
    let long: String = (0..300_000).map(|i| format!("p{i},x\n")).collect();
    check_second(&format!("\nsku,place\n{long}"), 5, "sku,place", 300_000);
}

#[test]
fn rows_after_an_empty_line_stay_rows() {
    let rows = |text: &str, rows, rejects| {
        let found = see("a.csv", text.as_bytes(), &set()).unwrap();
        assert_eq!((found.rows.len(), found.rejects.len()), (rows, rejects), "{text}");
    };
    rows("sku,name\np1,Pen\n\np2,Nib\n\nWood,Oak\nx,y\n", 4, 0);
    rows("sku,name,n\np1,Pen,1\n\np,Nib,none\np3,Pad,2\n", 3, 0);
    rows("sku,name\np1,Pen\n\nsku,name\np2,Nib\n", 2, 0);
    rows("sku,name\np1,Pen\n\na,b,c\np2,Nib\n", 2, 1);
    rows("n,m\n1,2\n3,4\n\nx,y\n5,6\n", 4, 0);
    rows("sku,name\n\nname,sku\np1,Pen\n", 1, 0);
    rows("sku,name\np1,\"a\n\nsku,b\n\"\np2,Nib\n", 2, 0);
    let numbers = "sku,name,n\n1,Pen,1\n2,Nib,2\n3,Pad,3\n";
    rows(&format!("{numbers}\nKIT-A,Gift set,on request\n4,Ink,4\n5,Oak,5\n"), 6, 0);
    rows(&format!("{numbers}\nKIT-A,Set,none\nKIT-B,Set,none\n4,Ink,4\n"), 6, 0);
    rows(&format!("{numbers}\nNew\nB1,Set,none\nB2,Set,4\n"), 5, 1);
    rows("sku,name,price\np1,Pen,1\np2,Nib,2\n\nset,Price,on request\np3,Pad,3\n", 4, 0);
    rows("sku,name,note\np1,Pen,x\np2,Nib,y\n\nname,Name,note\np3,Pad,z\n", 4, 0);
    rows("sku,name,note\np1,Pen,x\np2,Nib,y\n\nname,Name tag,plate\n", 3, 0);
    rows("sku,name\nA-1,Pen\nA-2,Nib\n\nA-3,name\nPrice,Ink\nA-4,Pad\n", 5, 0);
    rows("sku,name\n1,Pen\n2,Nib\n\nname,EUR\n4,Ink\n5,Pad\n", 5, 0);
}

#[test]
fn comments_change_nothing_around_the_table() {
    let check = |text: &str, comment: &str, columns: &str, rows: &[(u64, &str)]| {
        check(text, &Settings { comment: Some(comment.to_owned()), ..set() }, columns, rows, &[]);
    };
    let rows = [(3, "A1|Pen|1"), (4, "A2|Ink|2")];
    check("sku|name|price\n---|---|---\nA1|Pen|1\nA2|Ink|2\n", "--", "sku|name|price", &rows);
    check("Time,Weight\n[s],[kg]\n1,5\n2,6\n3,7\n", "[", "Time|Weight", &[(3, "1|5"), (4, "2|6"), (5, "3|7")]);
    check("# x\nsku,name\n---,----\nA1,Pen\nA2,Ink\n", "#", "sku|name", &[(4, "A1|Pen"), (5, "A2|Ink")]);
    check("# x\n,Prices,\nsku,net,gross\nA1,1,2\nA2,1,2\n", "#", "sku|net|gross", &[(4, "A1|1|2"), (5, "A2|1|2")]);
    check("sku,name\n# y\n---,----\nA1,Pen\n", "#", "sku|name", &[(4, "A1|Pen")]);
    check("sku,name,n\nA1,Pen,1\nTotal,,3\n#x,y,z\n#x,y,z\n#x,y,z\n", "#", "sku|name|n", &[(2, "A1|Pen|1")]);
    check("sku,name,n\nA1,Pen,1\nA2,Ink,2\nTotal,,3\n;eof\n", ";", "sku|name|n", &[(2, "A1|Pen|1"), (3, "A2|Ink|2")]);
}

#[test]
fn a_second_table_may_follow_an_empty_row_of_a_spreadsheet() {
    let text = "sku,name,n\np1,Pen,1\np2,Nib,2\n,,\nStock,,\nplace,city,size\nx,Bonn,5\n";
    let found = see("a.csv", text.as_bytes(), &set()).unwrap();
    assert_eq!((found.rows.len(), found.rejects.len()), (3, 1), "{found:?}");
}

#[test]
fn a_delimiter_at_the_end_of_each_row_hides_no_line() {
    let rows = ["A1|Pen|1", "A2|Ink|2"];
    check_ignored("Report of it\nsku,name,n\nA1,Pen,1,\nA2,Ink,2,\nTotal,,3,\n", "sku|name|n", &rows, 2);
}

#[test]
fn footers_are_found_below_a_set_header() {
    let named = Settings { header: Header::Names(["sku", "name", "n"].map(str::to_owned).to_vec()), ..set() };
    let rows = [(1, "A1|Pen|1"), (2, "A2|Ink|2")];
    check("A1,Pen,1\nA2,Ink,2\nTotal,,3\n", &named, "sku|name|n", &rows, &[]);
    let none = Settings { header: Header::None, ..set() };
    check("A1,Pen,1\nA2,Ink,2\nTotal,,3\n", &none, "column_1|column_2|column_3", &rows, &[]);
    check("Total,,3\n", &none, "column_1|column_2|column_3", &[(1, "Total||3")], &[]);
}

#[test]
fn lines_of_a_second_table_are_noted() {
    let text = "sku,name,n\np1,Pen,1\np2,Nib,2\n\nsku,stock,place\np1,5,x\np2,6,y\n";
    let mut table = open("a.csv", text.as_bytes(), &set()).unwrap();
    while table.next_row().unwrap().is_some() {}
    assert_eq!(table.rejects().ignored.first, Some((6, "p1,5,x".to_owned())));
}
