//! Counts and durations of requests.

use std::{borrow::Cow, time::Duration};

use actix_web::http::{Method, StatusCode};
use prometheus_client::{
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

/// Upper bounds in seconds: the defaults of Prometheus clients.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

type Labels = Vec<(&'static str, Cow<'static, str>)>;

/// Request metrics of one server; clones share them. Their labels are bounded: routes, known methods, status codes.
#[derive(Debug, Clone)]
pub struct RequestMetrics {
    counts: Family<Labels, Counter>,
    durations: Family<Labels, Histogram>,
    counts_by_method: bool,
}

impl RequestMetrics {
    /// Counts nothing yet. `counts_by_method`: the counter has a label `method`, as the histogram always has.
    #[must_use]
    pub fn new(counts_by_method: bool) -> Self {
        let durations = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        Self { counts: Family::default(), durations, counts_by_method }
    }

    /// Counts a response and the time until its head was ready. `route`: the pattern of the path; `None` if there is no route.
    pub fn observe(&self, route: Option<String>, method: &Method, status: StatusCode, took: Duration) {
        let mut labels = vec![("route", route.map_or(Cow::Borrowed("other"), Cow::Owned))];
        let method = ("method", Cow::Borrowed(bounded(method)));
        let mut counted = labels.clone();
        counted.extend(self.counts_by_method.then(|| method.clone()));
        counted.push(("status", Cow::Owned(status.as_u16().to_string())));
        self.counts.get_or_create(&counted).inc();
        labels.push(method);
        self.durations.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Publishes the metrics.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("tributary_http_requests", "Responses sent", self.counts.clone());
        let help = "Seconds until the head of the response was ready";
        registry.register("tributary_http_request_duration_seconds", help, self.durations.clone());
    }
}

/// Returns the method's label. A client must not be able to create series by making methods up.
fn bounded(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    known.into_iter().find(|known| method == known).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::prometheus_text::encode;

    use super::*;

    #[test]
    fn requests_are_counted_and_timed_under_bounded_labels() {
        let check = |by_method: bool, count: &str| {
            let metrics = RequestMetrics::new(by_method);
            for method in ["BREW", "STEEP"] {
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                metrics.observe(None, &method, StatusCode::NOT_FOUND, Duration::from_millis(30));
            }
            metrics.observe(Some("/a/{b}".to_owned()), &Method::GET, StatusCode::OK, Duration::from_secs(60));
            let (mut registry, mut text) = (Registry::default(), String::new());
            metrics.register(&mut registry);
            encode(&mut text, &registry).unwrap();
            let duration = "tributary_http_request_duration_seconds";
            for line in [
                format!("tributary_http_requests_total{count} 2"),
                format!("# TYPE {duration} histogram"),
                format!("{duration}_bucket{{route=\"other\",method=\"other\",le=\"0.025\"}} 0"),
                format!("{duration}_bucket{{route=\"other\",method=\"other\",le=\"0.05\"}} 2"),
                format!("{duration}_count{{route=\"/a/{{b}}\",method=\"GET\"}} 1"),
            ] {
                assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
            }
        };
        check(true, "{route=\"other\",method=\"other\",status=\"404\"}");
        check(false, "{route=\"other\",status=\"404\"}");
    }
}
