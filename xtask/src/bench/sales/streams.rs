//! Many streams at once, beside one of as many bytes.

use anyhow::Result;

use super::{
    rounds::{GROUPS, Stage},
    server::{Server, Turn},
};
use crate::bench::{
    figures::{Spread, seconds},
    sales_file::Sales,
    table::Row,
};

const STREAMS: usize = 32;
/// Rows of a stream: some 100 MB.
const ROWS: u64 = 3_200_000;
/// The most time of all, as a part of that of the one.
const MAX_RATIO: f64 = 1.20;

/// Measures the line `streams`.
pub(super) fn measure(stage: &Stage<'_>) -> Result<Vec<Row>> {
    let part = Sales::generate(stage.home, "part", ROWS, GROUPS)?;
    let whole = Sales::generate(stage.home, "whole", ROWS * STREAMS as u64, GROUPS)?;
    let mut rounds: Vec<[Turn; 2]> = Vec::new();
    for number in 0..=stage.pairs {
        let many = Server::master(stage.home)?.turn(&part.path(), STREAMS)?;
        let one = Server::master(stage.home)?.turn(&whole.path(), 1)?;
        eprintln!("{STREAMS} streams: {}, one: {}", seconds(many.usage.wall), seconds(one.usage.wall));
        // The first round only warms up.
        if number > 0 {
            rounds.push([many, one]);
        }
    }
    let row = |text: String, place: usize| {
        let mut row = Row::of_usages(text, rounds.iter().map(|round| round[place].usage));
        row.memory += " above idle";
        row
    };
    let mut many = row(format!("streams: {STREAMS} at once, each of {}", part.summary()), 0);
    let ratio = |[many, one]: &[Turn; 2]| many.usage.wall.as_secs_f64() / one.usage.wall.as_secs_f64();
    let ratio = Spread::of(rounds.iter().map(ratio));
    many.ratio = ratio.times("one stream");
    let many = many.target(format!("<= {MAX_RATIO:.2} x one stream"), ratio.median <= MAX_RATIO);
    Ok(vec![many, row(format!("one stream of {}", whole.summary()), 1)])
}
