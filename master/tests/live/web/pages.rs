//! Pages: what a policy forbids is not in them, whatever feeds, addresses and people write, and errors are pages too.

use super::{BROWSER, encoded, get, one_source, page, send};
use crate::system::System;

/// Ends a text, a quoted value and a tag, and would run if it were markup.
const EVIL: &str = "</title></textarea>'\"><script>alert(1)</script><img src=x onerror=alert(1)>&lt;";

/// The tags of a page, each as its name and its attributes.
fn tags(page: &str) -> Vec<(String, Vec<(String, String)>)> {
    let (mut tags, mut rest) = (Vec::new(), page);
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if rest.starts_with(['/', '!']) {
            continue;
        }
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(rest.len());
        assert!(end > 0, "a bare `<` in: {}", &rest[..rest.len().min(80)]);
        let (name, behind) = rest.split_at(end);
        let (attributes, behind) = attributes(behind);
        tags.push((name.to_ascii_lowercase(), attributes));
        rest = behind;
    }
    tags
}

/// The attributes up to the end of a tag, and what stands behind it.
fn attributes(mut rest: &str) -> (Vec<(String, String)>, &str) {
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(behind) = rest.strip_prefix('>') {
            return (attributes, behind);
        }
        let end = rest.find(['=', '>', ' ', '\n']).unwrap_or_else(|| panic!("a tag without an end: {rest}"));
        assert!(end > 0, "no attribute: {}", &rest[..rest.len().min(80)]);
        let name = rest[..end].to_ascii_lowercase();
        rest = &rest[end..];
        let mut value = String::new();
        if let Some(behind) = rest.strip_prefix("=\"") {
            let (quoted, behind) = behind.split_once('"').unwrap_or_else(|| panic!("an open quote: {rest}"));
            value = quoted.to_owned();
            rest = behind;
        }
        assert!(!rest.starts_with('='), "a value without quotes: {name}");
        attributes.push((name, value));
    }
}

/// Nothing of the page's own runs or is styled in line, and all that it loads is this server's.
#[track_caller]
fn is_plain(page: &str, what: &str) {
    assert!(page.starts_with("<!DOCTYPE html>"), "{what}: {page}");
    let tags = tags(page);
    assert!(tags.len() > 10, "{what}: {page}");
    for (name, attributes) in &tags {
        assert!(!["style", "iframe", "object", "embed", "base"].contains(&name.as_str()), "{what}: <{name}>");
        for (attribute, value) in attributes {
            assert!(!attribute.starts_with("on") && attribute != "style", "{what}: <{name} {attribute}>");
            let is_loaded = ["script", "img", "link"].contains(&name.as_str());
            if ["src", "href"].contains(&attribute.as_str()) && is_loaded || attribute.ends_with("action") {
                assert!(value.starts_with('/') && !value.starts_with("//"), "{what}: <{name} {attribute}={value}>");
            }
            if attribute == "href" {
                assert!(
                    value.starts_with(['/', '#']) || value.starts_with("http"),
                    "{what}: <{name} {attribute}={value}>"
                );
            }
        }
        let has = |wanted: &str| attributes.iter().any(|(attribute, _)| attribute == wanted);
        assert!(name != "script" || has("src"), "{what}: a script in line");
        assert!(name != "img" || !attributes.contains(&("src".into(), "x".into())), "{what}: markup of a feed");
    }
    let scripts: Vec<&str> = page.split("<script").skip(1).collect();
    assert!(scripts.iter().all(|script| script.split_once('>').unwrap().1.starts_with("</script>")), "{what}");
}

fn evil_feed() -> System {
    let cell = format!("\"{}\"", EVIL.replace('"', "\"\""));
    let (short, rejected) = (format!("{cell},{cell},{cell}\n"), format!(",{cell},{cell}\n"));
    let system = one_source(&[("<b onclick=x>.csv", &format!("sku,name,description\n{short}a,A,\n{rejected}"))]);
    let path = super::product_path(EVIL);
    let body = serde_json::json!({ "description": EVIL }).to_string();
    assert_eq!(system.ask("PATCH", &path, &body).status, 200);
    system
}

