//! Exact sums: the order in which numbers are added, and how they are divided among files and threads, never shows.

use std::{fmt, str::FromStr};

use ethnum::I256;

use crate::number::{MOST_SCALE, Number, aligned, decimal_text, fitting, power};

/// Parts of a sum of doubles: each has 53 bits of its own, and a double's exponents span some 2,100.
const MOST_PARTS: usize = 64;

/// The most rows of a file that a received partial may count. It keeps sums over any realistic number of files within
/// 256 bits.
pub(crate) const MOST_ROWS: u64 = 1_000_000_000_000;

/// How many numbers were added, and what they come to.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    count: u64,
    /// The decimals: `total` / 10^`scale`. 256 bits hold 10^18 decimals of any size.
    total: I256,
    scale: u32,
    /// The doubles, as ever larger parts that do not overlap (Shewchuk 1997, as Python's `fsum`): their sum is exact, and
    /// there are few. Most columns have none.
    #[expect(clippy::box_collection, reason = "there are many sums and hardly any with doubles")]
    floats: Option<Box<Vec<f64>>>,
}

impl Sum {
    /// Adds a number.
    #[inline]
    pub fn add(&mut self, number: Number) {
        self.count += 1;
        match number {
            Number::Decimal { mantissa, scale } if scale == self.scale => self.total += I256::from(mantissa),
            Number::Decimal { mantissa, scale } if scale < self.scale => {
                self.total += aligned(mantissa, scale, self.scale);
            }
            Number::Decimal { mantissa, scale } => {
                self.total = self.total * power(scale - self.scale) + I256::from(mantissa);
                self.scale = scale;
            }
            Number::Float(value) => add_exactly(self.floats.get_or_insert_default(), value),
        }
    }

    /// Adds all that was added to another.
    pub fn merge(&mut self, other: &Self) {
        let scale = self.scale.max(other.scale);
        let align = |sum: &Self| sum.total * power(scale - sum.scale);
        self.total = align(self) + align(other);
        self.scale = scale;
        self.count += other.count;
        for value in other.floats.iter().flat_map(|floats| floats.iter()) {
            add_exactly(self.floats.get_or_insert_default(), *value);
        }
    }

    /// How many numbers were added.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// What they come to; none of no number. As a decimal if all of them are and the sum fits in one, else as the nearest
    /// double.
    #[must_use]
    pub fn value(&self) -> Option<Number> {
        if self.count == 0 {
            return None;
        }
        let (mut mantissa, mut scale) = (self.total, self.scale);
        while scale > 0 && mantissa % I256::from(10) == I256::ZERO {
            mantissa /= I256::from(10);
            scale -= 1;
        }
        match (fitting(mantissa), &self.floats) {
            (Some(mantissa), None) => Some(Number::Decimal { mantissa, scale }),
            _ => Some(Number::Float(self.to_f64())),
        }
    }

    /// The mean of the numbers, as the nearest double; none of no number.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.to_f64() / self.count as f64)
    }

    fn to_f64(&self) -> f64 {
        let decimals = decimal_text(self.total, self.scale).parse().unwrap_or(f64::NAN);
        match &self.floats {
            None => decimals,
            Some(floats) => {
                let mut parts = floats.clone();
                add_exactly(&mut parts, decimals);
                rounded(&parts)
            }
        }
    }
}

/// Adds a double to parts that do not overlap, so that no bit is lost.
fn add_exactly(parts: &mut Vec<f64>, value: f64) {
    let mut value = value;
    let mut kept = 0;
    for at in 0..parts.len() {
        let part = parts[at];
        let (large, small) = if value.abs() < part.abs() { (part, value) } else { (value, part) };
        let high = large + small;
        let low = small - (high - large);
        if low != 0.0 {
            parts[kept] = low;
            kept += 1;
        }
        value = high;
    }
    parts.truncate(kept);
    parts.push(value);
}

