//! The sender of a request: admitted once, asked for its role by each route, and remembered with the request.

use actix_web::{
    HttpMessage, HttpRequest,
    dev::ServiceRequest,
    http::header::{AUTHORIZATION, HeaderValue},
};
use tokio_util::sync::CancellationToken;
use tributary_admission::{Admission, Caller, Denied, Role};

use crate::admit::judge;

/// Admits a request and remembers who sends it. The answer to a wrong token waits, so that guessing is slow. `is_probe`: it only asks
/// whether the server is alive, which needs no token.
///
/// # Errors
/// The rule that the request breaks.
pub async fn admit(admission: &Admission, request: &ServiceRequest, is_probe: bool) -> Result<(), Denied> {
    match judge(admission, request, is_probe) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            Ok(())
        }
        Err(Denied::WrongToken) => Err(admission.delayed(request.peer_addr().map(|peer| peer.ip())).await),
        Err(denied) => Err(denied),
    }
}

/// Checks that the sender of an admitted request has a role.
///
/// # Errors
/// [`Denied::Role`].
pub fn require(role: Role, request: &ServiceRequest) -> Result<(), Denied> {
    caller(request.request()).may(role)
}

/// The sender of an admitted request. One that was never admitted may do the least.
#[must_use]
pub fn caller(request: &HttpRequest) -> Caller {
    request.extensions().get::<Caller>().cloned().unwrap_or(Caller::PROBE)
}

/// Returns what is cancelled once the token of a request is no longer in force, see [`Admission::revoked`].
#[must_use]
pub fn revoked(admission: &Admission, request: &HttpRequest) -> CancellationToken {
    admission.revoked(request.headers().get(AUTHORIZATION).map(HeaderValue::as_bytes))
}

#[cfg(test)]
mod tests {
    use actix_web::{
        http::header::{AUTHORIZATION, HOST},
        test::TestRequest,
    };
    use tributary_admission::Token;

    use super::*;

    fn request(token: &str) -> ServiceRequest {
        let request = TestRequest::get().insert_header((HOST, "localhost"));
        let request = request.insert_header((AUTHORIZATION, format!("Bearer {token}")));
        request.peer_addr("192.0.2.1:9".parse().unwrap()).to_srv_request()
    }

    #[tokio::test(start_paused = true)]
    async fn wrong_tokens_wait_and_right_ones_do_not() {
        let admission = Admission::new(Token::new("right").map(Into::into), Vec::new());
        let start = tokio::time::Instant::now();
        for _ in 0..13 {
            assert_eq!(admit(&admission, &request("wrong"), false).await, Err(Denied::WrongToken));
        }
        assert_eq!(start.elapsed().as_millis(), 100 + 200 + 400);
        let start = tokio::time::Instant::now();
        let right = request("right");
        assert_eq!(admit(&admission, &right, false).await, Ok(()));
        assert!(start.elapsed().is_zero(), "a right token is not delayed by wrong ones");
        assert_eq!(require(Role::Admin, &right), Ok(()));
        let all = (0..9).map(|_| async { admit(&admission, &request("wrong"), false).await });
        let denied = futures_util::future::join_all(all).await;
        let refused = denied.iter().filter(|denied| **denied == Err(Denied::TooManyWrong)).count();
        assert_eq!(refused, 5, "4 may wait: {denied:?}");
    }

    #[test]
    fn a_request_that_nobody_admitted_may_only_read() {
        let request = request("any");
        assert!(require(Role::Read, &request).is_ok() && require(Role::Edit, &request).is_err());
    }
}
