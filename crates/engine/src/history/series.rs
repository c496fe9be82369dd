//! The history as a series of points at equal distances.

use anyhow::Result;
use tributary_store::{Amounts, HistorySpan, Store};

use super::Meter;

/// Amounts of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryPoint {
    /// Its beginning, in seconds since 1970.
    pub at: i64,
    /// The amounts; zeros if nothing happened. `products` goes on as it was last noted.
    pub amounts: Amounts,
}

/// The series of a source that ends at `now`, in seconds since 1970, the oldest point first; an empty name asks for the master as a
/// whole. The last point is the step that has begun, with what is not stored yet.
pub(crate) fn series(
    store: &mut Store,
    meter: &Meter,
    source: &str,
    span: HistorySpan,
    now: i64,
) -> Result<Vec<HistoryPoint>> {
    let (step, first) = (span.step(), span.begin(now));
    let last = first + (span.points() - 1) * step;
    let mut stored = store.history(source, step, first)?.into_iter().peekable();
    let mut products = None;
    let mut points = Vec::new();
    for at in (0..span.points()).map(|number| first + number * step) {
        let mut amounts = stored.next_if(|row| row.at == at).map(|row| row.amounts).unwrap_or_default();
        if at == last {
            amounts.add(&meter.of(source));
        }
        products = amounts.products.or(products);
        points.push(HistoryPoint { at, amounts: Amounts { products, ..amounts } });
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tributary_store::HISTORY_STEPS;

    use super::*;

    #[test]
    fn every_amount_is_in_every_span_that_reaches_back_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("database.db").to_str().unwrap().parse().unwrap()).unwrap();
        let now = 1_800_000_000;
        // Two hours and ten minutes ago, ten minutes ago, now; and one that is not stored yet.
        for (age, added) in [(7_800, 1), (600, 10), (0, 100)] {
            let amounts = Amounts { added, products: Some(added), ..Amounts::default() };
            store.add_to_history("", now - age, &amounts).unwrap();
        }
        let meter = Meter::default();
        meter.request(Duration::from_millis(20));
        let mut check = |span: HistorySpan, expect: i64| {
            let points = series(&mut store, &meter, "", span, now).unwrap();
            assert_eq!(points.len() as i64, span.points());
            assert_eq!(points.iter().map(|point| point.amounts.added).sum::<i64>(), expect, "{span:?}");
            let last = points.last().unwrap();
            assert_eq!((last.amounts.requests, last.amounts.products), (1, Some(100)));
            assert!(points.windows(2).all(|two| two[1].at - two[0].at == span.step()));
        };
        check(HistorySpan::Hour, 110);
        check(HistorySpan::Day, 111);
        check(HistorySpan::Week, 111);
        check(HistorySpan::Year, 111);
        let points = series(&mut store, &meter, "north", HistorySpan::Day, now).unwrap();
        assert!(
            points.iter().all(|point| point.amounts == Amounts::default()),
            "another source has a history of its own"
        );
    }

    #[test]
    fn old_rows_are_deleted_step_by_step() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("database.db").to_str().unwrap().parse().unwrap()).unwrap();
        let now = 1_800_000_000;
        for age in [0, 3 * 3_600, 3 * 86_400, 20 * 86_400, 401 * 86_400] {
            store.add_to_history("", now - age, &Amounts { edits: 1, ..Amounts::default() }).unwrap();
        }
        store.trim_history(now).unwrap();
        let kept = HISTORY_STEPS.map(|step| store.history("", step.seconds, 0).unwrap().len());
        // Three hours ago was the same day.
        assert_eq!(kept, [1, 2, 3, 3]);
    }
}
