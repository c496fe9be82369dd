//! Generated product feeds. A sku is a slug of two to four words, and about 7 % of them repeat. About 2.3 products share a
//! name. Half of the descriptions are quoted and contain line breaks, commas and doubled quotes.

mod own;

use std::io::{self, Write};

use self::own::OwnValues;
pub use self::own::{BRANDS, OwnColumn, OwnColumns, brand};
use crate::{
    buffer::RowBuffer,
    random::{GroupPicker, Random},
    shape::{self, Shape},
    words::{put_name, word},
};

/// Writes a feed with the header `name,sku,description`. The same `seed` gives the same bytes. `first` is the number of the
/// first product: two feeds overlap where their numbers do.
///
/// # Errors
/// Those of `out`.
pub fn write(out: &mut impl Write, rows: u64, first: u64, seed: u64) -> io::Result<()> {
    write_columns(out, rows, first, seed, &OwnColumns::default())
}

/// The same with own columns.
///
/// # Errors
/// Those of `out`.
pub fn write_columns(out: &mut impl Write, rows: u64, first: u64, seed: u64, columns: &OwnColumns) -> io::Result<()> {
    shape::write(&mut Products::new(rows, first, seed).with_columns(columns), rows, out, |_, _| {})
}

/// Returns the sku of a product: a slug of words that spell its number, so that no two products share one.
#[must_use]
pub fn sku(product: u64) -> String {
    let mut buffer = RowBuffer::small();
    put_sku(&mut buffer, product);
    buffer.into_text()
}

/// Returns the name with this number; [`write()`] draws the numbers from half as many as there are rows.
#[must_use]
pub fn name(number: u64) -> String {
    let mut buffer = RowBuffer::small();
    put_name(&mut buffer, number);
    buffer.into_text()
}

/// A product feed: `name,sku,description`, and own columns if they are asked for.
pub struct Products {
    first: u64,
    random: Random,
    names: Names,
    own: OwnValues,
}

/// The choice of a product's name.
enum Names {
    /// Drawn from this many.
    Drawn(u64),
    /// Every name of a fixed number occurs.
    Each(GroupPicker),
}

impl Products {
    /// The feed that [`write()`] writes.
    #[must_use]
    pub fn new(rows: u64, first: u64, seed: u64) -> Self {
        let own = OwnValues::new(seed);
        Self { first, random: Random(seed), names: Names::Drawn(rows / 2 + 1), own }
    }

    /// A feed of exactly `names` names, if there are at least as many rows.
    #[must_use]
    pub fn with_names(names: u32, seed: u64) -> Self {
        let mut random = Random(seed);
        let own = OwnValues::new(seed);
        Self { first: 0, names: Names::Each(GroupPicker::new(names, &mut random)), random, own }
    }

    /// Appends columns behind the description, which leaves everything else as it is.
    #[must_use]
    pub fn with_columns(self, columns: &OwnColumns) -> Self {
        Self { own: self.own.with_columns(columns), ..self }
    }
}

impl Shape for Products {
    fn header(&self) -> String {
        let own = self.own.columns().iter().map(|column| column.name());
        ["name", "sku", "description"].into_iter().chain(own).collect::<Vec<_>>().join(",")
    }

    #[inline]
    fn put(&mut self, row: u64, buffer: &mut RowBuffer) {
        let repeats = row > 0 && self.random.below(100) < 7;
        let product = self.first + if repeats { self.random.below(row) } else { row };
        let name = match &mut self.names {
            Names::Drawn(count) => self.random.below(*count),
            Names::Each(groups) => groups.pick(row, self.random.next()),
        };
        put_name(buffer, name);
        buffer.put_byte(b',');
        put_sku(buffer, product);
        buffer.put_byte(b',');
        put_description(buffer, &mut self.random);
        self.own.put(row, product, buffer);
        buffer.put_byte(b'\n');
    }
}

#[inline]
fn put_sku(buffer: &mut RowBuffer, product: u64) {
    // An odd factor permutes the numbers below 2^24, so that neighbours look different.
    let mut rest = if product < 1 << 24 { product.wrapping_mul(9_301_697) & ((1 << 24) - 1) } else { product };
    let mut words = 0;
    while rest > 0 || words < 2 {
        if words > 0 {
            buffer.put_byte(b'-');
        }
        word(rest).put(buffer);
        rest /= 64;
        words += 1;
    }
}

fn put_description(buffer: &mut RowBuffer, random: &mut Random) {
    let sentences = 2 + random.below(3);
    let quoted = random.below(2) == 0;
    if quoted {
        buffer.put_byte(b'"');
    }
    for sentence in 0..sentences {
        for place in 0..6 + random.below(6) {
            if place > 0 {
                buffer.put_byte(b' ');
            }
            word(random.next()).put(buffer);
        }
        match (quoted, sentence % 3) {
            (false, _) => buffer.put(b". "),
            (true, 0) => buffer.put(b", \"\"so to say\"\".\n"),
            (true, _) => buffer.put(b".\n"),
        }
    }
    if quoted {
        buffer.put_byte(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::tests::{bytes, distinct, records};

    /// Databases of earlier demos and published measurements rest on exactly these bytes.
    #[test]
    fn the_bytes_never_change() {
        let check = |rows: u64, first: u64, seed: u64, len: usize, sum: u64| {
            let mut out = Vec::new();
            write(&mut out, rows, first, seed).unwrap();
            // FNV-1a (Fowler, Noll, Vo 1991).
            let fnv = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
            assert_eq!((out.len(), out.iter().fold(0xcbf2_9ce4_8422_2325, fnv)), (len, sum), "{rows} rows");
        };
        check(1_000, 0, 1, 207_367, 0xda6f_f85c_c427_c3c0);
        check(3_000, 1_500, 2, 626_585, 0x790e_e3c1_dc23_7f1b);
        check(50, 1 << 25, 7, 10_458, 0x23d1_face_ba2d_9d55);
        assert_eq!((sku(1_500), name(1_500)), ("grove-cliff-orbit-maple".into(), "Thistle Bench 1500".into()));
        assert_eq!((sku(0), name(0)), ("amber-amber".into(), "Amber Amber 0".into()));
    }

    #[test]
    fn the_number_of_names_is_exact() {
        let records = records(&bytes(Products::with_names(300, 1), 4_000));
        assert_eq!((records.len(), distinct(&records, 0)), (4_000, 300));
        assert!((3_600..3_900).contains(&distinct(&records, 1)), "about 7 % repeat");
    }

    #[test]
    fn the_longest_slug_fits() {
        assert_eq!(sku(u64::MAX).split('-').count(), 11);
    }
}
