//! The open page follows the files without violating its content security policy.

use e2e::{Kind, System, browse, until};

#[test]
fn a_changed_line_appears_on_the_open_page() {
    let system = System::start("sku,name,description\np1,Pen,blue\n");
    browse(Kind::Desktop, async |browser| {
        browser.goto(&system.page("/?sku=p1")).await;
        // A reload would lose this.
        browser.run("window.isThatPage = true").await;
        system.write("sku,name,description\np1,Fountain pen,green\nn1,Nib,gold\n");
        browser.shows("#product .name", "Fountain pen").await;
        browser.shows("#product .description", "green").await;
        browser.shows("#changes", "1 product changed, 1 added").await;
        browser.shows("#counts", "2").await;
        browser.shows("#sources", "2 offers").await;
        assert_eq!(browser.run("return window.isThatPage").await, true);
        assert_eq!(browser.console().await, [""; 0]);
    });
}

#[test]
fn a_product_that_comes_and_goes_does_so_on_the_open_page() {
    let system = System::start("sku,name,description\np1,Pen,blue\n");
    browse(Kind::Desktop, async |browser| {
        browser.goto(&system.page("/?sku=n1")).await;
        browser.shows("#product .notice", "No product with this SKU is shown").await;
        system.write("sku,name,description\np1,Pen,blue\nn1,Nib,gold\n");
        browser.shows("#product .name", "Nib").await;
        system.write("sku,name,description\np1,Pen,blue\n");
        browser.shows("#product .notice", "No product with this SKU is shown").await;
        assert_eq!(browser.console().await, [""; 0]);
    });
}

#[test]
fn a_correction_that_waits_for_a_large_version_says_so_and_is_kept() {
    let system = System::start("sku,name,description\np1,Pen,blue\n");
    browse(Kind::Desktop, async |browser| {
        browser.goto(&system.page("/")).await;
        browser.write("#sku", "p1").await;
        browser.write("#name", "Fountain pen").await;
        let mut large = b"sku,name,description\np1,Pen,blue\n".to_vec();
        // It must be applied for longer than a busy browser takes for the next steps.
        (0..300_000).for_each(|row| large.extend(format!("s{row},Name {},text\n", row / 2).bytes()));
        system.write(&String::from_utf8(large).unwrap());
        until("the large version is being applied", async || {
            system.text("/").contains("Applying a version of north").then_some(())
        })
        .await;
        // The driver cannot query a page that waits for an answer, so the page records its own messages.
        browser.run("new MutationObserver(() => { localStorage.said += document.querySelector('#busy').textContent; }).observe(document.querySelector('#busy'), { childList: true })").await;
        browser.click("#submit").await;
        browser.lands_on(&system.page("/?sku=p1")).await;
        let said = browser.run("return localStorage.said").await;
        assert!(said.as_str().is_some_and(|said| said.contains("Applying a version of north")), "{said}");
        browser.shows("#product .name", "Fountain pen").await;
    });
}

#[test]
fn a_source_that_goes_down_is_shown_on_the_open_page() {
    let mut system = System::start("sku,name,description\np1,Pen,blue\n");
    browse(Kind::Desktop, async |browser| {
        browser.goto(&system.page("/")).await;
        until("the page listens", async || system.was_asked("/api/v1/events").then_some(())).await;
        system.stop_source();
        browser.shows("#sources .state", "down").await;
        browser.shows("#changes", "north is down").await;
        assert_eq!(browser.console().await, [""; 0]);
    });
}

#[test]
fn no_page_logs_an_error() {
    let system = System::start("sku,name,description\np1,Pen,blue\n,no sku,\n");
    browse(Kind::Desktop, async |browser| {
        for path in ["/", "/?sku=p1", "/products", "/names", "/rejects", "/upload"] {
            browser.goto(&system.page(path)).await;
            assert_eq!(browser.console().await, [""; 0], "{path}");
        }
    });
}

#[test]
fn more_tabs_than_a_browser_has_connections_are_all_answered() {
    let system = System::start("sku,name,description\np1,Pen,blue\n");
    browse(Kind::Desktop, async |browser| {
        browser.goto(&system.page("/")).await;
        for _ in 0..8 {
            browser.goto_in_new_tab(&system.page("/?sku=p1")).await;
            browser.shows("#product .name", "Pen").await;
        }
        system.write("sku,name,description\np1,Fountain pen,green\n");
        browser.shows("#product .name", "Fountain pen").await;
    });
}
