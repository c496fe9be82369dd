//! The standard service of health checks: every service serves as long as `/readyz` says that the master is ready.

use std::time::Duration;

use tonic_health::{
    ServingStatus,
    pb::health_server::{Health, HealthServer},
    server::health_reporter,
};
use tributary_engine::Engine;
use tributary_grpc::{processor::csv_processor_server, tributary_v1::tributary_server};

/// Names that are answered for; the empty one is the server as a whole.
const SERVICES: [&str; 3] = ["", csv_processor_server::SERVICE_NAME, tributary_server::SERVICE_NAME];
/// Time until a change is told.
const INTERVAL: Duration = Duration::from_millis(500);

/// The service, and the work that keeps it up to date, which does not end.
pub(super) fn service(engine: Engine) -> (HealthServer<impl Health>, impl Future<Output = ()>) {
    let (reporter, service) = health_reporter();
    let told = async move {
        loop {
            let is_ready = engine.is_ready() && engine.unwritable().is_none();
            let status = if is_ready { ServingStatus::Serving } else { ServingStatus::NotServing };
            for name in SERVICES {
                reporter.set_service_status(name, status).await;
            }
            tokio::time::sleep(INTERVAL).await;
        }
    };
    (service, told)
}
