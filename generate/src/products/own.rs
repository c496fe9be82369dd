//! The columns that a product feed may have behind its description. A value depends on the seed and on the product or the row, but not on
//! which other columns there are.

use std::str::FromStr;

use super::put_sku;
use crate::{
    buffer::RowBuffer,
    random::{Random, scaled},
    words::put_capitalized,
};

/// A column that a product feed may have behind its description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnColumn {
    /// Two decimals, from 0.99 to 1310.99; half of them end in `.99`.
    Price,
    /// An integer below 500, or empty in one row of 20.
    Stock,
    /// One of [`BRANDS`] names, some of which are much more frequent than others.
    Brand,
    /// 13 digits with a valid check digit; no two products below 10^11 share one.
    Gtin,
    /// A path such as `Office > Pens`.
    Category,
    /// The URL of a picture.
    Image,
}

/// Number of brands.
pub const BRANDS: u64 = 384;

/// Every column, in the order of the documents.
const ALL: [OwnColumn; 6] =
    [OwnColumn::Price, OwnColumn::Stock, OwnColumn::Brand, OwnColumn::Gtin, OwnColumn::Category, OwnColumn::Image];

const BRAND_ENDS: [&[u8]; 6] = [b" Works", b" & Sons", b" Labs", b" Brothers", b" Home", b" Tools"];

const CATEGORIES: [(&[u8], [&[u8]; 6]); 8] = [
    (b"Office", [b"Pens", b"Paper", b"Folders", b"Desks", b"Chairs", b"Lamps"]),
    (b"Kitchen", [b"Knives", b"Pans", b"Kettles", b"Storage", b"Tableware", b"Scales"]),
    (b"Garden", [b"Seeds", b"Hoses", b"Planters", b"Furniture", b"Fences", b"Lighting"]),
    (b"Tools", [b"Drills", b"Saws", b"Hammers", b"Screws", b"Clamps", b"Workbenches"]),
    (b"Clothing", [b"Jackets", b"Shoes", b"Gloves", b"Hats", b"Belts", b"Rainwear"]),
    (b"Electronics", [b"Cables", b"Batteries", b"Chargers", b"Speakers", b"Cameras", b"Keyboards"]),
    (b"Sports", [b"Cycling", b"Climbing", b"Running", b"Swimming", b"Camping", b"Skiing"]),
    (b"Toys", [b"Puzzles", b"Blocks", b"Dolls", b"Trains", b"Board Games", b"Outdoor"]),
];

impl OwnColumn {
    /// Its header.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::Stock => "stock",
            Self::Brand => "brand",
            Self::Gtin => "gtin",
            Self::Category => "category",
            Self::Image => "image",
        }
    }
}

/// Returns the brand with this number below [`BRANDS`]. Smaller numbers are more frequent.
#[must_use]
pub fn brand(number: u64) -> String {
    let mut buffer = RowBuffer::small();
    put_brand(&mut buffer, number);
    buffer.into_text()
}

/// Columns in the order of a feed, each once. As text they are separated by commas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnColumns(Vec<OwnColumn>);

impl OwnColumns {
    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Self(ALL.to_vec())
    }

    /// Returns the columns in order.
    #[must_use]
    pub fn columns(&self) -> &[OwnColumn] {
        &self.0
    }
}

impl FromStr for OwnColumns {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut columns = Vec::new();
        for name in text.split(',') {
            let Some(column) = ALL.into_iter().find(|column| column.name() == name) else {
                return Err(format!("there is no column `{name}`; choose from {}", ALL.map(OwnColumn::name).join(",")));
            };
            if columns.contains(&column) {
                return Err(format!("the column `{name}` is named twice"));
            }
            columns.push(column);
        }
        Ok(Self(columns))
    }
}

/// Writes the values of rows.
pub(super) struct OwnValues {
    columns: Vec<OwnColumn>,
    seed: u64,
}

impl OwnValues {
    /// No columns yet.
    pub(super) fn new(seed: u64) -> Self {
        Self { columns: Vec::new(), seed }
    }

    pub(super) fn with_columns(self, columns: &OwnColumns) -> Self {
        Self { columns: columns.0.clone(), ..self }
    }

    pub(super) fn columns(&self) -> &[OwnColumn] {
        &self.columns
    }

    /// Appends a comma and a value for each column. Price and stock are those of the row, everything else is that of the product.
    pub(super) fn put(&self, row: u64, product: u64, buffer: &mut RowBuffer) {
        for column in &self.columns {
            buffer.put_byte(b',');
            match column {
                OwnColumn::Price => put_price(buffer, self.bits(row, 1)),
                OwnColumn::Stock => put_stock(buffer, self.bits(row, 2)),
                OwnColumn::Brand => put_brand(buffer, brand_number(self.bits(product, 3))),
                OwnColumn::Gtin => put_gtin(buffer, product),
                OwnColumn::Category => put_category(buffer, self.bits(product, 4)),
                OwnColumn::Image => put_image(buffer, product),
            }
        }
    }

    /// Random bits for a row or a product in one of several streams.
    fn bits(&self, number: u64, stream: u64) -> u64 {
        Random(Random(self.seed ^ stream << 56).next() ^ number).next()
    }
}

fn put_price(buffer: &mut RowBuffer, bits: u64) {
    // The square has many small prices and a few large ones.
    let part = scaled(bits, 1 << 16);
    let euros = ((part * part) >> 16) / 50;
    let cents = if bits >> 63 == 0 { 99 } else { scaled(bits >> 31, 100) };
    buffer.put_hundredths(euros * 100 + cents);
}

fn put_stock(buffer: &mut RowBuffer, bits: u64) {
    if scaled(bits, 20) > 0 {
        buffer.put_number(scaled(bits >> 32, 500));
    }
}

/// Chooses a brand. The square makes some brands far more frequent than others: the first has 5 % of all products, the last 0.1 %.
fn brand_number(bits: u64) -> u64 {
    let part = scaled(bits, 1 << 16);
    (part * part * BRANDS) >> 32
}

fn put_brand(buffer: &mut RowBuffer, number: u64) {
    put_capitalized(buffer, number);
    buffer.put(BRAND_ENDS[(number / 64) as usize % BRAND_ENDS.len()]);
}

fn put_gtin(buffer: &mut RowBuffer, product: u64) {
    // The factor shares none with 10, so products stay apart.
    let number = 400_000_000_000 + product % 100_000_000_000 * 48_271 % 100_000_000_000;
    let (mut rest, mut sum) = (number, 0);
    for weight in [3, 1].into_iter().cycle().take(12) {
        sum += rest % 10 * weight;
        rest /= 10;
    }
    buffer.put_number(number * 10 + (10 - sum % 10) % 10);
}

fn put_category(buffer: &mut RowBuffer, bits: u64) {
    let (above, below) = &CATEGORIES[scaled(bits, CATEGORIES.len() as u64) as usize];
    buffer.put(above);
    buffer.put(b" > ");
    buffer.put(below[scaled(bits >> 32, below.len() as u64) as usize]);
}

fn put_image(buffer: &mut RowBuffer, product: u64) {
    buffer.put(b"https://img.example.com/");
    put_sku(buffer, product);
    buffer.put(b".jpg");
}

#[cfg(test)]
mod tests;
