//! Assets of the pages: style sheets per room, three small scripts, an icon. All are in the binary.

use actix_web::{
    HttpResponse, Responder,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
};

/// The style sheet: what all pages share, then a part per room.
const STYLE: &str = concat!(
    include_str!("style/base.css"),
    include_str!("style/overview.css"),
    include_str!("style/products.css"),
    include_str!("style/product.css"),
    include_str!("style/sources.css"),
    include_str!("style/rejects.css"),
    include_str!("style/reports.css"),
    include_str!("style/uploads.css"),
    include_str!("style/docs.css"),
    include_str!("style/demo.css"),
    include_str!("style/forced.css"),
);

/// The style sheet.
pub(crate) async fn style() -> impl Responder {
    asset("text/css; charset=utf-8", STYLE)
}

/// The script. Every page works without it.
pub(crate) async fn script() -> impl Responder {
    asset("text/javascript; charset=utf-8", include_str!("live.js"))
}

/// The script of the page at `/upload`, which works without it too.
pub(crate) async fn upload_script() -> impl Responder {
    asset("text/javascript; charset=utf-8", include_str!("upload.js"))
}

/// The part of that script that sends a file.
pub(crate) async fn tus_script() -> impl Responder {
    asset("text/javascript; charset=utf-8", include_str!("tus.js"))
}

/// The icon.
pub(crate) async fn icon() -> impl Responder {
    asset("image/svg+xml", include_str!("icon.svg"))
}

fn asset(kind: &str, content: &'static str) -> HttpResponse {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, kind)).insert_header((CACHE_CONTROL, "no-cache")).body(content)
}