#[test]
fn pages_have_nothing_in_line_whatever_is_written() {
    let system = evil_feed();
    let evil = encoded(EVIL);
    let with = |path: &str| format!("{path}{evil}");
    for path in [
        "/".to_owned(),
        with("/?sku="),
        "/products".to_owned(),
        with("/products?q="),
        with("/products?name="),
        with("/products?source="),
        with("/products?after="),
        "/names".to_owned(),
        with("/names?q="),
        "/rejects".to_owned(),
        with("/rejects?source="),
        "/rejects?source=north".to_owned(),
        with("/rejects?report="),
        with("/rejects?reason="),
        "/sources".to_owned(),
        "/sources/north".to_owned(),
        "/reports".to_owned(),
    ] {
        is_plain(&page(&get(&system, &path, &[BROWSER]), 200), &path);
        // Without `Accept` too: a page is what these paths give.
        is_plain(&page(&get(&system, &path, &[]), 200), &path);
    }
    for (path, status) in [
        (with("/"), 404),
        (with("/reports/"), 404),
        (with("/sources/"), 404),
        (with("/sources?state="), 400),
        (with("/rejects?after="), 400),
        (with("/names?offset="), 400),
        ("/update".to_owned(), 405),
        (format!("/products?q={evil}&q={evil}"), 400),
    ] {
        is_plain(&page(&get(&system, &path, &[BROWSER]), status), &path);
    }
    for (body, status) in [
        (format!("sku=x{evil}&name={evil}&description={evil}"), 404),
        (format!("sku={evil}"), 422),
        (format!("sku=a&name={}", "x".repeat(2_049)), 422),
        (format!("sku={}&name={evil}", "x".repeat(1_025)), 422),
    ] {
        is_plain(&page(&send(&system, "POST", "/update", &[BROWSER], &body), status), &body);
    }
    // What is looked for and not there is written on the page too; whether that is 200 or 404 is left open.
    let unknown = get(&system, &with("/?sku=x"), &[BROWSER]);
    is_plain(&page(&unknown, unknown.status), "an unknown sku");
    let host = [("Host", "<script>alert(1)</script>"), BROWSER];
    is_plain(&page(&get(&system, "/", &host), 421), "the host");
    let kind = [("Content-Type", "text/<script>"), BROWSER];
    is_plain(&page(&send(&system, "POST", "/update", &kind, "sku=a&name=b"), 415), "the type");
}

#[test]
/// docs/reference/http-api.md#form
fn the_form_is_as_the_reference_says() {
    let system = one_source(&[("feed.csv", "sku,name\na,A\n")]);
    let tags = tags(&page(&get(&system, "/", &[BROWSER]), 200));
    let has = |tag: &(String, Vec<(String, String)>), name: &str, value: &str| {
        tag.1.iter().any(|(attribute, is)| attribute == name && (value.is_empty() || is == value))
    };
    for id in ["sku", "name", "description"] {
        let fields: Vec<_> = tags.iter().filter(|tag| has(tag, "id", id)).collect();
        assert_eq!(fields.len(), 1, "#{id}");
        assert!(has(fields[0], "name", id) && ["input", "textarea"].contains(&fields[0].0.as_str()), "#{id}");
    }
    assert!(tags.iter().any(|tag| tag.0 == "form" && has(tag, "action", "/update") && has(tag, "method", "post")));
    assert!(tags.iter().any(|tag| tag.0 == "button" && has(tag, "type", "submit")));
}

/// Enter presses the first button of a form. In the sku field it used to save, which fails without a name.
#[test]
fn enter_looks_up_unless_there_is_something_to_save() {
    let system = one_source(&[("feed.csv", "sku,name\na,A\n")]);
    let tags = tags(&page(&get(&system, "/", &[BROWSER]), 200));
    let form = tags.iter().skip_while(|tag| !tag.1.contains(&("action".to_owned(), "/update".to_owned())));
    let first = form.into_iter().find(|tag| tag.0 == "button").unwrap();
    for (attribute, value) in [("type", "submit"), ("name", "enter"), ("value", "yes")] {
        assert!(first.1.contains(&(attribute.to_owned(), value.to_owned())), "{attribute}: {first:?}");
    }
    assert!(first.1.iter().all(|(attribute, _)| attribute != "hidden"), "WebKit ignores a hidden default button");
    let check = |body: &str, status: u16, name: &str| {
        let response = system.ask("POST", "/update", body);
        assert_eq!(response.status, status, "{body}");
        if status == 303 {
            assert_eq!(response.header("location"), Some("/?sku=a"), "{body}");
        }
        assert_eq!(system.json("/api/v1/products/a")["name"], name, "{body}");
    };
    check("sku=a&enter=yes&name=&description=", 303, "A");
    check("sku=+a+&enter=yes&name=+&description=%0D%0A", 303, "A");
    check("sku=a&name=&description=", 422, "A");
    check("sku=a&enter=yes&name=B&description=", 303, "B");
}

