//! Rows become offers, or rejects with reasons of their own.

use tributary_csv_gate::{Columns, Error, Feed, OpWords, OwnColumn, Settings, Table};

use crate::{feed, flat};

/// One offer as text: line, sku, name, description, whether it deletes.
type Flat = (u64, String, String, String, bool);

fn read(bytes: &[u8], columns: &Columns) -> (Vec<Flat>, Vec<(u64, String, String)>) {
    let mut feed = feed(bytes, columns).expect("this is a feed");
    let mut offers = Vec::new();
    while let Some(offer) = feed.next_offer().expect("these bytes do not fail") {
        let (sku, name, description) = (offer.sku.into(), offer.texts.get(0).to_owned(), offer.texts.get(1).to_owned());
        offers.push((offer.line, sku, name, description, offer.deletes));
    }
    assert_eq!(feed.rows(), offers.len() as u64 + feed.rejects().total);
    (offers, flat(feed.rejects()))
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[track_caller]
fn check(text: &str, columns: &Columns, offers: &[(u64, &str, &str, &str, bool)], rejects: &[(u64, &str, &str)]) {
    let offers = offers.iter().map(|(line, sku, name, description, deletes)| {
        (*line, (*sku).to_owned(), (*name).to_owned(), (*description).to_owned(), *deletes)
    });
    let rejects = rejects.iter().map(|(line, reason, raw)| (*line, (*reason).to_owned(), (*raw).to_owned()));
    assert_eq!(read(text.as_bytes(), columns), (offers.collect(), rejects.collect()));
}

#[track_caller]
fn check_rejected(text: &str, columns: &Columns, line: u64, expect: &[&str]) {
    match feed(text.as_bytes(), columns).map(|_| ()) {
        Err(Error::Rejected(reject)) => {
            assert_eq!(reject.line, line);
            assert!(expect.iter().all(|part| reject.reason.contains(part)), "{reject} lacks one of {expect:?}");
        }
        other => panic!("should be rejected, but is {other:?}"),
    }
}

#[test]
fn columns_in_any_order_and_case() {
    let columns = Columns::default();
    check("name,sku,description\nn,s, d \n", &columns, &[(2, "s", "n", " d ", false)], &[]);
    check(" SKU ;Extra;\"Name\"\ns;x;n\n", &columns, &[(2, "s", "n", "", false)], &[]);
    check("sku,name,sku,name\n1,2,3,4\n", &columns, &[(2, "1", "2", "", false)], &[]);
}

#[test]
fn mapped_columns_are_found_by_their_mapped_name_only() {
    let columns = Columns { sku: names(&["Größe "]), description: names(&["text"]), ..Columns::default() };
    let text = "sku,GRÖSSE,größe,NAME,Text,description\n1,2,3,n,d,e\n";
    check(text, &columns, &[(2, "3", "n", "d", false)], &[]);
    check_rejected("sku,name\n1,2\n", &columns, 1, &["no column `Größe `", "`sku`, `name`"]);
}

#[test]
fn the_first_of_several_names_that_is_there_counts() {
    let columns = Columns {
        sku: names(&["Item code", "Artikelnummer"]),
        name: names(&["name", "Bezeichnung"]),
        ..Columns::default()
    };
    check("Artikelnummer,Bezeichnung\n1,n\n", &columns, &[(2, "1", "n", "", false)], &[]);
    check("artikelnummer,item CODE,Bezeichnung,name\n1,2,x,n\n", &columns, &[(2, "2", "n", "", false)], &[]);
    check("Prices 2026,\n,\nArtikelnummer,Bezeichnung\n1,n\n", &columns, &[(4, "1", "n", "", false)], &[]);
    check_rejected("sku,name\n1,2\n", &columns, 1, &["no column `Item code` or `Artikelnummer` among `sku`, `name`"]);
}

#[test]
fn own_columns_are_trimmed_and_may_be_missing() {
    let own = |name: &str, headers: &[&str]| OwnColumn { name: name.to_owned(), headers: names(headers) };
    let columns = Columns { own: vec![own("price", &["RRP", "Price"]), own("stock", &[])], ..Columns::default() };
    let read = |text: &'static str| {
        let mut feed = feed(text.as_bytes(), &columns).unwrap();
        let mut offers = Vec::new();
        while let Some(offer) = feed.next_offer().unwrap() {
            offers.push(offer.texts.iter().map(str::to_owned).collect::<Vec<_>>());
        }
        offers
    };
    let text = "stock,sku,PRICE,name\n 3\u{a0},a,\" 1,\"\"50 \",A\n,b,,B\n";
    assert_eq!(read(text), [["A", "", "1,\"50", "3"], ["B", "", "", ""]]);
    assert_eq!(read("sku,name,op\na,A,\nb,B,delete\n"), [names(&["A", "", "", ""]), Vec::new()]);
    check_rejected(
        "sku,name,price,PRICE\n",
        &columns,
        1,
        &["`Price` could be column 3, `price`, or column 4, `PRICE`"],
    );
}