/// The double nearest to the sum of such parts, halves to the even one.
fn rounded(parts: &[f64]) -> f64 {
    let mut rest = parts.iter().rev().copied();
    let mut high = rest.next().unwrap_or(0.0);
    let mut low = 0.0;
    for part in rest.by_ref() {
        let sum = high + part;
        low = part - (sum - high);
        high = sum;
        if low != 0.0 {
            break;
        }
    }
    // Half way between two doubles, what is left decides.
    if let Some(part) = rest.next()
        && low != 0.0
        && (low < 0.0) == (part < 0.0)
    {
        let twice = low * 2.0;
        let sum = high + twice;
        if sum - high == twice {
            high = sum;
        }
    }
    high
}

/// `COUNT MANTISSA SCALE`, and a double each in bits behind it: nothing is lost.
impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.count, self.total, self.scale)?;
        self.floats.iter().flat_map(|floats| floats.iter()).try_for_each(|value| write!(f, " {:x}", value.to_bits()))
    }
}

impl FromStr for Sum {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut words = text.split(' ');
        let mut word = || words.next().ok_or(());
        let count = word()?.parse().map_err(drop)?;
        let total: I256 = word()?.parse().map_err(drop)?;
        let scale = word()?.parse().map_err(drop)?;
        // What so many numbers can come to; more would leave no room for those of other files.
        let most = |count: u64| I256::from(count) * I256::from(i128::MAX) * power(scale);
        if scale > MOST_SCALE || count > MOST_ROWS || total > most(count) || total < -most(count) {
            return Err(());
        }
        let floats = words.map(|word| u64::from_str_radix(word, 16).map(f64::from_bits));
        let floats = floats.collect::<Result<Vec<_>, _>>().map_err(drop)?;
        if floats.len() > MOST_PARTS || floats.iter().any(|value| !value.is_finite()) {
            return Err(());
        }
        Ok(Self { count, total, scale, floats: (!floats.is_empty()).then(|| Box::new(floats)) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(texts: &[&str]) -> Sum {
        let mut sum = Sum::default();
        texts.iter().for_each(|text| sum.add(Number::parse(text.as_bytes()).unwrap()));
        sum
    }

    #[test]
    fn sums_are_exact() {
        let check = |texts: &[&str], expect: &str| assert_eq!(sum(texts).value().unwrap().to_string(), expect);
        check(&["0.1"; 10], "1");
        check(&["1", "0.001", "-1"], "0.001");
        check(&["9223372036854775807"; 3], "27670116110564327421");
        check(&["170141183460469231731687303715884105727"; 2], "3.402823669209385e38");
        check(&["170141183460469231731687303715884105727", "-170141183460469231731687303715884105727", "7"], "7");
        check(&["-170141183460469231731687303715884105727", "-1"], "-1.7014118346046923e38");
        check(&["-1.70141183460469231731687303715884105727", "-0.00000000000000000001"], "-1.7014118346046923");
        check(&["1e300", "1", "-1e300"], "1");
        check(&["1e16", "1", "1e-16", "0.000000000000000000000000000001"], "1.0000000000000002e16");
        assert!(Sum::default().value().is_none());
        assert_eq!(sum(&["1", "2"]).mean(), Some(1.5));
    }

    fn numbers() -> impl Strategy<Value = Vec<Number>> {
        let decimal = (any::<i64>(), 0..=MOST_SCALE)
            .prop_map(|(mantissa, scale)| Number::Decimal { mantissa: mantissa.into(), scale });
        let float = (-1e20..1e20_f64).prop_filter("not too small", |value| value.abs() > 1e-20).prop_map(Number::Float);
        proptest::collection::vec(prop_oneof![4 => decimal, 1 => float], 0..40)
    }

    proptest! {
        #[test]
        fn neither_order_nor_parts_show(numbers in numbers(), cut in 0..40_usize, rotate in 0..40_usize) {
            let add = |numbers: &[Number]| {
                let mut sum = Sum::default();
                numbers.iter().for_each(|number| sum.add(*number));
                sum
            };
            let whole = add(&numbers);
            let mut turned = numbers.clone();
            turned.rotate_left(rotate % numbers.len().max(1));
            let cut = cut.min(numbers.len());
            let mut parts = add(&turned[cut..]);
            let first: Sum = add(&turned[..cut]).to_string().parse().unwrap();
            parts.merge(&first);
            prop_assert_eq!(parts.count(), whole.count());
            prop_assert_eq!(parts.value(), whole.value());
            prop_assert_eq!(parts.mean(), whole.mean());
        }
    }
}
