//! The page of a report follows its files and is sorted by clicks, without violating its content security policy.

use e2e::{Key, Kind, System, browse};

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
        browser.shows("#facts", "1 row set aside").await;
        assert_eq!(browser.run("return window.isThatPage").await, true);

        let first = "return document.querySelector('#table td').textContent";
        assert_eq!(browser.run(first).await, "Ink");
        browser.click("#table thead .number a").await;
        browser.shows("#table td", "Nib").await;
        let bars = "return [...document.querySelectorAll('.chart rect')].map((bar) => Math.round(bar.getBoundingClientRect().width))";
        let bars: Vec<f64> = serde_json::from_value(browser.run(bars).await).unwrap();
        assert_eq!(bars.len(), 3, "{bars:?}");
        browser.shows(".chart .total .number", "6,241").await;
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

/// A report over time of several shops, with more groups than a page has.
const OVER_TIME: &str = r#"
[[report]]
name     = "takings"
title    = "Takings by month"
units    = { revenue = "€" }
files    = "*.csv"
feed     = true
group_by = [{ column = "day", by = "month", name = "Month" }, "name"]
metrics  = { rows = "count()", revenue = "sum(price)" }
"#;

/// A feed of twelve months and seven shops, of which one has no row in two months.
fn takings() -> String {
    let mut feed = "sku,name,day,price\n".to_owned();
    for month in 1..=12 {
        for shop in (0..7).filter(|shop| *shop != 2 || !(5..7).contains(&month)) {
            feed += &format!("{month}-{shop},Shop {shop},2026-{month:02}-15,{}.5\n", 1_000 * (7 - shop) + month * 10);
        }
    }
    feed
}

#[test]
fn a_report_over_time_is_drawn_searched_and_turned_over() {
    let system = System::configured(&takings(), OVER_TIME);
    for kind in [Kind::Desktop, Kind::Phone] {
        browse(kind, async |browser| {
            browser.goto(&system.page("/reports/takings")).await;
            browser.shows("h1", "Takings by month").await;
            browser.shows("#table .hint", "1–50 of 82 groups").await;
            // Every line has a size, and lies within the plot.
            let drawn = "const plot = document.querySelector('.plot svg').getBoundingClientRect(); \
                         return [...document.querySelectorAll('.plot .line')].map((line) => { \
                         const box = line.getBoundingClientRect(); \
                         return box.width > 100 && box.left >= plot.left - 2 && box.right <= plot.right + 2 \
                         && box.top >= plot.top - 2 && box.bottom <= plot.bottom + 2; })";
            assert_eq!(browser.run(drawn).await, serde_json::json!([true, true, true, true, true]));
            let gap = "return document.querySelectorAll('.plot .line')[2].getAttribute('d').match(/M/g).length";
            assert_eq!(browser.run(gap).await, 2, "a month without rows breaks the line");
            let title = browser.text(".plot title").await.unwrap_or_default();
            assert!(title.starts_with("revenue by month from 2026-01 to 2026-12"), "{title}");
            // The labels stand at their rules.
            let off = "const middle = (all) => [...document.querySelectorAll(all)].map((each) => { \
                       const box = each.getBoundingClientRect(); return (box.top + box.bottom) / 2; }); \
                       const rules = middle('.grid path'); \
                       return Math.max(...middle('.rules li').map((label, at) => Math.abs(label - rules[at])))";
            let off = browser.run(off).await.as_f64().expect("a number");
            assert!(off < 2.0, "labels are {off} px off their rules");
            // The points of a column's numbers stand below each other, and no number is broken.
            let ends = "return [...new Set([...document.querySelectorAll('#table td:nth-child(4)')].map((cell) => { \
                        const text = document.createRange(); text.setStart(cell.firstChild, 0); \
                        text.setEnd(cell.firstChild, cell.textContent.indexOf('.')); \
                        return `${text.getClientRects().length} ${Math.round(text.getBoundingClientRect().right)}`; }))].length";
            assert_eq!(browser.run(ends).await, 1);
            let overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(browser.run(overflow).await, 0);

            browser.click("#table a[rel=next]").await;
            browser.shows("#table .hint", "51–82 of 82 groups").await;
            browser.click("#table a[rel=prev]").await;
            browser.shows("#table .hint", "1–50 of 82 groups").await;
            browser.write("#q", "Shop 2").await;
            browser.press(Key::Enter).await;
            browser.shows("#table .hint", "10 groups").await;
            assert_eq!(browser.value("#q").await.as_deref(), Some("Shop 2"));
            assert_eq!(browser.console().await, [""; 0]);
        });
    }
}
