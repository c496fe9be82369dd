//! The most digits that a value can have. As long as they fit, decimals of SQL are exact and no sum overflows.

use super::NotSql;
use crate::{
    formula::{Arithmetic, Formula},
    number::{MAX_SCALE, Number},
};

/// The most digits of a decimal of SQL, which are as many as a number of ours surely has.
const MAX_DIGITS: u32 = 38;

/// The most digits before and behind the point of some numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Digits {
    pub(super) whole: u32,
    pub(super) scale: u32,
}

impl Digits {
    /// Those of all digits together; a decimal has one at least.
    pub(super) fn precision(self) -> u32 {
        (self.whole + self.scale).max(1)
    }

    /// Those of numbers of both kinds.
    pub(super) fn or(self, other: Self) -> Self {
        Self { whole: self.whole.max(other.whole), scale: self.scale.max(other.scale) }
    }

    /// Those of the sum of so many numbers.
    pub(super) fn of_sum(self, rows: u64) -> Self {
        Self { whole: self.whole + decimal_digits(rows.into()), ..self }
    }

    /// Whether exact decimals have room for all of them.
    pub(super) fn fit(self) -> bool {
        self.precision() <= MAX_DIGITS && self.scale <= MAX_SCALE
    }

    /// Those of the values of a formula, whose columns have these.
    pub(super) fn of(formula: &Formula, column: &impl Fn(usize) -> Self) -> Result<Self, NotSql> {
        let digits = match formula {
            Formula::Column(at) => column(*at),
            Formula::Constant(number) => Self::of_constant(*number)?,
            Formula::Negated(inner) => Self::of(inner, column)?,
            Formula::Both(operation, left, right) => {
                let (left, right) = (Self::of(left, column)?, Self::of(right, column)?);
                match operation {
                    Arithmetic::Plus | Arithmetic::Minus => {
                        let Self { whole, scale } = left.or(right);
                        Self { whole: whole + 1, scale }
                    }
                    Arithmetic::Times => Self { whole: left.whole + right.whole, scale: left.scale + right.scale },
                    Arithmetic::DividedBy => return Err(divides()),
                }
            }
        };
        match digits.fit() {
            true => Ok(digits),
            false => Err(NotSql(format!(
                "values have up to {} digits, {} of them behind the point, where {MAX_DIGITS} and {MAX_SCALE} are exact",
                digits.precision(),
                digits.scale
            ))),
        }
    }

    pub(super) fn of_constant(number: Number) -> Result<Self, NotSql> {
        match number {
            Number::Decimal { mantissa, scale } => {
                let whole = decimal_digits(mantissa.unsigned_abs()).saturating_sub(scale);
                Ok(Self { whole, scale })
            }
            Number::Float(_) => Err(NotSql(format!("{number} has too many digits for an exact decimal"))),
        }
    }
}

pub(super) fn divides() -> NotSql {
    NotSql("it divides, and quotients of SQL are rounded otherwise".to_owned())
}

fn decimal_digits(number: u128) -> u32 {
    number.checked_ilog10().map_or(0, |log| log + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(formula: &Formula) -> Result<Digits, NotSql> {
        Digits::of(formula, &|column| [Digits { whole: 10, scale: 2 }, Digits { whole: 30, scale: 4 }][column])
    }

    fn both(operation: Arithmetic, left: Formula, right: Formula) -> Formula {
        Formula::Both(operation, Box::new(left), Box::new(right))
    }

    #[test]
    fn digits_add_up() {
        let (short, long) = (|| Formula::Column(0), || Formula::Column(1));
        let check = |formula: Formula, whole, scale| assert_eq!(of(&formula), Ok(Digits { whole, scale }));
        check(both(Arithmetic::Plus, short(), long()), 31, 4);
        check(both(Arithmetic::Times, short(), short()), 20, 4);
        check(Formula::Negated(Box::new(short())), 10, 2);
        check(Formula::Constant("-0.05".parse_number()), 0, 2);
        check(Formula::Constant("120".parse_number()), 3, 0);
        assert!(of(&both(Arithmetic::Times, short(), long())).unwrap_err().0.contains("46 digits"));
        assert_eq!(of(&both(Arithmetic::DividedBy, short(), short())), Err(divides()));
        assert_eq!(Digits { whole: 10, scale: 2 }.of_sum(50_000_000), Digits { whole: 18, scale: 2 });
        assert!(Digits { whole: 18, scale: 20 }.fit() && !Digits { whole: 17, scale: 21 }.fit());
    }

    trait ParseNumber {
        fn parse_number(&self) -> Number;
    }

    impl ParseNumber for str {
        fn parse_number(&self) -> Number {
            Number::parse(self.as_bytes()).unwrap()
        }
    }
}
