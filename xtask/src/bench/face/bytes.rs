//! The bytes of `/` with what it links to, and what a browser receives at its first visit, beside Streamlit.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::{
    browser::{self, Load},
    sheet::{Sheet, met},
    streamlit::Streamlit,
};
use crate::bench::{client::Connection, figures::thousands};

const MAX_BYTES: u64 = 40_000;
/// True in JavaScript once the dashboard shows its table and its line.
const STREAMLIT_SHOWS: &str = "document.querySelector('[data-testid=\"stDataFrame\"] canvas') && \
                               document.querySelector('[data-testid=\"stVegaLiteChart\"] :is(canvas, svg)')";

/// Adds the table.
pub(super) fn measure(home: &Path, url: &str, streamlit: &Streamlit, sheet: &mut Sheet) -> Result<()> {
    sheet.begin("Bytes of the first page of that catalog:", &["what", "bytes", "target", ""]);
    let (parts, sum) = linked(url)?;
    let what = format!("`/` and its assets, bodies packed with gzip: {parts}");
    sheet.add([what, thousands(sum), "<= 40 kB".to_owned(), met(sum <= MAX_BYTES)]);
    let ours = browser::load(url, "document.querySelector('main')")?;
    add(sheet, "`/` at a first visit in Chromium", ours);
    let dashboard = streamlit.start(home)?;
    let theirs = browser::load(&dashboard.url, STREAMLIT_SHOWS)?;
    add(sheet, "a dashboard of Streamlit, with a table and a line, at a first visit in Chromium", theirs);
    Ok(())
}

fn add(sheet: &mut Sheet, what: &str, load: Load) {
    let Load { answers, http, websocket } = load;
    let what = format!("{what}: {answers} answers with headers, {} in messages of a WebSocket", thousands(websocket));
    sheet.add([what, thousands(http + websocket), String::new(), String::new()]);
}

/// Sums the packed page and the styles, scripts and icons that it links to. Returns each, and the sum.
fn linked(url: &str) -> Result<(String, u64)> {
    let mut client = Connection::open(url)?;
    let (status, page) = client.get("/")?;
    ensure!(status == 200, "`/` is answered with {status}");
    let page = String::from_utf8(page).context("`/` is no text")?;
    let (mut parts, mut sum) = (Vec::new(), 0);
    for path in [&["/"], links(&page).as_slice()].concat() {
        let (status, body) = client.page(path)?;
        ensure!(status == 200, "`{path}` is answered with {status}");
        parts.push(format!("`{path}` {}", thousands(body.len() as u64)));
        sum += body.len() as u64;
    }
    Ok((parts.join(", "), sum))
}

/// The addresses in `<link href=…>`, `<script src=…>` and `<img src=…>`.
fn links(page: &str) -> Vec<&str> {
    let attribute = |tag: &'_ str| match tag.split_whitespace().next() {
        Some("link") => Some("href=\""),
        Some("script" | "img") => Some("src=\""),
        _ => None,
    };
    let mut links = Vec::new();
    for tag in page.split('<').filter_map(|rest| rest.split('>').next()) {
        let address = attribute(tag).and_then(|name| tag.split_once(name)?.1.split('"').next());
        links.extend(address.filter(|address| !links.contains(address)));
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_once() {
        let page = "<link rel=\"icon\" href=\"/i.svg\"><a href=\"/x\">x</a><script src=\"/l.js\" defer></script><img src=\"/i.svg\">";
        assert_eq!(links(page), ["/i.svg", "/l.js"]);
    }
}
