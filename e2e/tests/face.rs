//! Every page on every screen: nothing is wider than the screen, no rule of axe-core is broken (its best practices count), nothing is said on the console,
//! and nothing is asked of another host.

use std::{env, fs, path::PathBuf};

use e2e::{Browser, Colours, Key, Kind, System, browse};
use serde_json::Value;
use tributary_testkit::{http, wait};

/// Widths of screens in pixels: the narrowest that WCAG asks for, a phone, a laptop, a large screen.
const WIDTHS: [u32; 4] = [320, 390, 1280, 1920];

const FEED: &str = "\
sku,name,description,price
FP-1042,Fountain pen,\"Medium nib, brass, 24 g\",49.00
IN-0201,Iron gall ink,\"Blue black, 50 ml\",11.50
NB-0310,Notebook A5,\"Dotted, 160 pages\",6.20
,Unknown item,a row without a SKU is set aside,1
";

const SALES: &str = "\
Date,Shop,Units
2026-01-05,Berlin,120
2026-02-05,Berlin,106867107.91
2026-02-06,Paris,7
2026-03-05,Paris,-3
soon,Paris,1
";

const CONFIGURATION: &str = r#"
[catalog]
columns = ["price"]
[[report]]
name        = "sales"
title       = "Sales of the shops"
description = "What each shop sold per month."
files       = "sales*.csv"
group_by    = [{ column = "Date", by = "month" }, "Shop"]
metrics     = { units = "sum(Units)", days = "count()" }
units       = { units = "pcs" }
[[report]]
name    = "all"
files   = "sales*.csv"
metrics = { units = "sum(Units)" }
"#;

