//! One column: the form that its numbers need, and its values on their way to the file.

use std::str;

use anyhow::{Context, Result};
use parquet::{
    basic::{LogicalType, Repetition, Type as Physical},
    data_type::{ByteArray, ByteArrayType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, Int64Type},
    file::writer::SerializedColumnWriter,
    schema::types::Type,
};

use super::Kind;

/// Digits of a decimal in a file, which all readers know.
const PRECISION: usize = 38;

/// A column's form in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Integer,
    /// Decimals with so many digits behind the point.
    Decimal(usize),
    Double,
}

/// The numbers of a column, as far as they were seen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Survey {
    /// Most digits before and behind the point.
    before: usize,
    behind: usize,
    is_wide: bool,
    is_float: bool,
}

impl Survey {
    /// Looks at one more number, or null.
    pub(super) fn see(&mut self, digits: &[u8]) {
        let digits = str::from_utf8(digits).unwrap_or("x");
        if digits.is_empty() {
            return;
        }
        match decimal(digits) {
            None => self.is_float = true,
            Some((whole, fraction)) => {
                self.before = self.before.max(whole.len());
                self.behind = self.behind.max(fraction.len());
                self.is_wide |= fraction.is_empty() && digits.parse::<i64>().is_err();
            }
        }
    }
}

/// The digits before and behind the point, without a sign and zeros in front; `None` for what is no plain decimal.
fn decimal(digits: &str) -> Option<(&str, &str)> {
    let unsigned = digits.strip_prefix('-').unwrap_or(digits);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (!whole.is_empty() && is_digits(whole) && is_digits(fraction))
        .then(|| (whole.trim_start_matches('0'), fraction.trim_end_matches('0')))
}

impl Form {
    pub(super) fn of(kind: Kind, numbers: &Survey) -> Self {
        match kind {
            Kind::Text => Self::Text,
            Kind::Count => Self::Integer,
            Kind::Mean => Self::Double,
            Kind::Number if numbers.is_float || numbers.before + numbers.behind > PRECISION => Self::Double,
            Kind::Number if numbers.behind == 0 && !numbers.is_wide => Self::Integer,
            Kind::Number => Self::Decimal(numbers.behind),
        }
    }

    /// The column in the schema.
    pub(super) fn schema(self, name: &str) -> Result<Type> {
        let (physical, repetition) = match self {
            Self::Text => (Physical::BYTE_ARRAY, Repetition::REQUIRED),
            Self::Integer => (Physical::INT64, Repetition::OPTIONAL),
            Self::Decimal(_) => (Physical::FIXED_LEN_BYTE_ARRAY, Repetition::OPTIONAL),
            Self::Double => (Physical::DOUBLE, Repetition::OPTIONAL),
        };
        let column = Type::primitive_type_builder(name, physical).with_repetition(repetition);
        let (precision, digits) = (PRECISION as i32, |scale: usize| scale as i32);
        let column = match self {
            Self::Text => column.with_logical_type(Some(LogicalType::String)),
            Self::Decimal(scale) => column
                .with_length(size_of::<i128>() as i32)
                .with_precision(precision)
                .with_scale(digits(scale))
                .with_logical_type(Some(LogicalType::decimal(digits(scale), precision))),
            Self::Integer | Self::Double => column,
        };
        Ok(column.build()?)
    }
}

/// The values of one row group.
pub(super) struct Values {
    /// 1 for a value, 0 for null.
    levels: Vec<i16>,
    kind: Typed,
}

enum Typed {
    Text(Vec<ByteArray>),
    Integer(Vec<i64>),
    Decimal(usize, Vec<FixedLenByteArray>),
    Double(Vec<f64>),
}

impl Values {
    pub(super) fn new(form: &Form) -> Self {
        let kind = match form {
            Form::Text => Typed::Text(Vec::new()),
            Form::Integer => Typed::Integer(Vec::new()),
            Form::Decimal(scale) => Typed::Decimal(*scale, Vec::new()),
            Form::Double => Typed::Double(Vec::new()),
        };
        Self { levels: Vec::new(), kind }
    }

    /// Adds a field of the CSV. An empty one is null, but for a text.
    pub(super) fn push(&mut self, field: &[u8]) -> Result<()> {
        if let Typed::Text(texts) = &mut self.kind {
            texts.push(field.to_vec().into());
            return Ok(());
        }
        self.levels.push(i16::from(!field.is_empty()));
        if field.is_empty() {
            return Ok(());
        }
        let digits = str::from_utf8(field).context("a number is not UTF-8")?;
        let no_number = || format!("{digits:?} does not fit its column");
        match &mut self.kind {
            Typed::Integer(numbers) => numbers.push(digits.parse().with_context(no_number)?),
            Typed::Double(numbers) => numbers.push(digits.parse().with_context(no_number)?),
            Typed::Decimal(scale, numbers) => {
                let number = scaled(digits, *scale).with_context(no_number)?;
                numbers.push(FixedLenByteArray::from(number.to_be_bytes().to_vec()));
            }
            Typed::Text(_) => {}
        }
        Ok(())
    }

    /// Writes all values, and begins again.
    pub(super) fn write(&mut self, column: &mut SerializedColumnWriter<'_>) -> Result<()> {
        let levels = Some(self.levels.as_slice());
        match &mut self.kind {
            Typed::Text(texts) => column.typed::<ByteArrayType>().write_batch(&std::mem::take(texts), None, None)?,
            Typed::Integer(numbers) => {
                column.typed::<Int64Type>().write_batch(&std::mem::take(numbers), levels, None)?
            }
            Typed::Decimal(_, numbers) => {
                column.typed::<FixedLenByteArrayType>().write_batch(&std::mem::take(numbers), levels, None)?
            }
            Typed::Double(numbers) => {
                column.typed::<DoubleType>().write_batch(&std::mem::take(numbers), levels, None)?
            }
        };
        self.levels.clear();
        Ok(())
    }
}

/// The number times ten to the power of `scale`.
fn scaled(digits: &str, scale: usize) -> Option<i128> {
    let (whole, fraction) = decimal(digits)?;
    let number: i128 = format!("0{whole}{fraction:0<scale$}").parse().ok()?;
    Some(if digits.starts_with('-') { -number } else { number })
}
