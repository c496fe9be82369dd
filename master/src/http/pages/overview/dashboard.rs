//! The counts with their change today, and the plots.

use tributary_engine::{AggrRow, Amounts, HistoryPoint, HistorySpan, SourceState, Tally, Today};

use super::source_line::is_slow;
use crate::http::{
    api::source_views::Source,
    pages::{
        names,
        plot::{Plot, SparkValue, milliseconds, time},
        text::wording::{counted, thousands},
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
    pub(crate) fn all(tally: Tally, today: &Today, sources: &[Source]) -> Vec<Self> {
        let products = match today.products_at_midnight {
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
            count("Rows set aside", thousands(rejects), none_today(today.amounts.rejected, "+"), "/rejects"),
            count(
                "Corrections today",
                thousands(today.amounts.edits),
                "made by hand or by programs".to_owned(),
                "/products",
            ),
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

/// The plots of products changed, rows set aside and request times.
pub(super) fn plots(points: &[HistoryPoint], span: HistorySpan) -> Vec<Plot> {
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
        Plot::new("Products changed", thousands(total(changed)), counts(changed, "product"), number),
        Plot::new(
            "Rows set aside",
            thousands(total(|amounts| amounts.rejected)),
            counts(|amounts| amounts.rejected, "row"),
            number,
        ),
        Plot::new("Time of a request", mean, requests, milliseconds),
    ]
}

fn changed(amounts: &Amounts) -> i64 {
    amounts.added + amounts.updated + amounts.removed + amounts.edits
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
    pub(crate) fn all(most_frequent: &[AggrRow], column: Option<&str>) -> Vec<Self> {
        let most = most_frequent.first().map_or(1, |row| row.no_of_products) as f64;
        let bar = |row: &AggrRow| Self {
            link: names::link(&row.name, column),
            name: row.name.clone(),
            count: thousands(row.no_of_products),
            width: format!("{:.2}", row.no_of_products as f64 / most * 100.0),
        };
        most_frequent.iter().take(BARS).map(bar).collect()
    }
}

fn signed(difference: i64) -> String {
    format!("{}{}", if difference < 0 { "−" } else { "+" }, thousands(difference))
}
