//! Reads the body of a request, which is short and comes in time.

use std::time::Duration;

use actix_web::web::{Bytes, Payload};
use tokio::time::timeout;

use super::error::ApiError;

/// Time limit of a body.
const REQUEST_TIME: Duration = Duration::from_secs(60);

/// Returns the body, of at most `limit` bytes.
pub(super) async fn read_body(body: Payload, limit: usize) -> Result<Bytes, ApiError> {
    match timeout(REQUEST_TIME, body.to_bytes_limited(limit)).await {
        Ok(Ok(Ok(body))) => Ok(body),
        Ok(Ok(Err(_))) => Err(ApiError::BadRequest("the body ended early".to_owned())),
        Ok(Err(_)) => Err(ApiError::TooLarge { limit }),
        Err(_) => Err(ApiError::TooSlow { seconds: REQUEST_TIME.as_secs() }),
    }
}
