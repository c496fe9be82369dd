//! Metrics that both servers publish: their requests and their process.

mod process;
mod requests;

use std::fmt::Debug;

use actix_web::HttpResponse;
use prometheus_client::{
    encoding::{EncodeMetric, prometheus_text},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};

pub use requests::RequestMetrics;

/// Answers with all metrics of `registry` and those of this process, as Prometheus text.
#[must_use]
pub fn exposition(mut registry: Registry) -> HttpResponse {
    process::register(&mut registry);
    let mut text = String::new();
    match prometheus_text::encode(&mut text, &registry) {
        Ok(()) => HttpResponse::Ok().content_type(prometheus_text::CONTENT_TYPE).body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

/// Adds a gauge with this value.
pub fn add_gauge<N>(registry: &mut Registry, name: &str, help: &str, value: N)
where
    ConstGauge<N>: EncodeMetric + Send + Sync + Debug + 'static,
{
    registry.register(name, help, ConstGauge::new(value));
}

/// Adds a counter with this value. `name` lacks the suffix `_total`, which the text gets by itself.
pub fn add_counter<N>(registry: &mut Registry, name: &str, help: &str, value: N)
where
    ConstCounter<N>: EncodeMetric + Send + Sync + Debug + 'static,
{
    registry.register(name, help, ConstCounter::new(value));
}
