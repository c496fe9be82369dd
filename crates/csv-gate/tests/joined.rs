//! Files that were joined from several ones: headers, marks and lines for Excel in the middle.

use tributary_csv_gate::{Columns, Header, OpWords, Settings, Table};

use crate::{check_feed, flat};

const OTHER: &str = "a header of other columns";
const JOINED: &str = "a row and a header on one line";

#[track_caller]
fn check(text: impl AsRef<[u8]>, offers: &[&str], rejects: &[(u64, &str)]) {
    check_feed(text, &Settings::default(), offers, rejects);
}

#[test]
fn a_header_in_another_order_and_case_reorders_the_columns() {
    check("sku,name,price\na,Pen,1\nPrice,Sku,Name\n2,b,Nib\n", &["a|Pen|", "b|Nib|"], &[]);
    check("sku,name,price\na,Pen,1\n\nPRICE,NAME,SKU\n2,Nib,b\n", &["a|Pen|", "b|Nib|"], &[]);
    check(
        "sku,name,price\na,Pen,1\nName,Sku,Price\nNib,b,2\nSKU,NAME,PRICE\nc,Cup,3\n",
        &["a|Pen|", "b|Nib|", "c|Cup|"],
        &[],
    );
    check("sku,name,Größe\na,Pen,1\nGröße,\"Sku\",name\n2,b,Nib\n", &["a|Pen|", "b|Nib|"], &[]);
    let rows: String = (0..2000).map(|i| format!("p{i},Nib,{i}\n")).collect();
    let text = format!("sku,name,price\n{rows}Name,Price,Sku\nCup,3,c\n");
    let table = Table::open("a.csv", 9, || Ok(text.as_bytes()), &Settings::default()).unwrap();
    let mut feed = tributary_csv_gate::Feed::new(table, &Columns::default(), OpWords::new()).unwrap();
    let mut last = String::new();
    while let Some(offer) = feed.next_offer().unwrap() {
        last = format!("{} {}", offer.sku, offer.texts.get(0));
    }
    assert_eq!(last, "c Cup");
    crate::check_blocks(text.as_bytes(), &Settings::default());
}

#[test]
fn names_that_differ_in_case_only_are_compared_exactly() {
    check("sku,Sku,name\n1,2,Pen\nSku,sku,name\n3,4,Nib\n", &["1|Pen|", "4|Nib|"], &[]);
    check("sku,Sku,name\n1,2,Pen\nSKU,sku,Name\n3,4,Nib\n", &["1|Pen|", "3|Nib|"], &[(3, OTHER)]);
}

#[test]
fn a_header_below_a_set_one_is_known() {
    let names = ["sku", "name", "price"].map(str::to_owned).to_vec();
    let set = Settings { header: Header::Names(names), ..Settings::default() };
    check_feed("Price,Sku,Name\n1,a,Pen\n", &set, &["a|Pen|"], &[]);
    check_feed("stock,sku,name\n1,a,Pen\n", &set, &["1|a|"], &[(1, OTHER)]);
}

#[test]
fn a_header_of_other_columns_is_a_reject_wherever_its_names_stand() {
    check("sku,name,price\na,Pen,1\nstock,sku,name\n2,b,Nib\n", &["a|Pen|", "2|b|"], &[(3, OTHER)]);
    check("sku,name,price\na,Pen,1\n\"Name\", SKU ,stock\n2,b,Nib\n", &["a|Pen|", "2|b|"], &[(3, OTHER)]);
    // A product may be called so.
    check("sku,name,price\na,sku,1\nb,Name,2\nname,c,3\n", &["a|sku|", "b|Name|", "name|c|"], &[]);
    let columns = Columns { sku: vec!["Item".into(), "EAN".into()], ..Columns::default() };
    let text = "Item,name,n\na,Pen,1\nn,EAN,name\nb,Nib,1\n";
    let table = Table::open("a.csv", 9, || Ok(text.as_bytes()), &Settings::default()).unwrap();
    let mut feed = tributary_csv_gate::Feed::new(table, &columns, OpWords::new()).unwrap();
    while feed.next_offer().unwrap().is_some() {}
    let rejects = flat(feed.rejects());
    assert!(rejects.len() == 1 && rejects[0].0 == 3 && rejects[0].1.starts_with(OTHER), "{rejects:?}");
}

#[test]
fn a_header_joined_to_a_row_is_a_reject_and_counts_below() {
    check("sku;name;price\na;Pen;1price;sku;name\n2;b;Nib\n", &["b|Nib|"], &[(2, JOINED)]);
    check("sku;name;price\na;Pen;1sku;name;price\nb;Nib;2\n", &["b|Nib|"], &[(2, JOINED)]);
    check("sku;name\na;Pen\u{feff}Name;SKU\nNib;b\n", &["b|Nib|"], &[(2, JOINED)]);
    check("sku;name\na;Pen\u{1a}Name;SKU\nNib;b\n", &["b|Nib|"], &[(2, JOINED)]);
    check("sku;name;price\na;Pen;1stock;sku;name\n2;b;Nib\n", &["2|b|"], &[(2, JOINED)]);
    let long = "x".repeat(3000);
    check(format!("sku;name;price\na;{long};1price;sku;name\n2;b;Nib\n"), &["b|Nib|"], &[(2, JOINED)]);
    check("sku;name\na;Pen;name\nb;Nib\n", &["b|Nib|"], &[(2, "3 fields")]);
}

#[test]
fn signs_at_a_joint_belong_to_no_cell() {
    check("sku,name\r\na,Pen\r\n\u{1a}sku,name\r\nb,Nib\r\n", &["a|Pen|", "b|Nib|"], &[]);
    check("sku,name\r\na,Pen\r\n\u{1a}\u{feff}b,Nib\r\n", &["a|Pen|", "b|Nib|"], &[]);
    check("sku,name\na,Pen\n\u{feff}\"b\",\"Nib, x\"\n", &["a|Pen|", "b|Nib, x|"], &[]);
    check("sku,name\na,Pen\n\u{feff}\"sku\",name\nb,Nib\n\u{feff}", &["a|Pen|", "b|Nib|"], &[]);
    check("sku,name\na,\"x\n\u{feff}y\"\n", &["a|x\n\u{feff}y|"], &[]);
    let set = Settings { header: Header::Names(vec!["sku".into(), "name".into()]), ..Settings::default() };
    check_feed("a,Pen\n\u{feff}b,Nib\n", &set, &["a|Pen|", "b|Nib|"], &[]);
    let set = Settings { comment: Some("#".into()), ..Settings::default() };
    check_feed("sku,name\na,Pen\n\u{feff}# x,y\nb,Nib\n", &set, &["a|Pen|", "b|Nib|"], &[]);
    crate::check_blocks("name\na\n\u{feff}b\n\u{feff}".as_bytes(), &Settings::default());
}

#[test]
fn the_line_for_excel_may_stand_at_a_joint() {
    check("sku;name\na;Pen\nsep=;\nsku;name\nb;Nib\n", &["a|Pen|", "b|Nib|"], &[]);
    check("sku;name;n\na;Pen;1\n\"sep=;\"\nsku;name;n\nb;Nib;2\n", &["a|Pen|", "b|Nib|"], &[]);
    check("sku;name;n\na;Pen;1\nsep=,\nb;Nib;2\n", &["a|Pen|", "b|Nib|"], &[(3, "1 field ")]);
    check("sku,name\na,Pen\nsep=x,\n", &["a|Pen|", "sep=x||"], &[]);
}
