//! The numbers of reports: exact decimals as long as they fit, else the nearest double. Sums are in `sum`.
//!
//! | text | result |
//! | --- | --- |
//! | `12`, `-12`, `+12`, `012` | the integer |
//! | `1.50`, `.5`, `5.` | the exact decimal |
//! | `1e3`, `2.5E-4` | the exact decimal |
//! | more than 38 digits, or more than 20 after the point | the nearest double |
//! | an absolute value above 1e300 or below 1e-300 | not a number: [`None`] |
//! | `1,000`, `1_000`, `$5`, `0x1F`, `NaN`, `inf`, empty | not a number: [`None`] |

use std::{cmp::Ordering, fmt};

use ethnum::I256;

/// The most digits after the point of a [`Number::Decimal`]. If 128-bit mantissas are aligned to this scale, 256 bits
/// still have room for the sum of more rows than any file has.
pub(crate) const MAX_SCALE: u32 = 20;
/// The most decimal digits that fit in an `i64` whatever their values.
const I64_DIGITS: usize = 18;
/// The largest absolute value of a double: sums of many such doubles stay finite.
const MAX_FLOAT: f64 = 1e300;
/// The smallest absolute value of a double other than 0: anything smaller is not a measurement but a mistake.
const MIN_FLOAT: f64 = 1e-300;

/// One number.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// `mantissa` / 10^`scale`, exactly. Equal numbers may have different scales.
    Decimal {
        /// All its digits.
        mantissa: i128,
        /// The number of digits after the point, at most 20. Not a `u8`, because the compiler copies a narrower field
        /// together with its padding, and numbers are copied for every row.
        scale: u32,
    },
    /// A number that does not fit in such a decimal: finite, with an absolute value between 1e-300 and 1e300.
    Float(f64),
}

/// The plain form of most numbers: a sign, at most 18 digits, and a point among them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShortNumber {
    /// All digits.
    pub(crate) digits: i64,
    /// The number of digits after the point.
    pub(crate) scale: u32,
    /// Whether there is a point, perhaps with no digit after it.
    pub(crate) has_point: bool,
}

impl ShortNumber {
    /// Parses a trimmed cell. None says only that the cell is not of this form.
    #[inline]
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let (negative, digits) = split_sign(text);
        // One byte more for the point.
        if digits.len() > I64_DIGITS + 1 {
            return None;
        }
        let (mut value, mut point) = (0_i64, None);
        for (at, byte) in digits.iter().enumerate() {
            match byte {
                b'0'..=b'9' => value = value.wrapping_mul(10).wrapping_add(i64::from(byte - b'0')),
                b'.' if point.is_none() => point = Some(at),
                _ => return None,
            }
        }
        let count = digits.len() - usize::from(point.is_some());
        if count == 0 || count > I64_DIGITS {
            return None;
        }
        // Fits, because it is at most I64_DIGITS.
        let scale = point.map_or(0, |at| digits.len() - 1 - at) as u32;
        Some(Self { digits: if negative { -value } else { value }, scale, has_point: point.is_some() })
    }

    #[inline]
    pub(crate) fn number(self) -> Number {
        Number::Decimal { mantissa: self.digits.into(), scale: self.scale }
    }
}

/// Splits off the sign. Returns whether it is a minus, and the rest.
#[inline]
pub(crate) fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

impl Number {
    /// An integer.
    #[must_use]
    pub const fn integer(value: i128) -> Self {
        Self::Decimal { mantissa: value, scale: 0 }
    }

    /// A decimal with so many digits behind the point, unless these are too many.
    pub(crate) fn decimal(mantissa: i128, scale: u32) -> Option<Self> {
        to_decimal(mantissa.into(), scale)
    }

    /// Parses a trimmed cell or a number in an expression.
    #[must_use]
    #[inline]
    pub fn parse(text: &[u8]) -> Option<Self> {
        match ShortNumber::parse(text) {
            Some(short) => Some(short.number()),
            None => parse_any(text),
        }
    }

