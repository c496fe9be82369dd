//! A small plot of one series over time, without axes.

use std::fmt::Write as _;

/// Width and height of the drawing; the page stretches it.
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 40.0;
/// Room above the highest point, so that its line is not cut.
const MARGIN: f64 = 2.0;

/// One value of a series.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::http) struct SparkValue {
    /// The value, finite and not negative.
    pub(in crate::http) value: f64,
    /// Words for the time and the value, shown on hover.
    pub(in crate::http) title: String,
}

/// A line from the first value to the last, the area below it, and a place to hover over each value.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::http) struct Spark {
    /// The path of the line.
    pub(in crate::http) line: String,
    /// The path of the area.
    pub(in crate::http) area: String,
    /// Left edge, width and title of the place of each value.
    pub(in crate::http) places: Vec<(String, String, String)>,
}

impl Spark {
    /// Draws the values from zero to the highest one.
    pub(in crate::http) fn new(values: Vec<SparkValue>) -> Self {
        let highest = values.iter().map(|value| value.value).fold(f64::MIN_POSITIVE, f64::max);
        let step = WIDTH / values.len().max(1) as f64;
        let mut line = String::new();
        for (number, SparkValue { value, .. }) in values.iter().enumerate() {
            let (x, y) = ((number as f64 + 0.5) * step, HEIGHT - value / highest * (HEIGHT - MARGIN));
            let sign = if number == 0 { 'M' } else { 'L' };
            // Writing to a text cannot fail.
            let _ = write!(line, "{sign}{x:.1} {y:.1}");
        }
        let (first, last) = (0.5 * step, WIDTH - 0.5 * step);
        let area = format!("{line}L{last:.1} {HEIGHT}L{first:.1} {HEIGHT}Z");
        let place = |(number, value): (usize, SparkValue)| {
            (format!("{:.1}", number as f64 * step), format!("{step:.1}"), value.title)
        };
        Self { line, area, places: values.into_iter().enumerate().map(place).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_value_is_at_the_top_and_nothing_at_the_bottom() {
        let values = [0.0, 5.0, 10.0].map(|value| SparkValue { value, title: format!("{value}") });
        let spark = Spark::new(values.to_vec());
        assert_eq!(spark.line, "M50.0 40.0L150.0 21.0L250.0 2.0");
        assert_eq!(spark.area, "M50.0 40.0L150.0 21.0L250.0 2.0L250.0 40L50.0 40Z");
        assert_eq!(spark.places[1], ("100.0".to_owned(), "100.0".to_owned(), "5".to_owned()));
    }

    #[test]
    fn a_series_of_zeros_is_a_line_at_the_bottom() {
        let spark = Spark::new(vec![SparkValue { value: 0.0, title: String::new() }; 2]);
        assert_eq!(spark.line, "M75.0 40.0L225.0 40.0");
    }
}
