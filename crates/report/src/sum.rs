//! Exact sums: the result never depends on the order of the numbers, nor on their division among files and threads.

use std::{fmt, str::FromStr};

use ethnum::I256;

use crate::number::{MAX_SCALE, Number, aligned, decimal_text, power_of_ten, to_mantissa};

/// The most summands of an exact sum of doubles, with room to spare: each covers 53 bits of its own, and the exponents
/// of doubles span about 2,100.
const MAX_FLOAT_PARTS: usize = 64;

/// The most rows of a file that a received partial may count. It keeps sums over any realistic number of files within
/// 256 bits.
pub(crate) const MAX_ROWS: u64 = 1_000_000_000_000;

/// The sum and the count of numbers.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    count: u64,
    /// The sum of the decimals is `total` / 10^`scale`. 256 bits have room for 10^18 decimals of any size.
    total: I256,
    scale: u32,
    /// The sum of the doubles, as a few summands of increasing size that do not overlap, which makes it exact (Shewchuk
    /// 1997, as in Python's `fsum`). Most columns have none.
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
                self.total = self.total * power_of_ten(scale - self.scale) + I256::from(mantissa);
                self.scale = scale;
            }
            Number::Float(value) => add_exactly(self.floats.get_or_insert_default(), value),
        }
    }

    /// Adds all numbers of another sum.
    pub fn merge(&mut self, other: &Self) {
        let scale = self.scale.max(other.scale);
        let align = |sum: &Self| sum.total * power_of_ten(scale - sum.scale);
        self.total = align(self) + align(other);
        self.scale = scale;
        self.count += other.count;
        for value in other.floats.iter().flat_map(|floats| floats.iter()) {
            add_exactly(self.floats.get_or_insert_default(), *value);
        }
    }

    /// The sum of so many decimals.
    pub(crate) fn of_short(mantissa: i64, scale: u32, count: u64) -> Self {
        Self { count, total: mantissa.into(), scale, floats: None }
    }

    /// The sum of so many decimals, without zeros at its end; none if it has too many digits behind the point.
    pub(crate) fn of_decimals(mut mantissa: i128, mut scale: u32, count: u64) -> Option<Self> {
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        (scale <= MAX_SCALE).then(|| Self { count, total: mantissa.into(), scale, floats: None })
    }

    /// The sum of decimals: their mantissa, if it is not too long, their scale and their count.
    pub(crate) fn short(&self) -> Option<(i128, u32, u64)> {
        let mantissa = self.floats.is_none().then(|| i128::try_from(self.total).ok())??;
        Some((mantissa, self.scale, self.count))
    }

    /// The count of the numbers.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The sum, or none if there are no numbers. A decimal if all numbers are decimals and the sum fits, else the
    /// nearest double.
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
        match (to_mantissa(mantissa), &self.floats) {
            (Some(mantissa), None) => Some(Number::Decimal { mantissa, scale }),
            _ => Some(Number::Float(self.to_f64())),
        }
    }

    /// The mean as the nearest double, or none if there are no numbers.
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

/// Adds a double to summands that do not overlap, without losing a bit.
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

/// The double nearest to the sum of such summands; ties go to the even one.
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
    // Halfway between two doubles, the remaining summands decide.
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

/// Writes `COUNT MANTISSA SCALE`, followed by the bits of each double in hexadecimal, without any loss.
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
        // The largest possible sum of so many numbers: anything larger could overflow with the sums of other files.
        let max = |count: u64| I256::from(count) * I256::from(i128::MAX) * power_of_ten(scale);
        if scale > MAX_SCALE || count > MAX_ROWS || total > max(count) || total < -max(count) {
            return Err(());
        }
        let floats = words.map(|word| u64::from_str_radix(word, 16).map(f64::from_bits));
        let floats = floats.collect::<Result<Vec<_>, _>>().map_err(drop)?;
        if floats.len() > MAX_FLOAT_PARTS || floats.iter().any(|value| !value.is_finite()) {
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
        let decimal = (any::<i64>(), 0..=MAX_SCALE)
            .prop_map(|(mantissa, scale)| Number::Decimal { mantissa: mantissa.into(), scale });
        let float = (-1e20..1e20_f64).prop_filter("not too small", |value| value.abs() > 1e-20).prop_map(Number::Float);
        proptest::collection::vec(prop_oneof![4 => decimal, 1 => float], 0..40)
    }

    proptest! {
        #[test]
        fn the_sum_does_not_depend_on_order_or_division(numbers in numbers(), cut in 0..40_usize, rotate in 0..40_usize) {
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
