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
        for (path, there) in
            [("/", "#sources"), (&product, "#product"), ("/products", "td"), ("/names", "td"), ("/rejects", "td")]
        {
            browser.goto(&system.page(path)).await;
            assert!(browser.text(there).await.is_some(), "{there} is on {path}");
            let shown = browser.run("return document.documentElement.clientWidth").await;
            let whole = browser.run("return document.documentElement.scrollWidth").await;
            assert_eq!(shown, 390, "{path} is rendered at phone width");
            assert!(whole.as_i64() <= shown.as_i64(), "{path} is {whole} px wide");
        }
    });
}
