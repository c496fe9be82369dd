//! `POST /accept`: accepts what a source holds.

use actix_web::{HttpRequest, HttpResponse, http::header::LOCATION, web};
use serde::Deserialize;
use tributary_engine::AcceptError;

use crate::http::server::{App, error::ApiError, input, sender};

/// Acceptance by a person.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    #[serde(default)]
    source: String,
    /// Digest of what the page showed, so that nothing else is accepted.
    #[serde(default)]
    digest: String,
    /// The page on which the button was pressed.
    #[serde(default)]
    back: String,
}

/// Accepts what a source holds.
pub(crate) async fn accept(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let Accepted { source, digest, back } = input::form(&request, payload).await?;
    match app.engine.accept_held(&source, Some(digest), sender::user(&request)).await {
        // The button was pressed twice, or what it was for is over: the page says what holds now.
        Ok(()) | Err(AcceptError::NothingHeld(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let back = if is_own_path(&back) { back.as_str() } else { "/#sources-heading" };
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, back)).finish())
}

/// Whether a text is a path of this server. `//` and `/\` begin the address of another one, and browsers skip tabs and line ends.
fn is_own_path(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain && text.starts_with('/') && !text.starts_with("//") && !text.contains('\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_leads_to_another_server() {
        for own in ["/", "/sources", "/sources/n%C3%B6rth?files=all#held"] {
            assert!(is_own_path(own), "{own}");
        }
        for other in [
            "",
            "sources",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "http://evil.example",
            "/a b",
            "/n\u{f6}",
        ] {
            assert!(!is_own_path(other), "{other:?}");
        }
    }
}