    /// The sum, or none if it is out of range. The same holds for the difference and the product.
    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        self.exactly(other, i128::checked_add).or_else(|| Self::float(self.to_f64() + other.to_f64()))
    }

    pub(crate) fn minus(self, other: Self) -> Option<Self> {
        self.exactly(other, i128::checked_sub).or_else(|| Self::float(self.to_f64() - other.to_f64()))
    }

    pub(crate) fn times(self, other: Self) -> Option<Self> {
        if let (Self::Decimal { mantissa: a, scale: i }, Self::Decimal { mantissa: b, scale: j }) = (self, other)
            && let Some(mantissa) = a.checked_mul(b)
            && let Some(product) = to_decimal(mantissa.into(), i + j)
        {
            return Some(product);
        }
        if self.is_zero() || other.is_zero() {
            return Some(Self::integer(0));
        }
        Self::nonzero_float(self.to_f64() * other.to_f64())
    }

    /// The quotient, exact if it terminates within 20 digits. The outer `Option` is none if it is out of range, the
    /// inner one if the divisor is zero.
    pub(crate) fn divided_by(self, other: Self) -> Option<Option<Self>> {
        if other.is_zero() {
            return Some(None);
        }
        if let (Self::Decimal { mantissa: a, scale: i }, Self::Decimal { mantissa: b, scale: j }) = (self, other)
            && let Some(dividend) = I256::from(a).checked_mul(power_of_ten(MAX_SCALE + j))
            && let divisor = I256::from(b) * power_of_ten(i)
            && dividend % divisor == I256::ZERO
            && let Some(quotient) = to_decimal(dividend / divisor, MAX_SCALE)
        {
            return Some(Some(quotient));
        }
        if self.is_zero() {
            return Some(Some(Self::integer(0)));
        }
        Self::nonzero_float(self.to_f64() / other.to_f64()).map(Some)
    }

    pub(crate) fn negated(self) -> Option<Self> {
        Self::integer(0).minus(self)
    }

    /// The number divided by 100: the exact decimal, or the nearest double.
    pub(crate) fn hundredth(self) -> Option<Self> {
        match self {
            Self::Decimal { mantissa, scale } => {
                to_decimal(mantissa.into(), scale + 2).or_else(|| Self::parse(format!("{self}e-2").as_bytes()))
            }
            Self::Float(value) => Self::nonzero_float(value / 100.0),
        }
    }

    pub(crate) fn is_zero(self) -> bool {
        matches!(self, Self::Decimal { mantissa: 0, .. })
    }

    /// A total order by value. It also orders a decimal and a double that compare as equal, so that the minimum and the
    /// maximum never depend on the order of the rows.
    pub(crate) fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Decimal { mantissa: a, scale: i }, Self::Decimal { mantissa: b, scale: j }) if i == j => a.cmp(&b),
            (Self::Decimal { mantissa: a, scale: i }, Self::Decimal { mantissa: b, scale: j }) => {
                aligned(a, i, i.max(j)).cmp(&aligned(b, j, i.max(j)))
            }
            (Self::Float(a), Self::Float(b)) => a.total_cmp(&b),
            (Self::Decimal { .. }, Self::Float(b)) => self.to_f64().total_cmp(&b).then(Ordering::Less),
            (Self::Float(a), Self::Decimal { .. }) => a.total_cmp(&other.to_f64()).then(Ordering::Greater),
        }
    }

    /// Compares by value, rounding a decimal to the nearest double if the other one is a double.
    pub(crate) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Decimal { .. }, Self::Decimal { .. }) => self.order(other),
            _ => self.to_f64().total_cmp(&other.to_f64()),
        }
    }

    /// The value as an `i64`, if it is an integer that fits and not a double.
    #[must_use]
    pub fn to_i64(self) -> Option<i64> {
        self.to_integer().and_then(|value| i64::try_from(value).ok())
    }

    /// The value as an integer, if it is one and not a double.
    #[must_use]
    pub fn to_integer(self) -> Option<i128> {
        match self {
            Self::Decimal { mantissa, scale: 0 } => Some(mantissa),
            Self::Decimal { mantissa, scale } => {
                let unit = 10_i128.pow(scale);
                (mantissa % unit == 0).then_some(mantissa / unit)
            }
            Self::Float(_) => None,
        }
    }

    /// The digits of a decimal that are not those of the nearest double, as programs write it; none if they are.
    #[must_use]
    pub fn beyond_double(self) -> Option<String> {
        match self {
            Self::Decimal { mantissa, scale } => {
                let digits = decimal_text(mantissa.into(), scale);
                (self.to_f64().to_string() != digits).then_some(digits)
            }
            Self::Float(_) => None,
        }
    }

    /// The nearest double.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        /// Doubles are exact up to this integer, and so are the powers of ten below: the division rounds only once.
        const EXACT: i128 = 1 << 53;
        match self {
            Self::Decimal { mantissa, scale } if mantissa.abs() <= EXACT => mantissa as f64 / 10_i128.pow(scale) as f64,
            Self::Decimal { mantissa, scale } => decimal_text(mantissa.into(), scale).parse().unwrap_or(f64::NAN),
            Self::Float(value) => value,
        }
    }

    fn exactly(self, other: Self, operation: fn(i128, i128) -> Option<i128>) -> Option<Self> {
        let (Self::Decimal { mantissa: a, scale: i }, Self::Decimal { mantissa: b, scale: j }) = (self, other) else {
            return None;
        };
        let scale = i.max(j);
        let align = |mantissa: i128, from: u32| mantissa.checked_mul(10_i128.checked_pow(scale - from)?);
        let mantissa = operation(align(a, i)?, align(b, j)?).filter(is_negatable)?;
        Some(Self::Decimal { mantissa, scale })
    }

    /// The result of a computation with numbers other than zero: if it is zero, it was too small.
    fn nonzero_float(value: f64) -> Option<Self> {
        Self::float(value).filter(|_| value != 0.0)
    }

    fn float(value: f64) -> Option<Self> {
        if value == 0.0 {
            return Some(Self::integer(0));
        }
        (MIN_FLOAT..=MAX_FLOAT).contains(&value.abs()).then_some(Self::Float(value))
    }
}

