//! Generated product feeds, shaped like the well-known product import: slugs of two to four words of which about 7 %
//! repeat, about 2.3 products a name, half of the descriptions with quoted line breaks, commas and doubled quotes.

use std::io::{self, Write};

/// Writes a feed with the header `name,sku,description`. The same `seed` gives the same bytes; `first` is the number of
/// the first product, so that two feeds overlap where their numbers do.
///
/// # Errors
/// Those of `out`.
pub fn write(out: &mut impl Write, rows: u64, first: u64, seed: u64) -> io::Result<()> {
    let mut random = Random(seed);
    out.write_all(b"name,sku,description\n")?;
    for row in 0..rows {
        let repeats = row > 0 && random.below(100) < 7;
        let product = first + if repeats { random.below(row) } else { row };
        write!(out, "{},{},", name(random.below(rows / 2 + 1)), sku(product))?;
        description(out, &mut random)?;
    }
    Ok(())
}

const WORDS: [&str; 64] = [
    "amber", "apple", "arbor", "bench", "birch", "bloom", "brass", "brook", "cable", "cedar", "chalk", "cliff",
    "cloud", "copper", "coral", "crane", "dawn", "delta", "drift", "ember", "fable", "fern", "field", "flint", "forge",
    "frost", "glade", "grain", "grove", "harbor", "hazel", "heron", "iris", "ivory", "jade", "juniper", "kettle",
    "lantern", "larch", "linen", "maple", "marsh", "meadow", "mill", "moss", "oak", "onyx", "orbit", "pearl", "pine",
    "quartz", "reed", "ridge", "river", "saddle", "slate", "spruce", "stone", "thistle", "timber", "vale", "willow",
    "wren", "zephyr",
];

/// The slug of a product, the key of its row: two to four words that spell its number, so that no two products share one.
#[must_use]
pub fn sku(product: u64) -> String {
    // An odd factor permutes the numbers below 2^24, so that neighbours do not look alike.
    let mut rest = if product < 1 << 24 { product.wrapping_mul(9_301_697) & ((1 << 24) - 1) } else { product };
    let mut words = Vec::new();
    while rest > 0 || words.len() < 2 {
        words.push(WORDS[(rest % 64) as usize]);
        rest /= 64;
    }
    words.join("-")
}

/// A product's name; about 2.3 products share one where `number` is drawn from half as many as there are rows.
#[must_use]
pub fn name(number: u64) -> String {
    let word = |shift: u64| {
        let word = WORDS[((number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> shift) % 64) as usize];
        format!("{}{}", word[..1].to_uppercase(), &word[1..])
    };
    format!("{} {} {number}", word(40), word(50))
}

fn description(out: &mut impl Write, random: &mut Random) -> io::Result<()> {
    let sentences = 2 + random.below(3);
    let quoted = random.below(2) == 0;
    if quoted {
        out.write_all(b"\"")?;
    }
    for sentence in 0..sentences {
        for word in 0..6 + random.below(6) {
            out.write_all(if word == 0 { b"" } else { b" " })?;
            out.write_all(WORDS[random.below(64) as usize].as_bytes())?;
        }
        let end: &[u8] = match (quoted, sentence % 3) {
            (false, _) => b". ",
            (true, 0) => b", \"\"so to say\"\".\n",
            (true, _) => b".\n",
        };
        out.write_all(end)?;
    }
    out.write_all(if quoted { b"\"\n" } else { b"\n" })
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}
