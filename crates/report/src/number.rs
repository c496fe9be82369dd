//! Numbers as reports count with them: exact decimals while they fit, else the nearest double. What a sum is, `sum` knows.
//!
//! | written | is |
//! | --- | --- |
//! | `12`, `-12`, `+12`, `012` | the integer |
//! | `1.50`, `.5`, `5.` | the decimal, exactly |
//! | `1e3`, `2.5E-4` | the decimal, exactly |
//! | more than 38 digits, or more than 20 of them behind the point | the nearest double |
//! | more than 1e300, or less than 1e-300 | no number: [`None`] |
//! | `1,000`, `1_000`, `$5`, `0x1F`, `NaN`, `inf`, nothing | no number: [`None`] |

use std::{cmp::Ordering, fmt};

use ethnum::I256;

/// Most digits behind the point of a [`Number::Decimal`]. A mantissa of 128 bits that is aligned to so many digits leaves
/// room in 256 bits for the sum of more rows than any file has.
pub(crate) const MOST_SCALE: u32 = 20;
/// Digits that fit in 64 bits whatever they are.
const SURE_DIGITS: usize = 18;
/// Bounds of a double's absolute value: a sum of many stays finite, and what is far smaller than any measure is a mistake.
const LARGEST: f64 = 1e300;
const SMALLEST: f64 = 1e-300;

/// One number.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// `mantissa` / 10^`scale`, exactly. Equal numbers may have different scales.
    Decimal {
        /// All its digits.
        mantissa: i128,
        /// How many of them stand behind the point, at most 20. As wide as it is because numbers are copied all the time: a
        /// narrower one is copied together with what is beside it, which is three times as slow.
        scale: u32,
    },
    /// What fits in no such decimal: finite, and its absolute value between 1e-300 and 1e300.
    Float(f64),
}

impl Number {
    /// An integer.
    #[must_use]
    pub const fn integer(value: i128) -> Self {
        Self::Decimal { mantissa: value, scale: 0 }
    }

    /// Reads a trimmed cell or a number of an expression.
    #[must_use]
    #[inline]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        // One more for the point.
        if digits.len() > SURE_DIGITS + 1 {
            return parse_any(negative, digits);
        }
        let (mut value, mut point) = (0_i64, None);
        for (at, byte) in digits.iter().enumerate() {
            match byte {
                b'0'..=b'9' => value = value.wrapping_mul(10).wrapping_add(i64::from(byte - b'0')),
                b'.' if point.is_none() => point = Some(at),
                _ => return parse_any(negative, digits),
            }
        }
        let count = digits.len() - usize::from(point.is_some());
        if count == 0 || count > SURE_DIGITS {
            return parse_any(negative, digits);
        }
        let scale = point.map_or(0, |at| digits.len() - 1 - at);
        let mantissa = i128::from(if negative { -value } else { value });
        // At most SURE_DIGITS of them.
        Some(Self::Decimal { mantissa, scale: scale as u32 })
    }

    /// The sum; none if it is out of range. The difference and the product are alike.
    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        self.exactly(other, i128::checked_add).or_else(|| Self::float(self.to_f64() + other.to_f64()))
    }

    pub(crate) fn minus(self, other: Self) -> Option<Self> {
        self.exactly(other, i128::checked_sub).or_else(|| Self::float(self.to_f64() - other.to_f64()))
    }

    pub(crate) fn times(self, other: Self) -> Option<Self> {
        if let (Self::Decimal { mantissa: a, scale: i }, Self::Decimal { mantissa: b, scale: j }) = (self, other)
            && let Some(mantissa) = a.checked_mul(b)
            && let Some(product) = shortened(mantissa.into(), i + j)
        {
            return Some(product);
        }
        if self.is_zero() || other.is_zero() {
            return Some(Self::integer(0));
        }
        Self::not_nothing(self.to_f64() * other.to_f64())
    }

    /// The quotient, exact if it ends within 20 digits. The outer one is none if it is out of range; there is no quotient by
    /// zero.
    pub(crate) fn divided_by(self, other: Self) -> Option<Option<Self>> {
        if other.is_zero() {
            return Some(None);
        }
        if let (Self::Decimal { mantissa: a, scale: i }, Self::Decimal { mantissa: b, scale: j }) = (self, other)
            && let Some(dividend) = I256::from(a).checked_mul(power(MOST_SCALE + j))
            && let divisor = I256::from(b) * power(i)
            && dividend % divisor == I256::ZERO
            && let Some(quotient) = shortened(dividend / divisor, MOST_SCALE)
        {
            return Some(Some(quotient));
        }
        if self.is_zero() {
            return Some(Some(Self::integer(0)));
        }
        Self::not_nothing(self.to_f64() / other.to_f64()).map(Some)
    }

    pub(crate) fn negated(self) -> Option<Self> {
        Self::integer(0).minus(self)
    }

    pub(crate) fn is_zero(self) -> bool {
        matches!(self, Self::Decimal { mantissa: 0, .. })
    }

    /// The order of their values, and one of a decimal and a double that are as good as equal, so that the least and the
    /// greatest of several never depend on their order.
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

    /// Whether they have the same value, or as good as the same where one is a double.
    pub(crate) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Decimal { .. }, Self::Decimal { .. }) => self.order(other),
            _ => self.to_f64().total_cmp(&other.to_f64()),
        }
    }

    /// The integer, if it is one that fits in 64 bits.
    #[must_use]
    pub fn to_i64(self) -> Option<i64> {
        self.to_integer().and_then(|value| i64::try_from(value).ok())
    }

    /// The integer, if it is one and not a double.
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

    /// The nearest double.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        /// Integers to which a double is exact, and powers of ten that are: then one division rounds once.
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
        let mantissa = operation(align(a, i)?, align(b, j)?).filter(has_opposite)?;
        Some(Self::Decimal { mantissa, scale })
    }

    /// What is computed of numbers that are not zero: where nothing is left of it, it was too small.
    fn not_nothing(value: f64) -> Option<Self> {
        Self::float(value).filter(|_| value != 0.0)
    }

    fn float(value: f64) -> Option<Self> {
        if value == 0.0 {
            return Some(Self::integer(0));
        }
        (SMALLEST..=LARGEST).contains(&value.abs()).then_some(Self::Float(value))
    }
}

