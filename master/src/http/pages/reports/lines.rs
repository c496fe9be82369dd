//! A metric over time, as lines. The SVG is stretched to its place; its labels are texts of the page beside it.

use std::collections::HashMap;

use tributary_config::ReportConfig;
use tributary_engine::{PeriodLines, ReportLine, ReportValue};
use tributary_protocol::CalendarPart;

use super::period::{self, step};
use crate::http::pages::{
    plot::{self, Scale, WIDTH, x_of},
    text::{
        numbers::{for_people, rounded},
        wording::counted,
    },
};
/// Steps of time from which a label in the middle may be half a step off.
const WIDE: i64 = 20;

/// A metric over time.
pub(super) struct Lines {
    pub(super) metric: String,
    pub(super) unit: Option<String>,
    /// The part of the calendar, in words.
    pub(super) by: &'static str,
    /// The chart in one sentence.
    pub(super) summary: String,
    /// The coordinates that it is drawn in.
    pub(super) view_box: String,
    pub(super) lines: Vec<Line>,
    /// The heights of the horizontal rules, the highest first, with their labels.
    pub(super) rules: Vec<(String, String)>,
    /// The labels below: the first period, the one in the middle, the last one.
    pub(super) periods: Vec<String>,
    /// The places of periods: left end, width, and the values in words.
    pub(super) columns: Vec<(String, String, String)>,
    /// A sentence on the lines and periods that are left out.
    pub(super) note: Option<String>,
}

/// A line.
pub(super) struct Line {
    pub(super) label: String,
    pub(super) path: String,
}

impl Lines {
    pub(super) fn new(report: &ReportConfig, metric: &str, by: CalendarPart, found: &PeriodLines) -> Option<Self> {
        let (first, last) = (step(found.periods.first()?, by)?, step(found.periods.last()?, by)?);
        let adds_up = report.kind(metric).is_some_and(|kind| kind.adds_up());
        let values = found.lines.iter().flat_map(|line| &line.points).map(|(_, value)| *value);
        let scale = Scale::of(values, adds_up);
        let x = |period: &str| Some(x_of(step(period, by)? - first, last - first));
        let line = |line: &ReportLine| Line { label: line.group.join(" · "), path: path(line, (first, by), scale, x) };
        let label = |tick: &f64| (format!("{:.1}", scale.y_of(*tick)), rounded(*tick, scale.places()));
        Some(Self {
            metric: metric.to_owned(),
            unit: report.unit(metric).map(str::to_owned),
            by: period::word(by),
            summary: summary(report, (metric, by), found),
            view_box: plot::view_box(),
            lines: found.lines.iter().map(line).collect(),
            rules: scale.ticks().iter().rev().map(label).collect(),
            periods: labels(first, last, by),
            columns: columns(found, x, last - first),
            note: note(found, by),
        })
    }
}

/// The path of a line: it is broken where a period of the calendar has no value.
fn path(line: &ReportLine, (first, by): (i64, CalendarPart), scale: Scale, x: impl Fn(&str) -> Option<f64>) -> String {
    let mut expected = first;
    let mut points = Vec::with_capacity(line.points.len());
    for (period, value) in &line.points {
        let (Some(step), Some(x)) = (step(period, by), x(period)) else { continue };
        if step != expected {
            points.push(None);
        }
        points.push(Some((x, scale.y_of(*value))));
        expected = step + 1;
    }
    plot::path(points)
}

fn labels(first: i64, last: i64, by: CalendarPart) -> Vec<String> {
    let has_middle = last - first >= WIDE || ((last - first) % 2 == 0 && last > first);
    let middle = has_middle.then_some((first + last) / 2);
    let ends = [Some(first), middle, Some(last).filter(|last| *last > first)];
    ends.into_iter().flatten().filter_map(|step| period::text(step, by)).collect()
}

/// The values of each period, for a pointer that rests on it.
fn columns(found: &PeriodLines, x: impl Fn(&str) -> Option<f64>, steps: i64) -> Vec<(String, String, String)> {
    let width = WIDTH / (steps.max(1) as f64);
    let mut values: HashMap<&str, Vec<String>> = HashMap::new();
    for line in &found.lines {
        for (period, value) in &line.points {
            let value = for_people(&ReportValue::Real(*value));
            let text = if line.group.is_empty() { value } else { format!("{} {value}", line.group.join(" · ")) };
            values.entry(period).or_default().push(text);
        }
    }
    let column = |period: &String| {
        let values = values.get(period.as_str())?.join(", ");
        Some((format!("{:.1}", x(period)? - width / 2.0), format!("{width:.1}"), format!("{period}: {values}")))
    };
    found.periods.iter().filter_map(column).collect()
}

fn summary(report: &ReportConfig, (metric, by): (&str, CalendarPart), found: &PeriodLines) -> String {
    let unit = report.unit(metric).map(|unit| format!(" {unit}")).unwrap_or_default();
    let span = match found.periods.as_slice() {
        [first, .., last] => format!("from {first} to {last}"),
        [only] => format!("in {only}"),
        [] => String::new(),
    };
    let points = found.lines.iter().flat_map(|line| line.points.iter().map(move |point| (line, point)));
    let highest = points.max_by(|(_, one), (_, other)| one.1.total_cmp(&other.1));
    let highest = highest.map(|(line, (period, value))| {
        let of = if line.group.is_empty() { String::new() } else { format!(" of {}", line.group.join(" · ")) };
        format!("; the highest value is {}{unit}{of} in {period}", for_people(&ReportValue::Real(*value)))
    });
    format!("{metric} by {} {span}{}", period::word(by), highest.unwrap_or_default())
}

fn note(found: &PeriodLines, by: CalendarPart) -> Option<String> {
    let lines = found.has_more.then(|| format!("the {} largest lines", found.lines.len()));
    let periods =
        found.has_earlier.then(|| format!("the last {}", counted(found.periods.len() as i64, period::word(by))));
    let shown: Vec<String> = lines.into_iter().chain(periods).collect();
    (!shown.is_empty()).then(|| format!("Drawn are {}; the table has all.", shown.join(" and ")))
}

#[cfg(test)]
mod tests;