/// A page that does not hear of a version that is held in place of another one offers to accept what is over.
#[test]
fn pages_follow_every_kind_of_event() {
    let system = super::no_source();
    let script = get(&system, "/live.js", &[]).text();
    let reference = include_str!("../../../../docs/reference/http-api.md");
    let table = reference.split("| `event` | `data` |").nth(1).unwrap();
    let kinds = table.lines().skip(2).map_while(|line| line.strip_prefix("| `")?.split('`').next());
    assert_eq!(kinds.inspect(|kind| assert!(script.contains(&format!("\"{kind}\"")), "{kind}")).count(), 9);
}

#[test]
fn links_of_pages_lead_somewhere() {
    let system = evil_feed();
    let (mut open, mut seen) = (vec!["/".to_owned()], std::collections::BTreeSet::new());
    while let Some(path) = open.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let response = get(&system, &path, &[BROWSER]);
        assert_eq!(response.status, 200, "{path}");
        super::is_guarded(&response);
        if !response.header("content-type").unwrap().starts_with("text/html") {
            continue;
        }
        for (name, attributes) in tags(&response.text()) {
            let links = attributes.iter().filter(|(attribute, _)| ["href", "src"].contains(&attribute.as_str()));
            let own = links.map(|(_, value)| value.replace("&#38;", "&").replace("&amp;", "&"));
            open.extend(own.filter(|link| link.starts_with('/') && name != "form"));
        }
    }
    for part in ["/style.css", "/live.js", "/icon.svg", "/products", "/names", "/rejects", "/openapi.json"] {
        assert!(seen.contains(part), "{part} is linked: {seen:?}");
    }
    assert!(seen.contains(&format!("/products/{}", unreserved(EVIL))), "{seen:?}");
}

/// A text percent-encoded as for a query, its unreserved letters kept (RFC 3986, section 2.3).
fn unreserved(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(letter).collect()
}

#[test]
fn a_page_of_products_goes_on_where_it_ended() {
    let rows: String = (0..120).map(|row| format!("s{row:03},N&{}\n", row % 60)).collect();
    let system = one_source(&[("feed.csv", &format!("sku,name\n{rows}"))]);
    let follow = |first: &str, expect: usize| {
        let (mut path, mut found) = (first.to_owned(), 0);
        loop {
            let text = page(&get(&system, &path, &[BROWSER]), 200);
            found += text.matches("<tr><td>").count();
            let more = text.split_once(">More</a>");
            let Some((before, _)) = more else { break };
            let link = before.rsplit_once("href=\"").unwrap().1.trim_end_matches('"').replace("&#38;", "&");
            assert_ne!(link, path);
            path = link;
        }
        assert_eq!(found, expect, "{first}");
    };
    follow("/products", 120);
    follow("/products?q=N%261", 22);
    follow("/products?q=s&source=north", 120);
    follow("/names", 60);
    follow("/names?q=N%26", 60);
}

/// A name that turns the direction of a text must not turn what stands beside it: `north a\u{202e}vsc.csv, 1 row`.
#[test]
fn a_text_that_turns_its_direction_turns_nothing_else() {
    let system = one_source(&[("a\u{202e}vsc.csv", "sku,name\n,\u{202e}x\n")]);
    for path in ["/files", "/rejects"] {
        let text = page(&get(&system, path, &[BROWSER]), 200);
        assert!(text.contains("<bdi>a\u{202e}vsc.csv</bdi>"), "{path}: {text}");
    }
    let style = system.ask("GET", "/style.css", "").text();
    assert!(style.contains("a, b, code") && style.contains("unicode-bidi: isolate"), "links and names are isolated");
}
