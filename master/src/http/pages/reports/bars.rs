//! The largest groups as bars, with their shares, the others and the total. A bar is made of SVG attributes, since the
//! content security policy forbids inline styles.

use tributary_config::ReportConfig;
use tributary_engine::{GroupRow, MetricFigures, ReportChart, ReportValue};

use super::view::View;
use crate::http::pages::text::{
    numbers::{Aligned, column, places, rounded},
    wording::counted,
};

/// Most times the largest group that the others may be and still have a bar: beside a longer one nothing else could be seen.
const MAX_OTHERS: f64 = 4.0;
/// Size from which a double does not tell every integer.
const EXACT_INTEGERS: f64 = 9e15;

/// The largest groups.
pub(super) struct Bars {
    pub(super) metric: String,
    pub(super) unit: Option<String>,
    pub(super) bars: Vec<Bar>,
    pub(super) others: Option<Bar>,
    /// The total of the metric, unless it does not add up.
    pub(super) total: Option<String>,
    /// Whether shares of the total are shown.
    pub(super) has_shares: bool,
    /// Name and link of each metric that can be shown; no link for the one that is.
    pub(super) choices: Vec<(String, Option<String>)>,
}

/// A bar.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: String,
    /// Blanks behind the value.
    pub(super) padding: String,
    /// Of the whole width, in percent; `None` for a bar that would not fit.
    pub(super) width: Option<String>,
    pub(super) is_negative: bool,
    pub(super) share: Option<String>,
}

impl Bars {
    pub(super) fn new(report: &ReportConfig, view: &View, (metric, groups): (&str, i64), chart: &ReportChart) -> Self {
        let place = report.metrics.iter().position(|name| name == metric).unwrap_or_default();
        let values: Vec<_> =
            chart.largest.iter().map(|row| row.values.get(place).unwrap_or(&ReportValue::Null)).collect();
        let texts = column(values.iter().copied());
        let places = texts.iter().map(|value| places(&value.text)).max().unwrap_or_default();
        let sizes: Vec<f64> = values.iter().map(|value| value.approximate().unwrap_or_default()).collect();
        let others = Others::new(chart, groups, &sizes);
        let whole = shared(chart.figures);
        let most = sizes.iter().map(|size| size.abs()).fold(f64::MIN_POSITIVE, f64::max);
        let most = others.as_ref().map_or(most, |others| others.fitting(most));
        let bar = |((row, Aligned { text, padding }), size): ((&GroupRow, Aligned), &f64)| {
            let label = row.group.join(" · ");
            Bar { value: text, padding, ..Bar::new(label, *size, (most, whole)) }
        };
        Self {
            metric: metric.to_owned(),
            unit: report.unit(metric).map(str::to_owned),
            bars: chart.largest.iter().zip(texts).zip(&sizes).map(bar).collect(),
            others: others.map(|Others { count, size }| Bar {
                value: about(size, places),
                ..Bar::new(counted(count, "other group"), size, (most, whole))
            }),
            total: chart.figures.map(|figures| about(figures.total, places)),
            has_shares: whole.is_some(),
            choices: choices(report, view, metric),
        }
    }
}

impl Bar {
    /// A bar without its value.
    fn new(label: String, size: f64, (most, whole): (f64, Option<f64>)) -> Self {
        let width = size.abs() / most;
        Self {
            label,
            value: String::new(),
            padding: String::new(),
            width: (width <= 1.0).then(|| format!("{:.2}", width * 100.0)),
            is_negative: size < 0.0,
            share: whole.map(|whole| share_text(size / whole)),
        }
    }
}

/// The groups that have no bar of their own.
struct Others {
    count: i64,
    size: f64,
}

impl Others {
    fn new(chart: &ReportChart, groups: i64, sizes: &[f64]) -> Option<Self> {
        let count = groups - sizes.len() as i64;
        let size = chart.figures?.total - sizes.iter().sum::<f64>();
        (count > 0).then_some(Self { count, size })
    }

    /// The size that the longest bar stands for; `most` is that of the largest group.
    fn fitting(&self, most: f64) -> f64 {
        match self.size.abs() {
            size if size <= MAX_OTHERS * most => size.max(most),
            _ => most,
        }
    }
}

/// The total that groups have shares of: none if the values do not add up, or one is below zero.
fn shared(figures: Option<MetricFigures>) -> Option<f64> {
    figures.filter(|figures| !figures.has_negative && figures.total > 0.0).map(|figures| figures.total)
}

/// A sum of doubles.
fn about(sum: f64, places: usize) -> String {
    let about = if sum.abs() < EXACT_INTEGERS { "" } else { "about " };
    format!("{about}{}", rounded(sum, places))
}

fn share_text(share: f64) -> String {
    match share * 100.0 {
        percent if percent > 0.0 && percent < 0.05 => "< 0.1 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}

/// The metrics that can be shown.
fn choices(report: &ReportConfig, view: &View, metric: &str) -> Vec<(String, Option<String>)> {
    let choice = |name: &String| (name.clone(), (name != metric).then(|| view.with_metric(name).link(report)));
    report.metrics.iter().map(choice).collect()
}
