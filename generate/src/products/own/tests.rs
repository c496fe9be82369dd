//! The values of own columns, and that no other value depends on them.

use std::collections::HashMap;

use super::*;
use crate::{
    products::Products,
    shape::tests::{bytes, distinct, records},
};

const ROWS: u64 = 20_000;

fn feed(columns: &str) -> Vec<csv::StringRecord> {
    let columns = columns.parse().unwrap();
    records(&bytes(Products::new(ROWS, 0, 1).with_columns(&columns), ROWS))
}

#[test]
fn every_value_looks_like_a_real_one() {
    let records = feed("price,stock,brand,gtin,category,image");
    let number = |text: &str| text.parse::<u64>().unwrap();
    for record in &records {
        let (euros, cents) = record[3].split_once('.').unwrap();
        assert!(number(euros) <= 1_310 && cents.len() == 2 && number(cents) < 100, "{record:?}");
        assert!(record[4].is_empty() || number(&record[4]) < 500, "{record:?}");
        let digits: Vec<u64> = record[6].bytes().map(|digit| u64::from(digit - b'0')).collect();
        let sum: u64 = digits.iter().zip([1, 3].into_iter().cycle()).map(|(digit, weight)| digit * weight).sum();
        assert!(digits.len() == 13 && sum.is_multiple_of(10), "{record:?}");
        assert_eq!(record[7].split(" > ").count(), 2, "{record:?}");
        assert_eq!(record[8], format!("https://img.example.com/{}.jpg", &record[1]));
    }
    assert_eq!((distinct(&records, 4), distinct(&records, 7)), (501, 48));
    let empty = records.iter().filter(|record| record[4].is_empty()).count();
    assert!((800..1_200).contains(&empty), "{empty} of 20,000 have no stock");
}

#[test]
fn a_product_keeps_its_brand_and_number() {
    let records = feed("brand,gtin,price");
    let mut of_sku = HashMap::new();
    let mut skus_of_gtin = HashMap::new();
    for record in &records {
        assert_eq!(of_sku.entry(&record[1]).or_insert((&record[3], &record[4])), &(&record[3], &record[4]));
        assert_eq!(skus_of_gtin.entry(&record[4]).or_insert(&record[1]), &&record[1]);
    }
    assert_eq!(distinct(&records, 3) as u64, BRANDS);
    let of_brand = |number| records.iter().filter(|record| record[3] == brand(number)).count();
    assert!(of_brand(0) > 700 && of_brand(BRANDS - 1) < 60, "{} and {}", of_brand(0), of_brand(BRANDS - 1));
}

#[test]
fn no_value_depends_on_the_other_columns() {
    let (all, some, none) = (feed("price,stock,brand,gtin,category,image"), feed("image,stock"), {
        records(&bytes(Products::new(ROWS, 0, 1), ROWS))
    });
    for ((all, some), none) in all.iter().zip(&some).zip(&none) {
        assert_eq!((&some[3], &some[4], some.len()), (&all[8], &all[4], 5));
        for column in 0..3 {
            assert_eq!([&some[column], &none[column]], [&all[column]; 2]);
        }
    }
}

#[test]
fn columns_are_known_and_named_once() {
    assert_eq!("price,stock,brand,gtin,category,image".parse(), Ok(OwnColumns::all()));
    assert_eq!("gtin,price".parse(), Ok(OwnColumns(vec![OwnColumn::Gtin, OwnColumn::Price])));
    let check = |text: &str, expect: &str| {
        let error = text.parse::<OwnColumns>().unwrap_err();
        assert!(error.starts_with(expect), "{text}: {error}");
    };
    check("", "there is no column ``; choose from price,stock,");
    check("price,colour", "there is no column `colour`");
    check("price,stock,price", "the column `price` is named twice");
}
