//! Reproducible random numbers, and the choice of a group for each row.

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same on every platform.
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

    /// Returns a number below `end`, which is cheap if the compiler knows `end`.
    #[inline]
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}

/// Scales 32 random bits to a number below `end`, which has at most 32 bits (Lemire 2018): a multiplication instead of the
/// division of a remainder.
#[inline]
pub(crate) fn scaled(bits: u64, end: u64) -> u64 {
    ((bits & 0xffff_ffff) * end) >> 32
}

/// Chooses the group of each row. The first rows name every group once, in a scrambled order, and the others are drawn at
/// random. So every group occurs as soon as there are as many rows as groups.
pub(crate) struct GroupPicker {
    count: u64,
    /// Has no common factor with `count`, so that steps of it visit every group.
    step: u64,
    at: u64,
}

impl GroupPicker {
    pub(crate) fn new(count: u32, random: &mut Random) -> Self {
        let count = u64::from(count.max(1));
        // Steps of the golden ratio scatter the groups evenly.
        let golden = (count as f64 * 0.618_033_988_749_895) as u64;
        let step = (golden.max(1)..).find(|step| common_factor(*step, count) == 1).unwrap_or(1);
        Self { count, step: step % count, at: random.below(count) }
    }

    /// Returns the group of row number `row`. Rows must be asked for in order.
    #[inline]
    pub(crate) fn pick(&mut self, row: u64, bits: u64) -> u64 {
        if row >= self.count {
            return scaled(bits, self.count);
        }
        let group = self.at;
        self.at = (self.at + self.step) % self.count;
        group
    }
}

/// Computes the greatest common factor (Euclid).
fn common_factor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { common_factor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_first_rows_visit_every_group_once() {
        for count in [1, 2, 3, 4, 10, 64, 500, 997, 10_000] {
            let mut random = Random(u64::from(count));
            let mut groups = GroupPicker::new(count, &mut random);
            let visited: HashSet<_> = (0..u64::from(count)).map(|row| groups.pick(row, random.next())).collect();
            assert_eq!(visited, (0..u64::from(count)).collect(), "{count} groups");
            assert!((0..1_000).all(|row| groups.pick(u64::from(count) + row, random.next()) < u64::from(count)));
        }
    }
}