/// A system that has something to show on each page: a correction, rows that are set aside, reports, uploads that worked and that failed.
pub(crate) fn system() -> System {
    let system = System::configured(FEED, CONFIGURATION);
    let send = |name: &str, body: &str| {
        let url = system.page(&format!("/api/v1/uploads?filename={name}"));
        assert_eq!(http::request("POST", &url, &[], body.as_bytes()).unwrap().status, 202, "{name}");
    };
    send("sales.csv", SALES);
    send("odd.csv", "a,b,c\n1,2,3\n");
    let product = system.page("/api/v1/products/FP-1042");
    assert_eq!(http::request("PATCH", &product, &[], br#"{"name":"By hand"}"#).unwrap().status, 200);
    wait::until("the uploads have ended and the report is computed", || {
        let uploads = system.api("/api/v1/uploads")?;
        let has =
            |state: &str| uploads["items"].as_array()?.iter().any(|upload| upload["state"] == state).then_some(());
        has("complete")?;
        has("failed")?;
        (system.api("/api/v1/reports")?["items"][0]["rows"].as_u64()? > 0).then_some(())
    });
    system
}

/// Each page, with what must be on it.
const PAGES: [(&str, &str); 17] = [
    ("/", "Notebook A5"),
    ("/?sku=FP-1042&span=week", "By hand"),
    ("/?sku=none", "No product"),
    ("/products", "By hand"),
    ("/products?q=nothing-has-this", "No product"),
    ("/products/FP-1042", "Undo"),
    ("/products/IN-0201?saved=1", "Iron gall"),
    ("/names", "Notebook A5"),
    ("/sources", "north"),
    ("/sources/north", "feed.csv"),
    ("/files", "feed.csv"),
    ("/rejects", "Unknown item"),
    ("/reports", "Sales of the shops"),
    ("/reports/sales", "106,867,107.91"),
    ("/reports/all", "106,867,2"),
    ("/upload", "odd.csv"),
    ("/docs", "/api/v1/history"),
];

fn axe() -> String {
    let modules = env::var_os("TRIBUTARY_E2E_NODE_PATH").expect("`cargo xtask services` sets TRIBUTARY_E2E_NODE_PATH");
    fs::read_to_string(PathBuf::from(modules).join("axe-core/axe.min.js")).expect("axe-core is installed")
}

/// The broken rules, each with an element that breaks it.
async fn violations(browser: &Browser, axe: &str) -> Value {
    browser.run(&format!("{axe}; return 0")).await;
    let script = "const done = arguments[arguments.length - 1]; axe.run(document, { resultTypes: ['violations'] })\
                  .then((result) => done(result.violations.map((broken) => [broken.id, broken.nodes[0].html, broken.nodes[0].failureSummary])))";
    browser.run_async(script).await
}

async fn check(browser: &Browser, system: &System, axe: &str, width: u32, scheme: &str) {
    for (path, part) in PAGES {
        let what = format!("{path}, {width} px, {scheme}");
        browser.goto(&system.page(path)).await;
        browser.shows("main", part).await;
        let wide = "return [...document.querySelectorAll('body *')].filter((element) => element.getBoundingClientRect().right > innerWidth + 1 \
                    && !element.closest('.scroll, pre, .unseen, table')).map((element) => element.outerHTML.slice(0, 100)).slice(0, 3)";
        let sizes = browser.run("return [document.documentElement.scrollWidth, innerWidth]").await;
        assert!(
            sizes[0].as_u64() <= sizes[1].as_u64(),
            "{what} is wider than the screen: {sizes} {}",
            browser.run(wide).await
        );
        assert_eq!(violations(browser, axe).await, serde_json::json!([]), "{what}");
        let foreign = "return performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => !name.startsWith(location.origin))";
        assert_eq!(browser.run(foreign).await, serde_json::json!([]), "{what}");
        assert_eq!(browser.console().await, [""; 0], "{what}");
    }
}

#[test]
fn every_page_fits_every_screen_and_breaks_no_rule() {
    let (system, axe) = (system(), axe());
    browse(Kind::Desktop, async |browser| {
        for scheme in ["light", "dark"] {
            for width in WIDTHS {
                browser.show_as(width, Colours { scheme, are_forced: false }).await;
                check(&browser, &system, &axe, width, scheme).await;
            }
        }
    });
}

/// Finds what cannot be told from the ground in the system's colours: lines, bars and areas of drawings, dots before states.
const UNSEEN: &str = "\
const probe = document.body.appendChild(document.createElement('i')); \
probe.style.cssText = 'color: CanvasText; background: Canvas'; \
const { color: ink, backgroundColor: ground } = getComputedStyle(probe); \
const isInk = (element, paint) => getComputedStyle(element)[paint] === ink; \
const drawn = [...document.querySelectorAll('main svg')].flatMap((svg) => [...svg.querySelectorAll('.line, .area, .grid path')] \
    .concat(svg.matches('.bar') ? [...svg.querySelectorAll('rect')] : [])); \
const unseen = drawn.filter((part) => !isInk(part, part.matches('.area, rect') ? 'fill' : 'stroke')); \
const dots = [...document.querySelectorAll('.state')].filter((state) => getComputedStyle(state, '::before').backgroundColor === ground); \
return [ink !== ground, drawn.length, [...unseen, ...dots].map((part) => part.outerHTML.slice(0, 100))]";

/// The colours of an element's left and right half, as they are shown: styles of the parts of a browser's own elements cannot be read.
async fn ends(browser: &Browser, css: &str) -> [Value; 2] {
    let picture = browser.photograph_of(css).await;
    let script = "const done = arguments[arguments.length - 1]; createImageBitmap(new Blob([bytes])).then((image) => { \
                  const pen = new OffscreenCanvas(image.width, image.height).getContext('2d'); pen.drawImage(image, 0, 0); \
                  done([.25, .75].map((part) => [...pen.getImageData(part * image.width, image.height / 2, 1, 1).data])) })";
    let ends = browser.run_async(&format!("const bytes = new Uint8Array({picture:?}); {script}")).await;
    serde_json::from_value(ends).unwrap()
}

/// Guards that nothing is told by our colours alone: people who need a high contrast have the system's.
#[test]
fn plots_states_and_focus_are_seen_in_the_colours_of_the_system() {
    let system = system();
    browse(Kind::Desktop, async |browser| {
        for scheme in ["light", "dark"] {
            browser.show_as(1280, Colours { scheme, are_forced: true }).await;
            for (path, part, drawn) in [
                ("/", "Notebook A5", 9),
                ("/sources", "north", 0),
                ("/sources/north", "feed.csv", 3),
                ("/reports", "Sales of the shops", 0),
                ("/reports/sales", "106,867,107.91", 8),
                ("/upload", "odd.csv", 0),
            ] {
                browser.goto(&system.page(path)).await;
                browser.shows("main", part).await;
                let seen = browser.run(UNSEEN).await;
                assert!(seen[0] == true && seen[1].as_u64() >= Some(drawn), "{path}, {scheme}: {seen}");
                assert_eq!(seen[2], serde_json::json!([]), "{path}, {scheme}");
            }
            browser.run("document.querySelector('main').insertAdjacentHTML('afterbegin', '<progress value=1 max=2></progress>')").await;
            let [done, missing] = ends(&browser, "progress").await;
            assert_ne!(done, missing, "{scheme}: a bar of progress");

            browser.goto(&system.page("/products")).await;
            for _ in 0..4 {
                browser.press(Key::Tab).await;
                let outline = browser
                    .run(
                        "const { outlineStyle, outlineColor } = getComputedStyle(document.activeElement); \
                    return [outlineStyle, outlineColor === getComputedStyle(document.body).backgroundColor]",
                    )
                    .await;
                assert!(outline[0] != "none" && outline[1] == false, "{scheme}: {outline}");
            }
        }
    });
}

/// Guards that what a person selected stays while the page follows changes, and the page is not loaded again.
#[test]
fn a_selection_stays_while_the_page_follows_changes() {
    let system = System::start("sku,name\na,First\nb,Second\n");
    browse(Kind::Desktop, async |browser| {
        browser.goto(&system.page("/")).await;
        browser.shows("#live", "live").await;
        browser
            .run("window.isThatPage = true; getSelection().selectAllChildren(document.querySelector('#sources b'))")
            .await;
        system.write("sku,name\na,First\nb,Changed\nc,New\n");
        browser.shows("#changes", "1 product changed, 1 added").await;
        assert_eq!(
            browser.run("return [window.isThatPage, getSelection().toString()]").await,
            serde_json::json!([true, "north"])
        );
        assert_eq!(browser.console().await, [""; 0]);
    });
}

/// Guards that a page looks by itself without an event stream, and says so.
#[test]
fn a_page_without_a_stream_looks_by_itself_and_says_so() {
    let mut system = System::start("sku,name\na,First\n");
    browse(Kind::Desktop, async |browser| {
        browser.goto(&system.page("/")).await;
        browser.shows("#live", "live").await;
        browser.run("EventSource = class { constructor() { this.readyState = 0; } addEventListener(kind, act) { if (kind === 'error') setTimeout(act); } close() {} }; EventSource.OPEN = 1; EventSource.CLOSED = 2").await;
        // A hidden tab gives its stream up, and takes another one when it is shown.
        browser.run("Object.defineProperty(document, 'hidden', { value: true, configurable: true }); document.dispatchEvent(new Event('visibilitychange')); Object.defineProperty(document, 'hidden', { value: false, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))").await;
        browser.shows("#live", "every 5 seconds").await;
        system.write("sku,name\na,First\nb,Second\n");
        browser.shows("#changes", "1 product added").await;
        system.restart_master();
        browser.shows("#live", "every 5 seconds").await;
    });
}
