//! The counts with their change today, and the plots.

use chrono::{DateTime, Utc};
use tributary_engine::{Amounts, Dashboard, HistoryPoint, HistorySpan, SourceState, Tally};

use super::source_line::is_slow;
use crate::http::{
    api::source_views::Source,
    pages::{
        plot::{Spark, SparkValue},
        text::wording::{counted, encoded, thousands},
    },
};

/// Names with a bar.
const BARS: usize = 8;

/// A count.
pub(crate) struct Count {
    pub(crate) label: &'static str,
    pub(crate) value: String,
    /// Words for its change today, or for what is wrong.
    pub(crate) note: String,
    pub(crate) link: &'static str,
}

impl Count {
    /// The counts of the whole master.
    pub(crate) fn all(tally: Tally, dashboard: &Dashboard, sources: &[Source]) -> Vec<Self> {
        let today = &dashboard.today;
        let products = match dashboard.products_at_midnight {
            Some(before) if tally.products == before => "as many as yesterday".to_owned(),
            Some(before) => format!("{} today", signed(tally.products - before)),
            None => "SKUs, each once".to_owned(),
        };
        let rejects: i64 = sources.iter().map(|source| source.rejects + source.report_rejects).sum();
        let up = sources.iter().filter(|source| source.state == SourceState::Up.as_str()).count();
        let none_today = |count: i64, what: &str| match count {
            0 => "none today".to_owned(),
            count => format!("{what}{} today", thousands(count)),
        };
        let count = |label, value, note, link| Self { label, value, note, link };
        vec![
            count("Products", thousands(tally.products), products, "/products"),
            count("Names", thousands(tally.names), "of products, each counted".to_owned(), "/names"),
            count("Sources up", format!("{up} of {}", sources.len()), states(sources), "/sources"),
            count("Rows set aside", thousands(rejects), none_today(today.rejected, "+"), "/rejects"),
            count("Corrections today", thousands(today.edits), "made by hand or by programs".to_owned(), "/products"),
        ]
    }
}

/// Words for the sources that are not up.
fn states(sources: &[Source]) -> String {
    let states = ["down", "held", "rejected", "unknown"];
    let words = states.map(|state| (state, sources.iter().filter(|source| source.state == state).count()));
    let mut words: Vec<_> = words
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(state, count)| match *state {
            "rejected" => format!("{count} with a bad file"),
            "unknown" => format!("{count} not asked yet"),
            state => format!("{count} {state}"),
        })
        .collect();
    let slow = sources.iter().filter(|source| is_slow(source)).count();
    words.extend((slow > 0).then(|| format!("{slow} slow")));
    if words.is_empty() { "all is well".to_owned() } else { words.join(", ") }
}

/// A plot with its heading.
pub(crate) struct Plot {
    pub(crate) label: &'static str,
    /// The sum, or what stands for it.
    pub(crate) figure: String,
    /// The highest value.
    pub(crate) highest: String,
    pub(crate) spark: Spark,
}

impl Plot {
    /// Rows applied, rows set aside and request times.
    pub(crate) fn all(points: &[HistoryPoint], span: HistorySpan) -> Vec<Self> {
        let total = |amount: fn(&Amounts) -> i64| points.iter().map(|point| amount(&point.amounts)).sum::<i64>();
        let counts = |amount: fn(&Amounts) -> i64, what: &str| {
            let values = |point: &HistoryPoint| {
                let count = amount(&point.amounts);
                SparkValue { value: count as f64, title: format!("{}: {}", time(point, span), counted(count, what)) }
            };
            points.iter().map(values).collect::<Vec<_>>()
        };
        let requests = points.iter().map(|point| {
            let Amounts { requests, request_seconds, max_request_seconds, .. } = point.amounts;
            let mean = if requests > 0 { request_seconds / requests as f64 } else { 0.0 };
            let longest = milliseconds(max_request_seconds);
            let title = format!("{}: {}, longest {longest}", time(point, span), counted(requests, "request"));
            SparkValue { value: mean, title }
        });
        let requests: Vec<_> = requests.collect();
        let count = total(|amounts| amounts.requests);
        let seconds: f64 = points.iter().map(|point| point.amounts.request_seconds).sum();
        let mean = if count > 0 { milliseconds(seconds / count as f64) } else { "–".to_owned() };
        let number = |value: f64| thousands(value as i64);
        vec![
            Self::new("Products changed", thousands(total(changed)), counts(changed, "product"), number),
            Self::new(
                "Rows set aside",
                thousands(total(|amounts| amounts.rejected)),
                counts(|amounts| amounts.rejected, "row"),
                number,
            ),
            Self::new("Time of a request", mean, requests, milliseconds),
        ]
    }

    pub(in crate::http) fn new(
        label: &'static str,
        figure: String,
        values: Vec<SparkValue>,
        words: impl Fn(f64) -> String,
    ) -> Self {
        let highest = values.iter().map(|value| value.value).fold(0.0, f64::max);
        Self { label, figure, highest: words(highest), spark: Spark::new(values) }
    }
}

fn changed(amounts: &Amounts) -> i64 {
    amounts.added + amounts.updated + amounts.removed + amounts.edits
}

/// The span of the plots, and the links to the others.
pub(crate) struct SpanLink {
    pub(crate) name: &'static str,
    /// None for the span that is shown.
    pub(crate) link: Option<String>,
}

impl SpanLink {
    /// A link per span that keeps the product that is shown.
    pub(crate) fn all(shown: HistorySpan, sku: &str) -> Vec<Self> {
        let sku = if sku.is_empty() { String::new() } else { format!("&sku={}", encoded(sku)) };
        let link = |span: HistorySpan| Self {
            name: span.as_str(),
            link: (span != shown).then(|| format!("/?span={}{sku}", span.as_str())),
        };
        HistorySpan::ALL.into_iter().map(link).collect()
    }
}

/// A name with its bar.
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) link: String,
    pub(crate) count: String,
    /// Of the whole width, in percent.
    pub(crate) width: String,
}

impl Bar {
    /// The most frequent names. `column` is the one whose values are counted in their place.
    pub(crate) fn all(dashboard: &Dashboard, column: Option<&str>) -> Vec<Self> {
        let most = dashboard.names.first().map_or(1, |row| row.no_of_products) as f64;
        let bar = |row: &tributary_engine::AggrRow| Self {
            link: crate::http::pages::names::link(&row.name, column),
            name: row.name.clone(),
            count: thousands(row.no_of_products),
            width: format!("{:.2}", row.no_of_products as f64 / most * 100.0),
        };
        dashboard.names.iter().take(BARS).map(bar).collect()
    }
}

/// Words for the beginning of a step.
pub(in crate::http) fn time(point: &HistoryPoint, span: HistorySpan) -> String {
    let at = DateTime::<Utc>::from_timestamp(point.at, 0).unwrap_or_default();
    let form = match span {
        HistorySpan::Hour | HistorySpan::Day => "%H:%M UTC",
        HistorySpan::Week => "%a %H:%M UTC",
        HistorySpan::Year => "%Y-%m-%d",
    };
    at.format(form).to_string()
}

/// Words for a short duration.
pub(in crate::http) fn milliseconds(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.1} ms", seconds * 1e3) } else { format!("{seconds:.2} s") }
}

fn signed(difference: i64) -> String {
    format!("{}{}", if difference < 0 { "−" } else { "+" }, thousands(difference))
}
