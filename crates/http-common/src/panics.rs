//! Handlers that panic: a defect, which must cost one request its answer and nothing else.

use std::panic::AssertUnwindSafe;

use actix_web::{
    Error,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};
use futures_util::FutureExt;

/// Answers a request whose handler panics with `error`, and logs its route. Without this the library drops the connection,
/// and nobody knows which request it was. For middleware of a resource: before the route is found, the request must not be
/// shared.
///
/// # Errors
/// Those of the handler.
pub async fn catch_panic(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    error: impl FnOnce() -> Error,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let head = request.request().clone();
    // What the handler changed alone is dropped. What requests share is behind locks, whose poison is handled where they are.
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(response) => Ok(response?.map_into_boxed_body()),
        // The message may quote a row, which no log may hold.
        Err(_) => {
            let (method, route) = (head.method(), head.match_pattern().unwrap_or_default());
            tracing::error!(http.method = %method, http.route = %route, "`{method} {route}` panicked; this is a bug, and stderr says where");
            Ok(ServiceResponse::from_err(error(), head))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };

    use actix_web::{
        App, HttpResponse, error,
        http::StatusCode,
        middleware::from_fn,
        test::{TestRequest, call_service, init_service},
        web,
    };

    use super::*;

    /// Collects what is logged.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(data)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[actix_web::test]
    async fn a_panic_is_an_answer_and_a_line_in_the_log() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
        let _logging = tracing::subscriber::set_default(subscriber);
        let guard = from_fn(|request, next| catch_panic(request, next, || error::ErrorInternalServerError("a defect")));
        let handle = async |name: web::Path<String>| -> HttpResponse {
            assert!(*name == "well", "the name is {name}");
            HttpResponse::Ok().finish()
        };
        let route = web::resource("/panic/{name}").route(web::get().to(handle)).wrap(guard);
        let app = init_service(App::new().service(route)).await;
        for (name, status) in [("a secret", StatusCode::INTERNAL_SERVER_ERROR), ("well", StatusCode::OK)] {
            let request = TestRequest::with_uri(&format!("/panic/{}", name.replace(' ', "%20"))).to_request();
            assert_eq!(call_service(&app, request).await.status(), status, "{name}");
        }
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(
            text.contains("ERROR") && text.contains("`GET /panic/{name}` panicked") && !text.contains("secret"),
            "{text}"
        );
    }
}
