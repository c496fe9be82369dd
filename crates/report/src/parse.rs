//! Parses expressions, which are a subset of SQL. Anything outside the subset is an error; nothing is guessed.

use sqlparser::{
    ast::{
        BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, InTarget, UnaryOperator, Value,
        ValueWithSpan,
    },
    dialect::GenericDialect,
    parser::{Parser, ParserError},
    tokenizer::{Token, Tokenizer},
};

use crate::{
    columns::NeededColumns,
    formula::{Arithmetic, Comparison, Condition, Formula},
    number::Number,
};

/// The longest expression in bytes.
const MAX_EXPRESSION_BYTES: usize = 2_000;
/// Deepest nesting of parentheses and other constructs.
const MAX_EXPRESSION_DEPTH: usize = 50;
/// The most names, operators and parentheses. The tree of a sum is as deep as the sum has terms, so without a limit
/// walking or dropping it would overflow the stack.
const MAX_EXPRESSION_TOKENS: usize = 200;

/// A parsed metric.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Aggregate {
    Count,
    Sum(Formula),
    Mean(Formula),
    Least(Formula),
    Greatest(Formula),
}

/// Parses a metric.
pub(crate) fn metric(text: &str, columns: &mut NeededColumns) -> Result<Aggregate, String> {
    const KNOWN: &str = "count(), sum(…), min(…), max(…) and mean(…)";
    let expression = expression(text)?;
    let Expr::Function(function) = &expression else {
        return Err(format!("`{expression}` is not a metric; use one of {KNOWN}"));
    };
    let name = function.name.to_string().to_ascii_lowercase();
    let FunctionArguments::List(list) = &function.args else {
        return Err(format!("`{expression}` is not supported; use one of {KNOWN}"));
    };
    let is_plain = function.filter.is_none()
        && function.over.is_none()
        && function.within_group.is_empty()
        && function.null_treatment.is_none()
        && matches!(function.parameters, FunctionArguments::None)
        && list.duplicate_treatment.is_none()
        && list.clauses.is_empty();
    if !is_plain {
        return Err(format!("`{expression}` has clauses that are not supported; write only `{name}(…)`"));
    }
    match (name.as_str(), list.args.as_slice()) {
        ("count", [] | [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]) => Ok(Aggregate::Count),
        ("count", _) => Err("count() counts rows and takes no argument".to_owned()),
        (name @ ("sum" | "min" | "max" | "mean" | "avg"), [FunctionArg::Unnamed(FunctionArgExpr::Expr(inner))]) => {
            let formula = formula(inner, columns)?;
            Ok(match name {
                "sum" => Aggregate::Sum(formula),
                "min" => Aggregate::Least(formula),
                "max" => Aggregate::Greatest(formula),
                _ => Aggregate::Mean(formula),
            })
        }
        ("sum" | "min" | "max" | "mean" | "avg", _) => {
            Err(format!("{name} takes one expression, as in `{name}(price)`"))
        }
        _ => Err(format!("`{name}(…)` is not supported; use one of {KNOWN}")),
    }
}

/// Parses a condition.
pub(crate) fn condition(text: &str, columns: &mut NeededColumns) -> Result<Condition, String> {
    condition_of(&expression(text)?, columns)
}

fn expression(text: &str) -> Result<Expr, String> {
    if text.len() > MAX_EXPRESSION_BYTES {
        return Err(format!("the expression has {} bytes where {MAX_EXPRESSION_BYTES} are the limit", text.len()));
    }
    let read = || {
        let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize()?;
        let count = tokens.iter().filter(|token| counts_as_token(token)).count();
        if count > MAX_EXPRESSION_TOKENS {
            let why =
                format!("it has {count} names, operators and parentheses where {MAX_EXPRESSION_TOKENS} are the limit");
            return Err(ParserError::ParserError(why));
        }
        let mut parser = Parser::new(&GenericDialect {}).with_recursion_limit(MAX_EXPRESSION_DEPTH).with_tokens(tokens);
        let expression = parser.parse_expr()?;
        parser.expect_token(&Token::EOF)?;
        Ok(expression)
    };
    read().map_err(|why| {
        let why = why.to_string();
        let why = why.strip_prefix("sql parser error: ").unwrap_or(&why);
        format!("`{text}` cannot be read: {why}; put column names with blanks or signs in double quotes")
    })
}

/// Whether the token can make an expression deeper. A list of values is flat, however long it is.
fn counts_as_token(token: &Token) -> bool {
    !matches!(token, Token::Whitespace(_) | Token::Comma | Token::Number(..) | Token::SingleQuotedString(_))
}