/// Equal if they are the same number in the same kind: what is read from a text is what was written.
impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.order(*other) == Ordering::Equal
    }
}

/// As a JSON number, a double as short as it can be read again.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decimal { mantissa, scale } => f.write_str(&decimal_text((*mantissa).into(), *scale)),
            Self::Float(value) => f.write_str(format!("{value:?}").trim_end_matches(".0")),
        }
    }
}

/// 10^`exponent`, for exponents up to 76.
pub(crate) fn power(exponent: u32) -> I256 {
    I256::from(10).pow(exponent)
}

/// The mantissa that has `to` digits behind the point; `from` has no more.
pub(crate) fn aligned(mantissa: i128, from: u32, to: u32) -> I256 {
    const POWERS: [i64; SURE_DIGITS + 1] = {
        let mut powers = [1; SURE_DIGITS + 1];
        let mut at = 1;
        while at <= SURE_DIGITS {
            powers[at] = powers[at - 1] * 10;
            at += 1;
        }
        powers
    };
    match (i64::try_from(mantissa), POWERS.get((to - from) as usize)) {
        (Ok(short), Some(unit)) => (i128::from(short) * i128::from(*unit)).into(),
        _ => I256::from(mantissa) * power(to - from),
    }
}

/// A decimal without zeros at its end, as JSON writes it.
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

/// Whether it is no `i128::MIN`, which is in no decimal: it has no absolute value, and would be read as a double again.
fn has_opposite(mantissa: &i128) -> bool {
    *mantissa != i128::MIN
}

/// The mantissa of a decimal, if it fits in one.
pub(crate) fn fitting(mantissa: I256) -> Option<i128> {
    i128::try_from(mantissa).ok().filter(has_opposite)
}

/// The decimal of at most [`MOST_SCALE`] digits behind the point, if it has no more but zeros.
fn shortened(mut mantissa: I256, mut scale: u32) -> Option<Number> {
    while (scale > MOST_SCALE || fitting(mantissa).is_none()) && scale > 0 && mantissa % I256::from(10) == I256::ZERO {
        mantissa /= I256::from(10);
        scale -= 1;
    }
    let mantissa = fitting(mantissa).filter(|_| scale <= MOST_SCALE)?;
    Some(Number::Decimal { mantissa, scale })
}

/// Reads what [`Number::parse`] does not read at once.
#[cold]
fn parse_any(negative: bool, text: &[u8]) -> Option<Number> {
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
        (scale <= MOST_SCALE).then_some(Number::Decimal { mantissa, scale })
    };
    let positive = exact().or_else(|| Number::not_nothing(format!("{significant}e{}", -scale).parse().ok()?))?;
    if negative { positive.negated() } else { Some(positive) }
}

#[cfg(test)]
mod tests;