#[test]
fn skus_and_names_are_trimmed_and_descriptions_are_not() {
    let text = "sku,name,description\n\"\u{a0} 00123\n\",\"\u{3000}n \"\"x\"\" \",\" d\n\"\n  ,n,d\nsku,,\n";
    let offers = [(2, "00123", "n \"x\"", " d\n", false), (6, "sku", "", "", false)];
    check(text, &Columns::default(), &offers, &[(5, "no sku", "  ,n,d")]);
}

#[test]
fn ops() {
    let text = "sku,name,op\n1,a,\n2,b, UPSERT \n3,c,Delete\n4,,delete\n5,d,drop\n,,delete\n";
    let offers = [(2, "1", "a", "", false), (3, "2", "b", "", false), (4, "3", "", "", true), (5, "4", "", "", true)];
    let rejects = [
        (6, "unknown op `drop`: op = { \"drop\" = \"upsert\" } or \"delete\" says what it means", "5,d,drop"),
        (7, "no sku", ",,delete"),
    ];
    check(text, &Columns::default(), &offers, &rejects);
}

#[test]
fn limits_of_skus_and_names() {
    let (sku, name) = ("s".repeat(1024), "é".repeat(1024));
    let text = format!("sku,name,op\n {sku} , {name} ,\n{sku}x,n,delete\n2,{name}x,\n3,{name}x,delete\n");
    let offers = [(2, sku.as_str(), name.as_str(), "", false), (5, "3", "", "", true)];
    let long_name = format!("2,{}", "é".repeat(511));
    let rejects =
        [(3, "sku is longer than 1024 bytes", sku.as_str()), (4, "name is longer than 2048 bytes", &long_name)];
    check(&text, &Columns::default(), &offers, &rejects);
}

#[test]
fn rejects_of_rows_and_of_offers_are_in_line_order() {
    let rejects = [
        (2, "no sku", ",x"),
        (
            3,
            "3 fields where the header has 2: quote cells that hold the delimiter; header = […] names more columns",
            "1,2,3",
        ),
        (4, "no sku", ",y"),
    ];
    check("sku,name\n,x\n1,2,3\n,y\n1,2\n", &Columns::default(), &[(5, "1", "2", "", false)], &rejects);
}

#[test]
fn rejections_of_other_files_list_their_columns() {
    let columns = Columns::default();
    check_rejected("\nid,title\n1,2\n", &columns, 2, &["no column `sku`", "`id`, `title`", "map it"]);
    check_rejected("sku,title\n1,2\n", &columns, 1, &["no column `name`"]);
    check_rejected("<!DOCTYPE html>\n<html>\n", &columns, 1, &["HTML"]);
    check_rejected("<HTML lang=\"en\">\n", &columns, 1, &["HTML"]);
    let hidden = "s\u{ad}ku\u{200b},name\n1,2\n";
    check_rejected(hidden, &columns, 1, &["no column `sku`", "`s<U+00AD>ku<U+200B>`", "remove the invisible"]);
    let mapped = Columns { sku: names(&["item code"]), ..Columns::default() };
    check_rejected("item\u{a0}code,name\n1,2\n", &mapped, 1, &["`item<U+00A0>code`", "remove the invisible"]);
    let many: Vec<_> = (0..50).map(|i| format!("c{i}")).collect();
    check_rejected(&many.join(","), &columns, 1, &["`c19`, and 30 more"]);
}

