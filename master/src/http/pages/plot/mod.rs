//! Plots as SVG, drawn by the server: numbers in, coordinates and texts out. They have no styles of their own, since the content security
//! policy forbids inline ones, and need no script.

mod spark;

pub(in crate::http) use spark::{Spark, SparkValue};