fn formula(expression: &Expr, columns: &mut NeededColumns) -> Result<Formula, String> {
    Ok(match expression {
        Expr::Nested(inner) => formula(inner, columns)?,
        Expr::Identifier(Ident { value, .. }) => Formula::Column(columns.index(value)?),
        Expr::Value(ValueWithSpan { value: Value::Number(text, _), .. }) => {
            let number = Number::parse(text.as_bytes());
            Formula::Constant(number.ok_or_else(|| format!("{text} is out of range"))?)
        }
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => Formula::Negated(Box::new(formula(expr, columns)?)),
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => formula(expr, columns)?,
        Expr::BinaryOp { left, op, right } => {
            let operation = match op {
                BinaryOperator::Plus => Arithmetic::Plus,
                BinaryOperator::Minus => Arithmetic::Minus,
                BinaryOperator::Multiply => Arithmetic::Times,
                BinaryOperator::Divide => Arithmetic::DividedBy,
                _ => return Err(not_a_number(expression)),
            };
            let (left, right) = (formula(left, columns)?, formula(right, columns)?);
            Formula::Both(operation, Box::new(left), Box::new(right))
        }
        _ => return Err(not_a_number(expression)),
    })
}

fn not_a_number(expression: &Expr) -> String {
    format!("`{expression}` is not a number; use columns, numbers, `+ - * /` and parentheses")
}

fn condition_of(expression: &Expr, columns: &mut NeededColumns) -> Result<Condition, String> {
    let negated = |negated: bool, condition| if negated { Condition::Not(Box::new(condition)) } else { condition };
    Ok(match expression {
        Expr::Nested(inner) => condition_of(inner, columns)?,
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => Condition::Not(Box::new(condition_of(expr, columns)?)),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            Condition::And(Box::new(condition_of(left, columns)?), Box::new(condition_of(right, columns)?))
        }
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
            Condition::Any(vec![condition_of(left, columns)?, condition_of(right, columns)?])
        }
        Expr::BinaryOp { left, op, right } => {
            let comparison = comparison(op).ok_or_else(|| not_a_condition(expression))?;
            compare(comparison, left, right, columns)?
        }
        Expr::Between { expr, negated: not, low, high } => {
            let low = compare(Comparison::GreaterOrEqual, expr, low, columns)?;
            let high = compare(Comparison::LessOrEqual, expr, high, columns)?;
            negated(*not, Condition::And(Box::new(low), Box::new(high)))
        }
        Expr::In { expr, target: InTarget::List(list), negated: not, global: false } => {
            let equal = list.iter().map(|item| compare(Comparison::Equal, expr, item, columns));
            negated(*not, Condition::Any(equal.collect::<Result<_, _>>()?))
        }
        Expr::IsNull(inner) => Condition::IsEmpty(column(inner, columns)?),
        Expr::IsNotNull(inner) => Condition::Not(Box::new(Condition::IsEmpty(column(inner, columns)?))),
        _ => return Err(not_a_condition(expression)),
    })
}

fn not_a_condition(expression: &Expr) -> String {
    format!(
        "`{expression}` is not a condition; compare numbers, or a column and a text in single quotes, by `= <> < <= > >=`, \
         BETWEEN, IN or IS NULL, and combine comparisons with AND, OR and NOT"
    )
}

fn comparison(operator: &BinaryOperator) -> Option<Comparison> {
    Some(match operator {
        BinaryOperator::Eq => Comparison::Equal,
        BinaryOperator::NotEq => Comparison::NotEqual,
        BinaryOperator::Lt => Comparison::Less,
        BinaryOperator::LtEq => Comparison::LessOrEqual,
        BinaryOperator::Gt => Comparison::Greater,
        BinaryOperator::GtEq => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

/// Compiles a comparison: of texts if one side is a text in single quotes, else of numbers.
fn compare(
    comparison: Comparison,
    left: &Expr,
    right: &Expr,
    columns: &mut NeededColumns,
) -> Result<Condition, String> {
    Ok(match (text(left), text(right)) {
        (None, None) => Condition::Compare(comparison, formula(left, columns)?, formula(right, columns)?),
        (None, Some(text)) => Condition::CompareText(comparison, column(left, columns)?, text.trim().to_owned()),
        (Some(text), None) => {
            Condition::CompareText(comparison.mirrored(), column(right, columns)?, text.trim().to_owned())
        }
        (Some(_), Some(_)) => {
            return Err(format!("`{left}` and `{right}` are both texts; put column names in double quotes"));
        }
    })
}

fn text(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) => Some(text),
        Expr::Nested(inner) => text(inner),
        _ => None,
    }
}

fn column(expression: &Expr, columns: &mut NeededColumns) -> Result<usize, String> {
    match expression {
        Expr::Identifier(Ident { value, .. }) => columns.index(value),
        Expr::Nested(inner) => column(inner, columns),
        _ => Err(format!("`{expression}` is not a column; only a column can be compared with a text or with NULL")),
    }
}
