//! Chance that is the same everywhere: random numbers, and which group a row falls into.

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    #[inline]
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`. For an end that the compiler knows this is one instruction.
    #[inline]
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}

/// Turns 32 random bits into a number below `end`, which has at most 32 bits too (Lemire 2018): a multiplication where a
/// remainder would be a division.
#[inline]
pub(crate) fn scaled(bits: u64, end: u64) -> u64 {
    ((bits & 0xffff_ffff) * end) >> 32
}

/// Which group a row falls into. The first rows name every group once, in a scrambled order, and the others are drawn: so
/// there are as many groups as were asked for as soon as there are as many rows.
pub(crate) struct Groups {
    count: u64,
    /// No common factor with `count`, so that steps of it meet every group.
    step: u64,
    at: u64,
}

impl Groups {
    pub(crate) fn new(count: u32, random: &mut Random) -> Self {
        let count = u64::from(count.max(1));
        // Steps of the golden ratio scatter best.
        let golden = (count as f64 * 0.618_033_988_749_895) as u64;
        let step = (golden.max(1)..).find(|step| common_factor(*step, count) == 1).unwrap_or(1);
        Self { count, step: step % count, at: random.below(count) }
    }

    /// The group of row number `row`, below the count; rows are asked for in order.
    #[inline]
    pub(crate) fn draw(&mut self, row: u64, bits: u64) -> u64 {
        if row >= self.count {
            return scaled(bits, self.count);
        }
        let group = self.at;
        self.at = (self.at + self.step) % self.count;
        group
    }
}

/// The greatest common factor (Euclid).
fn common_factor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { common_factor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_first_rows_meet_every_group_once() {
        for count in [1, 2, 3, 4, 10, 64, 500, 997, 10_000] {
            let mut random = Random(u64::from(count));
            let mut groups = Groups::new(count, &mut random);
            let met: HashSet<_> = (0..u64::from(count)).map(|row| groups.draw(row, random.next())).collect();
            assert_eq!(met, (0..u64::from(count)).collect(), "{count} groups");
            assert!((0..1_000).all(|row| groups.draw(u64::from(count) + row, random.next()) < u64::from(count)));
        }
    }
}
