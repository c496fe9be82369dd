//! Formulas and conditions as SQL. Both follow the same rules for null.

use super::{
    NotSql,
    digits::{Digits, divides},
};
use crate::formula::{Arithmetic, Comparison, Condition, Formula};

/// The columns of a file as expressions.
pub(super) trait Columns {
    /// The column as a number, and how many digits its numbers have.
    fn number(&self, column: usize) -> (String, Digits);

    /// The column as a text.
    fn text(&self, column: usize) -> String;
}

/// Checks that a formula can be SQL, whatever digits its columns have.
pub(super) fn check(formula: &Formula) -> Result<(), NotSql> {
    match formula {
        Formula::Column(_) => Ok(()),
        Formula::Constant(number) => Digits::of_constant(*number).map(drop),
        Formula::Negated(inner) => check(inner),
        Formula::Both(Arithmetic::DividedBy, ..) => Err(divides()),
        Formula::Both(_, left, right) => check(left).and_then(|()| check(right)),
    }
}

/// Checks that a condition can be SQL, whatever digits its columns have.
pub(super) fn check_condition(condition: &Condition) -> Result<(), NotSql> {
    match condition {
        Condition::Compare(_, left, right) => check(left).and_then(|()| check(right)),
        Condition::CompareText(..) | Condition::IsEmpty(_) => Ok(()),
        Condition::Not(inner) => check_condition(inner),
        Condition::And(left, right) => check_condition(left).and_then(|()| check_condition(right)),
        Condition::Any(all) => all.iter().try_for_each(check_condition),
    }
}

/// A formula whose value is a decimal with these digits.
pub(super) fn cast(formula: &Formula, columns: &impl Columns, to: Digits) -> String {
    let text = number(formula, columns);
    format!("CAST({text} AS DECIMAL({}, {}))", to.precision(), to.scale)
}

/// A formula.
fn number(formula: &Formula, columns: &impl Columns) -> String {
    match formula {
        Formula::Column(column) => columns.number(*column).0,
        Formula::Constant(number) => {
            let digits = Digits::of_constant(*number).unwrap_or_default();
            // A bare literal with a point would be a double.
            format!("CAST('{number}' AS DECIMAL({}, {}))", digits.precision(), digits.scale)
        }
        Formula::Negated(inner) => format!("(- {})", number(inner, columns)),
        Formula::Both(operation, left, right) => {
            let sign = match operation {
                Arithmetic::Plus => "+",
                Arithmetic::Minus => "-",
                Arithmetic::Times => "*",
                Arithmetic::DividedBy => "/",
            };
            format!("({} {sign} {})", number(left, columns), number(right, columns))
        }
    }
}

/// A condition, which is true, false or null.
///
/// # Errors
/// Values that are compared have too many digits.
pub(super) fn condition(condition: &Condition, columns: &impl Columns) -> Result<String, NotSql> {
    Ok(match condition {
        Condition::Compare(comparison, left, right) => {
            let digits = |formula| Digits::of(formula, &|column| columns.number(column).1);
            let common = digits(left)?.or(digits(right)?);
            if !common.fit() {
                return Err(NotSql("it compares numbers with too many digits for exact decimals".to_owned()));
            }
            format!("({} {} {})", cast(left, columns, common), sign(*comparison), cast(right, columns, common))
        }
        Condition::CompareText(comparison, column, text) => {
            format!("({} {} '{}')", columns.text(*column), sign(*comparison), text.replace('\'', "''"))
        }
        Condition::IsEmpty(column) => format!("({} IS NULL)", columns.text(*column)),
        Condition::Not(inner) => format!("(NOT {})", self::condition(inner, columns)?),
        Condition::And(left, right) => {
            format!("({} AND {})", self::condition(left, columns)?, self::condition(right, columns)?)
        }
        Condition::Any(all) => {
            let all = all.iter().map(|one| self::condition(one, columns)).collect::<Result<Vec<_>, _>>()?;
            if all.is_empty() { "false".to_owned() } else { format!("({})", all.join(" OR ")) }
        }
    })
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}
