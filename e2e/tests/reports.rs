//! The page of a report follows its files and is sorted by clicks, without violating its content security policy.

use e2e::{Kind, System, browse};

/// A feed that a report aggregates, too.
const CONFIGURATION: &str = r#"
[[report]]
name     = "stock"
files    = "*.csv"
feed     = true
group_by = ["name"]
metrics  = { total = "sum(pieces)", rows = "count()" }
"#;

#[test]
fn a_report_follows_its_files_on_the_open_page_and_is_sorted_by_clicks() {
    let feed = "sku,name,pieces\np1,Pen,1200\np2,Pen,34\ni1,Ink,7\n";
    let system = System::configured(feed, CONFIGURATION);
    browse(Kind::Desktop, async |browser| {
        browser.goto(&system.page("/reports")).await;
        browser.shows("#reports .who", "stock").await;
        browser.click("#reports .who a").await;
        browser.lands_on(&system.page("/reports/stock")).await;
        browser.shows(".chart li", "1,234").await;
        browser.run("window.isThatPage = true").await;
        system.write(&format!("{feed}n1,Nib,5000\nn2,Nib,many\n"));
        browser.shows(".chart li", "Nib").await;
        browser.shows("#facts", "1 reject").await;
        assert_eq!(browser.run("return window.isThatPage").await, true);

        let first = "return document.querySelector('#rows ~ .scroll td').textContent";
        assert_eq!(browser.run(first).await, "Ink");
        browser.click("thead .number a").await;
        browser.shows("#rows ~ .scroll td", "Nib").await;
        let bars =
            "return [...document.querySelectorAll('rect')].map((bar) => Math.round(bar.getBoundingClientRect().width))";
        let bars: Vec<f64> = serde_json::from_value(browser.run(bars).await).unwrap();
        assert_eq!(bars.len(), 3, "{bars:?}");
        let share = bars[1] / bars[0];
        assert!(bars[0] > 300.0 && (0.23..0.26).contains(&share), "1,234 of 5,000: {bars:?}");
        assert_eq!(browser.console().await, [""; 0]);
    });
}

#[test]
fn a_report_fits_on_a_phone() {
    let feed =
        "sku,name,pieces\np1,A pen with a long name that is cut where there is no room,99999999999999999999999999\n";
    let system = System::configured(feed, CONFIGURATION);
    browse(Kind::Phone, async |browser| {
        browser.goto(&system.page("/reports/stock")).await;
        browser.shows(".chart li", "99,999,999,999,999,999,999,999,999").await;
        let overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.run(overflow).await, 0);
    });
}