/// Equal if both are decimals or both doubles, and have the same value. So a number equals its text after parsing.
impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.order(*other) == Ordering::Equal
    }
}

/// Writes a JSON number. A double has the fewest digits that give the same double again.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decimal { mantissa, scale } => f.write_str(&decimal_text((*mantissa).into(), *scale)),
            Self::Float(value) => f.write_str(format!("{value:?}").trim_end_matches(".0")),
        }
    }
}

/// 10^`exponent`, for exponents up to 76.
pub(crate) fn power_of_ten(exponent: u32) -> I256 {
    I256::from(10).pow(exponent)
}

/// The mantissa with `to` digits after the point instead of `from`, which is at most `to`.
pub(crate) fn aligned(mantissa: i128, from: u32, to: u32) -> I256 {
    const POWERS: [i64; I64_DIGITS + 1] = {
        let mut powers = [1; I64_DIGITS + 1];
        let mut at = 1;
        while at <= I64_DIGITS {
            powers[at] = powers[at - 1] * 10;
            at += 1;
        }
        powers
    };
    match (i64::try_from(mantissa), POWERS.get((to - from) as usize)) {
        (Ok(short), Some(unit)) => (i128::from(short) * i128::from(*unit)).into(),
        _ => I256::from(mantissa) * power_of_ten(to - from),
    }
}

/// Writes a decimal as a JSON number without trailing zeros.
pub(crate) fn decimal_text(mantissa: I256, scale: u32) -> String {
    let mut text = mantissa.unsigned_abs().to_string();
    let scale = scale as usize;
    if scale > 0 {
        if text.len() <= scale {
            text.insert_str(0, &"0".repeat(scale + 1 - text.len()));
        }
        text.insert(text.len() - scale, '.');
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    if mantissa < I256::ZERO {
        text.insert(0, '-');
    }
    text
}

/// Whether the mantissa can be negated. `i128::MIN` cannot, and its text would be parsed as a double.
fn is_negatable(mantissa: &i128) -> bool {
    *mantissa != i128::MIN
}

/// Converts to the mantissa of a decimal, if it fits.
pub(crate) fn to_mantissa(mantissa: I256) -> Option<i128> {
    i128::try_from(mantissa).ok().filter(is_negatable)
}

/// Converts to a decimal by dropping trailing zeros, if the other digits fit.
fn to_decimal(mut mantissa: I256, mut scale: u32) -> Option<Number> {
    while (scale > MAX_SCALE || to_mantissa(mantissa).is_none()) && scale > 0 && mantissa % I256::from(10) == I256::ZERO
    {
        mantissa /= I256::from(10);
        scale -= 1;
    }
    let mantissa = to_mantissa(mantissa).filter(|_| scale <= MAX_SCALE)?;
    Some(Number::Decimal { mantissa, scale })
}

/// Parses texts that [`ShortNumber::parse`] does not cover.
#[cold]
fn parse_any(text: &[u8]) -> Option<Number> {
    let (negative, text) = split_sign(text);
    let text = std::str::from_utf8(text).ok()?;
    let (number, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Some(Number::integer(0));
    }
    let zeros = digits.len() - digits.trim_end_matches('0').len();
    let scale = fraction.len() as i64 - zeros as i64;
    let scale = scale.checked_sub(exponent).filter(|scale| *scale != i64::MIN)?;
    let exact = || {
        let mantissa = significant.parse::<i128>().ok()?;
        let (mantissa, scale) = match u32::try_from(scale) {
            Ok(scale) => (mantissa, scale),
            Err(_) => (mantissa.checked_mul(10_i128.checked_pow(u32::try_from(-scale).ok()?)?)?, 0),
        };
        (scale <= MAX_SCALE).then_some(Number::Decimal { mantissa, scale })
    };
    let positive = exact().or_else(|| Number::nonzero_float(format!("{significant}e{}", -scale).parse().ok()?))?;
    if negative { positive.negated() } else { Some(positive) }
}

#[cfg(test)]
mod tests;
