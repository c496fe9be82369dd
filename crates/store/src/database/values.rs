//! Values of tables whose columns are only known at run time: the tables `report_<name>`.

/// One value of a metric.
#[derive(Debug, Clone, PartialEq)]
pub enum ReportValue {
    /// No value: there was nothing to compute it from.
    Null,
    /// An integer.
    Integer(i64),
    /// Any other number.
    Real(f64),
    /// The digits of an integer that needs more than 64 bits.
    Text(String),
    /// The digits of a decimal that the nearest double does not have.
    Decimal(String),
}

/// One group of a report with its metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRow {
    /// One text per column of [`crate::ReportTable::group_by`].
    pub group: Vec<String>,
    /// One value per column of [`crate::ReportTable::metrics`].
    pub values: Vec<ReportValue>,
}

impl ReportValue {
    /// The nearest double; none of a null.
    #[must_use]
    pub fn approximate(&self) -> Option<f64> {
        let number = match self {
            Self::Null => None,
            Self::Integer(number) => Some(*number as f64),
            Self::Real(number) => Some(*number),
            Self::Text(text) | Self::Decimal(text) => text.parse().ok(),
        };
        number.filter(|number| number.is_finite())
    }
}
