//! No page is wider than a phone, whatever the files contain.

use e2e::{Kind, System, browse};

#[test]
fn no_page_scrolls_sideways() {
    let (sku, name) = ("sku".repeat(100), "Name".repeat(200));
    let words = "blank ".repeat(100);
    // The third line is a reject, whose raw text is shown.
    let system = System::start(&format!("sku,name,description\n{sku},{name},{name}\n,{name},{sku},{words}\n"));
    browse(Kind::Phone, async |browser| {
        let product = format!("/?sku={sku}");
        let own_page = format!("/products/{sku}");
        for (path, there) in [
            ("/", "#sources"),
            (&product, "#product"),
            (&own_page, "#product"),
            ("/products", "td"),
            ("/names", "td"),
            ("/rejects", "td"),
            ("/sources", "td"),
            ("/sources/north", "#file-list td"),
            ("/upload", "#files"),
        ] {
            browser.goto(&system.page(path)).await;
            assert!(browser.text(there).await.is_some(), "{there} is on {path}");
            let shown = browser.run("return document.documentElement.clientWidth").await;
            let whole = browser.run("return document.documentElement.scrollWidth").await;
            assert_eq!(shown, 390, "{path} is rendered at phone width");
            assert!(whole.as_i64() <= shown.as_i64(), "{path} is {whole} px wide");
        }
    });
}

/// The reject page was wider than a phone, and `106,867,107.91` was broken into two lines.
#[test]
fn rejects_and_numbers_fit_on_a_phone() {
    let (report, word) = ("sales_of_all_the_regions_within_a_half", "raw".repeat(300));
    let metrics = "metrics = { revenue = \"sum(price)\", highest = \"max(price)\", rows = \"count()\" }";
    let common = format!("files = \"*.csv\"\nfeed = true\n{metrics}\n");
    let configuration = format!(
        "[[report]]\nname = \"{report}\"\n{common}[[report]]\nname = \"grouped\"\ngroup_by = [\"name\"]\n{common}"
    );
    let feed = format!("sku,name,price\np1,A pen with a long name,106867107.91\n,{word},{word}\n");
    let system = System::configured(&feed, &configuration);
    browse(Kind::Phone, async |browser| {
        let of_report = format!("/reports/{report}");
        for (path, number) in [
            ("/rejects", "td.number"),
            (of_report.as_str(), ".figures dd"),
            ("/reports/grouped", ".chart .number"),
            ("/reports/grouped", "#table td.number"),
        ] {
            browser.goto(&system.page(path)).await;
            if path != "/rejects" {
                browser.shows(number, "106,867,107.91").await;
            }
            let widths = browser.run("return [document.documentElement.scrollWidth, innerWidth]").await;
            assert_eq!(widths, serde_json::json!([390, 390]), "{path}");
            let lines = format!(
                "return [...document.querySelectorAll('{number}')].map((cell) => {{ const text = document.createRange(); \
                 text.selectNodeContents(cell); return text.getClientRects().length; }})"
            );
            let lines: Vec<u64> = serde_json::from_value(browser.run(&lines).await).expect("a list of numbers");
            assert!(!lines.is_empty() && lines.iter().all(|lines| *lines == 1), "{path} {number}: {lines:?}");
        }
        browser.goto(&system.page("/rejects")).await;
        browser.shows("table.rejects", report).await;
    });
}

/// At 320 px the rows set aside ran out of their card.
#[test]
fn rows_set_aside_and_sources_are_cards_on_the_smallest_screen() {
    let word = "raw".repeat(100);
    let system = System::start(&format!("sku,name\np1,Pen\n,{word}\np2,{word},{word}\n"));
    // No window and no emulated phone is so narrow, but the page can be.
    let measure = |cell: &str| {
        format!(
            "document.documentElement.style.width = '320px'; \
             const cells = [...document.querySelectorAll('{cell}')]; \
             const wide = [...document.querySelectorAll('main *')].filter((part) => part.getBoundingClientRect().right > 320); \
             return [cells.length > 0, getComputedStyle(cells[0]).display, wide.map((part) => part.outerHTML)];"
        )
    };
    browse(Kind::Phone, async |browser| {
        for (path, cell) in [
            ("/rejects", ".rejects td"),
            ("/rejects", ".reject-files td"),
            ("/sources", ".source-list td"),
            ("/sources/north", ".file-list td"),
        ] {
            browser.goto(&system.page(path)).await;
            let found = browser.run(&measure(cell)).await;
            assert_eq!(found, serde_json::json!([true, "block", []]), "{path} {cell}");
        }
    });
}
