//! Plots as SVG, drawn by the server: numbers in, coordinates and texts out. They have no styles of their own, since the content security
//! policy forbids inline ones, and need no script.
//!
//! A plot with axes is [`WIDTH`] by [`HEIGHT`] units and is stretched to its place, so that it fits a phone. Strokes must not be scaled with
//! it (`vector-effect: non-scaling-stroke`), and labels stand beside it as text of the page.

mod over_time;
mod path;
mod scale;
mod spark;

pub(in crate::http) use over_time::{Plot, SpanLink, milliseconds, span, time};
pub(in crate::http) use path::{path, x_of};
pub(in crate::http) use scale::Scale;
pub(in crate::http) use spark::{Spark, SparkValue};

/// Units from left to right.
pub(in crate::http) const WIDTH: f64 = 1000.0;
/// Units from top to bottom.
pub(in crate::http) const HEIGHT: f64 = 100.0;

/// The `viewBox` of a plot with axes.
pub(in crate::http) fn view_box() -> String {
    format!("0 0 {WIDTH} {HEIGHT}")
}
