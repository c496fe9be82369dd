//! Headers that every response carries, whatever it says.

use actix_web::{
    HttpResponseBuilder,
    body::BoxBody,
    dev::ServiceResponse,
    http::{
        ConnectionType, Version,
        header::{CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS},
    },
};

/// Asks for the token, and names both ways to send it.
pub fn challenge(response: &mut HttpResponseBuilder, realm: &str) {
    response.append_header((WWW_AUTHENTICATE, format!("Bearer realm=\"{realm}\"")));
    response.append_header((WWW_AUTHENTICATE, format!("Basic realm=\"{realm}\", charset=\"UTF-8\"")));
}

/// Closes the connection after this response, so that a refused request's body is neither read nor waited for.
pub fn close(response: &mut ServiceResponse<BoxBody>) {
    response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
}

/// Completes a response: browsers must not guess its type nor hand it to pages of other sites, and a client of HTTP/1.0 gets no chunks.
pub fn complete(response: &mut ServiceResponse<BoxBody>) {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    if response.request().version() < Version::HTTP_11 {
        // Such a client does not know chunks (RFC 9112 section 6.1): the body ends with the connection.
        response.response_mut().head_mut().no_chunking(true);
        close(response);
    }
}
