//! Something that was just done to a product: the redirect after it, and its announcement on the page to which that leads.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{COOKIE, HeaderMap, HeaderValue, LOCATION, SET_COOKIE},
};

use super::link;
use crate::http::pages::text::wording::encoded;

/// The cookie that tells the overview of a deed: its address stays one that can be shared and loaded again.
const DONE: &str = "tributary-done";

/// Something that was done to a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Saved,
    Created,
    Hidden,
    Undone,
}

impl Deed {
    const ALL: [Self; 4] = [Self::Saved, Self::Created, Self::Hidden, Self::Undone];

    /// Its name in redirects.
    fn name(self) -> &'static str {
        match self {
            Self::Saved => "1",
            Self::Created => "created",
            Self::Hidden => "hidden",
            Self::Undone => "undone",
        }
    }

    /// The deed of a name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|deed| deed.name() == name)
    }

    /// Words that announce it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Saved => "Saved.",
            Self::Created => "Created.",
            Self::Hidden => "Hidden. No list shows the product any more.",
            Self::Undone => "Undone.",
        }
    }

    /// Leads to the page of the product, which announces it.
    pub(crate) fn on_product(self, sku: &str) -> HttpResponse {
        let link = link(sku);
        // The overview stands in for a page that a path cannot name.
        if link.contains('?') {
            return self.on_overview(sku);
        }
        HttpResponse::SeeOther().insert_header((LOCATION, format!("{link}?saved={}", self.name()))).finish()
    }

    /// Leads to the overview with the product, which announces it.
    pub(crate) fn on_overview(self, sku: &str) -> HttpResponse {
        let cookie = format!("{DONE}={}.{}; Path=/; Max-Age=60; HttpOnly; SameSite=Strict", self.name(), encoded(sku));
        let mut response = shown(sku);
        set_cookie(response.headers_mut(), &cookie);
        response
    }

    /// The deed that the overview with this product must announce.
    pub(crate) fn to_announce(request: &HttpRequest, sku: &str) -> Option<Self> {
        let headers = request.headers().get_all(COOKIE).filter_map(|value| value.to_str().ok());
        let mut cookies = headers.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (name, of) = cookies.find(|(name, _)| *name == DONE)?.1.split_once('.')?;
        Self::named(name).filter(|_| of == encoded(sku))
    }
}

/// Leads to the overview with a product.
pub(crate) fn shown(sku: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, format!("/?sku={}", encoded(sku)))).finish()
}

/// Makes the browser forget the deed, which has been announced.
pub(crate) fn forget(headers: &mut HeaderMap) {
    set_cookie(headers, &format!("{DONE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"));
}

fn set_cookie(headers: &mut HeaderMap, cookie: &str) {
    // Its parts are ASCII: a sku is percent-encoded.
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        headers.append(SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_deed_is_announced_once_and_for_its_product() {
        let response = Deed::Hidden.on_overview("a b;=é");
        let cookie = response.headers().get(SET_COOKIE).unwrap().to_str().unwrap();
        let pair = cookie.split(';').next().unwrap();
        let request = TestRequest::get().insert_header((COOKIE, format!("other=1; {pair}"))).to_http_request();
        assert_eq!(Deed::to_announce(&request, "a b;=é"), Some(Deed::Hidden));
        assert_eq!(Deed::to_announce(&request, "a"), None);
        for broken in ["tributary-done", "tributary-done=x", "tributary-done=x.a", "=", ""] {
            let request = TestRequest::get().insert_header((COOKIE, broken)).to_http_request();
            assert_eq!(Deed::to_announce(&request, "a"), None, "{broken}");
        }
    }
}
