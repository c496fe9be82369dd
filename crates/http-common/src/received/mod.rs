//! Receives bodies of requests as a whole: each within its limit and at the least speed, all of them within a budget. It parses none.

mod budget;

use std::time::Duration;

use actix_web::{
    error::PayloadError,
    http::StatusCode,
    web::{Bytes, BytesMut},
};
use futures_util::{Stream, StreamExt};
use tributary_pace::{Pace, TooSlow};

use budget::Budget;

/// The bodies that a server is receiving. Without a bound of all of them, each connection may have one held up to its limit.
#[derive(Debug)]
pub struct Bodies {
    budget: Budget,
    patience: Duration,
}

/// Reason for not having received a body.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// It ended early, or is not written as its head says.
    #[error("the body ended early or is not written as its head says")]
    Cut,
    /// It is longer than it may be.
    #[error("the body is longer than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// It stands still, or drips.
    #[error("the body arrives too slowly: {0}")]
    TooSlow(#[from] TooSlow),
    /// The bodies of all requests together are too long.
    #[error("more than {limit} bytes are being received; send this again in a moment")]
    TooMany {
        /// The limit in bytes.
        limit: u64,
    },
}

impl BodyError {
    /// Returns the status and the problem title.
    #[must_use]
    pub fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Cut => (StatusCode::BAD_REQUEST, "bad request"),
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too large"),
            Self::TooSlow(_) => (StatusCode::REQUEST_TIMEOUT, "too slow"),
            Self::TooMany { .. } => (StatusCode::SERVICE_UNAVAILABLE, "too many clients"),
        }
    }
}

impl Bodies {
    /// All together may take `bytes`, and each must keep the least speed over `patience`.
    #[must_use]
    pub const fn new(bytes: u64, patience: Duration) -> Self {
        Self { budget: Budget::new(bytes), patience }
    }

    /// Receives a whole body of at most `limit` bytes. A client that stops halfway, or drips, is let go. So is one whose large body has
    /// arrived for some time when others need its bytes.
    ///
    /// # Errors
    /// [`BodyError`].
    pub async fn receive(
        &self,
        mut payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
        limit: usize,
    ) -> Result<Bytes, BodyError> {
        let too_many = || BodyError::TooMany { limit: self.budget.bytes() };
        let mut pace = Pace::new(self.patience);
        let (mut share, mut body) = (self.budget.share(), BytesMut::new());
        let length = |chunk: &Option<Result<Bytes, _>>| chunk.iter().flatten().map(|chunk| chunk.len() as u64).sum();
        loop {
            let chunk = tokio::select! {
                chunk = pace.wait(payload.next(), length) => chunk?,
                () = share.yields() => return Err(too_many()),
            };
            let Some(chunk) = chunk else { return Ok(body.freeze()) };
            let chunk = chunk.map_err(|_| BodyError::Cut)?;
            if body.len() + chunk.len() > limit {
                return Err(BodyError::TooLarge { limit });
            }
            if !share.grow(chunk.len() as u64) {
                return Err(too_many());
            }
            body.extend_from_slice(&chunk);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use tributary_pace::MAX_PATIENCE;

    use super::*;

    const LIMIT: usize = 1 << 20;

    fn pieces(count: usize, bytes: usize) -> impl Stream<Item = Result<Bytes, PayloadError>> + Unpin {
        stream::iter((0..count).map(move |_| Ok(Bytes::from(vec![b'x'; bytes]))))
    }

    /// Every body had a minute: a slow line never got a large one through, and one that dripped held its memory as long.
    #[tokio::test(start_paused = true)]
    async fn a_body_may_take_its_time_and_must_not_drip() {
        let check = async |bytes: usize, is_taken: bool| {
            let wait = |piece| async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                piece
            };
            let bodies = Bodies::new(64 << 20, MAX_PATIENCE);
            let received = bodies.receive(Box::pin(pieces(200, bytes).then(wait)), LIMIT).await;
            assert_eq!(received.is_ok_and(|body| body.len() == 200 * bytes), is_taken, "{bytes}");
        };
        check(2048, true).await;
        check(1024, true).await;
        check(1000, false).await;
    }

    /// Three thousand connections that sent a megabyte each but for the last byte used to cost a source three gigabytes.
    #[tokio::test(start_paused = true)]
    async fn many_bodies_share_one_bound() {
        let bodies = Bodies::new(4 * LIMIT as u64, MAX_PATIENCE);
        let incomplete = |_| bodies.receive(pieces(1 << 10, 1 << 10).chain(stream::pending()), 2 * LIMIT);
        let answers = futures_util::future::join_all((0..100).map(incomplete)).await;
        let refused = answers.iter().filter(|answer| matches!(answer, Err(BodyError::TooMany { limit: 4_194_304 })));
        assert_eq!(refused.count(), 96);
        let whole = bodies.receive(pieces(4, LIMIT), 4 * LIMIT).await;
        assert_eq!(whole.map_err(|error| error.to_string()).map(|body| body.len()), Ok(4 * LIMIT), "all is given back");
        let large = bodies.receive(pieces(2, LIMIT), LIMIT).await;
        assert!(matches!(large, Err(BodyError::TooLarge { limit: LIMIT })));
    }
}
