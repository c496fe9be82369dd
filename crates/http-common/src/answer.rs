//! What holds for every answer of ours, whatever it says.

use actix_web::{
    HttpResponseBuilder,
    body::BoxBody,
    dev::ServiceResponse,
    http::{
        ConnectionType, Version,
        header::{HeaderValue, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS},
    },
};

/// Asks for the token in the two ways in which it may be brought.
pub fn challenge(response: &mut HttpResponseBuilder, realm: &str) {
    response.append_header((WWW_AUTHENTICATE, format!("Bearer realm=\"{realm}\"")));
    response.append_header((WWW_AUTHENTICATE, format!("Basic realm=\"{realm}\", charset=\"UTF-8\"")));
}

/// Completes an answer: its type is not to be guessed, and a client of HTTP/1.0 is sent no chunks.
pub fn complete(response: &mut ServiceResponse<BoxBody>) {
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if response.request().version() < Version::HTTP_11 {
        // Such a client knows no chunks (RFC 9112 section 6.1): the body ends with the connection.
        let head = response.response_mut().head_mut();
        head.no_chunking(true);
        head.set_connection_type(ConnectionType::Close);
    }
}
