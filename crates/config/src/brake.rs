//! `max_removal` and `hold_for` of a source: how much a version may take away before a person has to accept it.

use std::time::Duration;

use toml::Value;

use super::duration;

/// When a version of a source is held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Brake {
    /// The most that a version may take away. `None`: anything. Default: half of the skus, or 100.
    pub max_removal: Option<MaxRemoval>,
    /// After this time a held version is applied by itself, if it has not changed. `None`: never. Default: 10 minutes.
    pub hold_for: Option<Duration>,
}

/// A version is held if the skus that it takes away exceed both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaxRemoval {
    /// The share of the distinct skus that the source offers, from 0 to 1.
    pub share: f64,
    /// The number of skus.
    pub rows: u64,
}

impl Default for Brake {
    fn default() -> Self {
        Self { max_removal: Some(MaxRemoval::default()), hold_for: Some(Duration::from_secs(600)) }
    }
}

impl Default for MaxRemoval {
    fn default() -> Self {
        Self { share: 0.5, rows: 100 }
    }
}

impl Brake {
    /// Never holds anything.
    pub const OFF: Self = Self { max_removal: None, hold_for: None };
}

impl MaxRemoval {
    /// Whether `removed` of `offers` skus are too many.
    #[must_use]
    pub fn is_exceeded(&self, removed: u64, offers: u64) -> bool {
        removed > self.rows && removed as f64 > self.share * offers as f64
    }
}

/// Parses `max_removal`.
pub(super) fn max_removal(value: &Value) -> Result<Option<MaxRemoval>, String> {
    let write = "write { share = 0.5, rows = 100 }, or false to hold nothing";
    let table = match value {
        Value::Boolean(false) => return Ok(None),
        Value::Table(table) => table,
        other => return Err(format!("`max_removal` cannot be {other}; {write}")),
    };
    let mut max = MaxRemoval::default();
    for (key, value) in table {
        match (key.as_str(), value) {
            ("share", Value::Float(share)) if (0.0..=1.0).contains(share) => max.share = *share,
            ("share", Value::Integer(share @ (0 | 1))) => max.share = *share as f64,
            ("share", other) => return Err(format!("`share` is a number from 0 to 1, not {other}")),
            ("rows", Value::Integer(rows @ 0..)) => max.rows = rows.unsigned_abs(),
            ("rows", other) => return Err(format!("`rows` is a number of skus, not {other}")),
            (other, _) => return Err(format!("unknown field `{other}` of `max_removal`; {write}")),
        }
    }
    Ok(Some(max))
}

/// Parses `hold_for`.
pub(super) fn hold_for(value: &Value) -> Result<Option<Duration>, String> {
    match value {
        Value::Boolean(false) => Ok(None),
        Value::String(text) => duration(text).map(Some),
        other => Err(format!(
            "`hold_for` cannot be {other}; write for example \"10m\", or false to wait for a person however long it takes"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bounds_must_be_exceeded() {
        let max = MaxRemoval::default();
        for (removed, offers, exceeded) in
            [(100, 100, false), (101, 101, true), (101, 202, false), (102, 202, true), (0, 0, false)]
        {
            assert_eq!(max.is_exceeded(removed, offers), exceeded, "{removed} of {offers}");
        }
        let any = MaxRemoval { share: 0.0, rows: 0 };
        assert!(any.is_exceeded(1, 1000) && !any.is_exceeded(0, 1000));
    }
}