#[test]
fn fields_that_nobody_uses_have_no_limit() {
    let long = "x".repeat((1 << 20) + 1);
    let text = format!("image,sku,name\n{long},1,a\n{long},{long},b\nsku,image,name\n3,{long},c\n");
    let (offers, rejects) = read(text.as_bytes(), &Columns::default());
    assert_eq!(offers.iter().map(|offer| (offer.0, &*offer.1)).collect::<Vec<_>>(), [(2, "1"), (5, "3")]);
    assert!(rejects.len() == 1 && rejects[0].1.starts_with("field is longer"), "{:?}", rejects[0].1);
}

#[test]
fn a_header_of_other_columns_is_a_reject() {
    let why = "a header of other columns, not a row: the rows below it may be those of another file; read each file by itself";
    for header in ["name,SKU,stock", "sku,name,stock"] {
        let text = format!("sku,name,price\nA1,Pen,1\n{header}\nA2,Ink,7\nname,x,1\n");
        let (offers, rejects) = read(text.as_bytes(), &Columns::default());
        assert_eq!(offers.len(), 3, "{header}");
        assert_eq!(rejects, [(3, why.to_owned(), header.to_owned())]);
    }
}

#[test]
fn an_empty_name_is_inherited_within_a_handle() {
    let check = |file: &str, expect: &[(&str, &str, &str)]| {
        let table = Table::open("a.csv", file.len() as u64, || Ok(file.as_bytes()), &Settings::default()).unwrap();
        let feed = Feed::new(table, &Columns::default(), OpWords::new()).unwrap();
        let mut feed = feed.fill_down(&["name".to_owned(), "no such column".to_owned()]);
        let mut found = Vec::new();
        while let Some(offer) = feed.next_offer().unwrap() {
            found.push((offer.sku.to_owned(), offer.texts.get(0).to_owned(), offer.texts.get(1).to_owned()));
        }
        let found: Vec<_> = found.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str())).collect();
        assert_eq!(found, expect);
    };
    let variants = "Handle,sku,name,description,op\nshirt,s1,Shirt,red,\nshirt,s2,,blue,\nshirt,s3,,,delete\nshirt,s4,,,\n\
                    hat,h1,,x,\nhat,h2,Hat,,\nhat,h3,,,\n";
    check(
        variants,
        &[
            ("s1", "Shirt", "red"),
            ("s2", "Shirt", "blue"),
            ("s3", "", ""),
            ("s4", "Shirt", ""),
            ("h1", "", "x"),
            ("h2", "Hat", ""),
            ("h3", "Hat", ""),
        ],
    );
    check("sku,name\n1,a\n2,\n3,b\n4, \n", &[("1", "a", ""), ("2", "a", ""), ("3", "b", ""), ("4", "b", "")]);
    // The first row of a product may have no sku. Any other reject may have held a name.
    check("sku,name\n1,a\n,b\n2,\n", &[("1", "a", ""), ("2", "b", "")]);
    check("sku,name\n1,a\n2,b,x\n3,\n4,c\n5,\n", &[("1", "a", ""), ("3", "", ""), ("4", "c", ""), ("5", "c", "")]);
    check("sku,name,op\n1,a,\n,b,delete\n2,,\n", &[("1", "a", ""), ("2", "", "")]);
    let long = format!("sku,name\n1,a\n2,{}\n3,\n", "x".repeat(5000));
    check(&long, &[("1", "a", ""), ("3", "", "")]);
}
