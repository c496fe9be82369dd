//! Clients that hang up while they wait. The library notices it only when it writes, so until then a request would keep its place among
//! those that wait, and a stream of events that of a follower.

use std::{future::pending, rc::Rc, time::Duration};

use actix_web::{
    HttpRequest,
    rt::{net::TcpStream, time::sleep},
};

use crate::connection::Connection;

/// Time that an answer may take before its client is looked after. Most are quicker, and cost nothing.
const QUICK: Duration = Duration::from_millis(100);
/// Interval in which a client is looked after that has sent its next request already.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The client of one request.
pub struct Waiting(Option<Rc<Connection>>);

impl Waiting {
    /// The client of a request that changes nothing if `is_read`. Of any other the work goes on, whoever hangs up.
    #[must_use]
    pub fn of(request: &HttpRequest, is_read: bool) -> Self {
        Self(is_read.then(|| request.conn_data::<Rc<Connection>>().cloned()).flatten())
    }

    /// Returns once the client has hung up.
    pub async fn gone(self) {
        let Some(connection) = self.0 else { return pending().await };
        sleep(QUICK).await;
        let tcp = connection.socket().map(std::net::TcpStream::from).and_then(|tcp| TcpStream::from_std(tcp).ok());
        let Some(tcp) = tcp else { return pending().await };
        while let Ok(1..) = tcp.peek(&mut [0]).await {
            sleep(LOOK_INTERVAL).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener};

    use actix_web::{
        App, HttpResponse,
        dev::Service,
        web::{self, Data},
    };
    use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

    use super::*;
    use crate::{Answering, paced, serve};

    /// Says that a request is dropped.
    struct Noisy(UnboundedSender<()>);

    impl Drop for Noisy {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }

    async fn held(ended: Data<UnboundedSender<()>>) -> String {
        let _noisy = Noisy(ended.get_ref().clone());
        pending().await
    }

    async fn events(ended: Data<UnboundedSender<()>>) -> HttpResponse {
        let noisy = Noisy(ended.get_ref().clone());
        let never = futures_util::stream::once(async move {
            let _noisy = noisy;
            pending::<std::io::Result<web::Bytes>>().await
        });
        HttpResponse::Ok().content_type("text/event-stream").streaming(never)
    }

    #[actix_web::test]
    async fn who_hangs_up_is_forgotten_at_once() {
        let (ended, mut end) = unbounded_channel::<()>();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let app = move || {
            let app = App::new().app_data(Data::new(ended.clone())).route("/events", web::get().to(events));
            app.route("/held", web::get().to(held)).wrap_fn(|mut request, service| {
                let answering = Answering::begin(&mut request);
                let waiting = Waiting::of(request.request(), true);
                let called = service.call(request);
                async move {
                    tokio::select! {
                        response = called => Ok(paced(response?, answering).unwrap()),
                        () = waiting.gone() => Err(actix_web::error::ErrorServiceUnavailable("gone")),
                    }
                }
            })
        };
        let server = serve(app, listener, None, tributary_pace::MAX_PATIENCE).unwrap();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        for path in ["/held", "/events"] {
            let client = std::net::TcpStream::connect(address).unwrap();
            let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
            std::io::Write::write_all(&mut &client, request.as_bytes()).unwrap();
            assert!(tokio::time::timeout(3 * QUICK, end.recv()).await.is_err(), "who waits is not forgotten");
            drop(client);
            tokio::time::timeout(Duration::from_secs(20), end.recv()).await.unwrap();
        }
        handle.stop(false).await;
    }
}
