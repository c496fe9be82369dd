//! The sender of a request, as far as it is known: what is recorded with edits, uploads and acceptances.

use actix_web::{HttpRequest, http::header::AUTHORIZATION, web};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tributary_engine::{ACCEPT_COMMAND, Author, Entrance};
use tributary_http_common::caller;

use super::App;

/// Characters of a user name that are kept.
const MAX_USER_CHARS: usize = 100;

/// Returns who sends a request, and how.
pub(crate) fn author(request: &HttpRequest, entrance: Entrance) -> Author {
    Author { entrance, user: user(request) }
}

/// Returns who sends a request: the name of the token, which proves it, or else the user name of Basic authentication, which nothing
/// proves. None if that is the name of a token, because it would look like one that is proven.
pub(crate) fn user(request: &HttpRequest) -> Option<String> {
    if let Some(name) = caller(request).name {
        return Some(name.to_string());
    }
    let app = request.app_data::<web::Data<App>>();
    typed_user(request).filter(|user| app.is_none_or(|app| !app.admission.is_token_name(user)))
}

/// Returns who accepts what is held. The command line says so by the user name that it sends, with the token of any admin.
pub(crate) fn acceptor(request: &HttpRequest) -> Option<String> {
    let command = typed_user(request).filter(|user| user == ACCEPT_COMMAND);
    if command.is_some()
        && let Some(name) = caller(request).name
    {
        tracing::info!(%name, "`{ACCEPT_COMMAND}` comes with the token of {name}");
    }
    command.or_else(|| user(request))
}

/// The user name of Basic authentication.
fn typed_user(request: &HttpRequest) -> Option<String> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
    let credentials = header.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
    let decoded = credentials.and_then(|(_, encoded)| STANDARD.decode(encoded.trim()).ok());
    decoded.and_then(|decoded| {
        let user = String::from_utf8_lossy(decoded.split(|byte| *byte == b':').next()?).into_owned();
        // Nothing that could turn or end the texts in which it stands.
        let user: String = user.chars().filter(is_of_name).take(MAX_USER_CHARS).collect();
        Some(user.trim().to_owned()).filter(|user| !user.is_empty())
    })
}

/// Whether a sign may stand in the name of somebody, as in the name of a token; blanks may, too.
fn is_of_name(letter: &char) -> bool {
    letter.is_alphanumeric() || "._@+-' ".contains(*letter)
}

#[cfg(test)]
mod tests {
    use actix_web::{HttpMessage, test::TestRequest};
    use tributary_admission::{Caller, Role};

    use super::*;

    #[test]
    fn the_name_of_a_token_is_the_author() {
        let basic = format!("Basic {}", STANDARD.encode("bob:secret"));
        let request = TestRequest::default().insert_header((AUTHORIZATION, basic)).to_http_request();
        request.extensions_mut().insert(Caller { name: Some("ann".into()), role: Role::Edit });
        assert_eq!(author(&request, Entrance::Form).user.as_deref(), Some("ann"));
    }

    #[test]
    fn the_author_is_the_user_of_basic_authentication() {
        let check = |header: String, expect: Option<&str>| {
            let request = TestRequest::default().insert_header((AUTHORIZATION, header.clone())).to_http_request();
            assert_eq!(author(&request, Entrance::Form).user.as_deref(), expect, "{header}");
        };
        let basic = |credentials: &str| format!("Basic {}", STANDARD.encode(credentials));
        check(basic("ann:secret:x"), Some("ann"));
        check(basic(" a\u{7}nn :"), Some("ann"));
        check(basic(":secret"), None);
        check(basic(&"é".repeat(101)), Some(&"é".repeat(100)));
        check("Bearer ann".to_owned(), None);
        check("Basic ?".to_owned(), None);
    }
}
