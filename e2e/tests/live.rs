//! The open page follows the files, and asks for nothing that its content security policy refuses.

use e2e::{Kind, System, browse, until};

#[test]
fn a_changed_line_appears_on_the_open_page() {
    let system = System::start("sku,name,description\np1,Pen,blue\n");
    browse(Kind::Desktop, async |browser| {
        browser.goto(&system.page("/?sku=p1")).await;
        // A page that is loaded anew has forgotten this.
        browser.run("window.isThatPage = true").await;
        // What happens before the page listens is not told to it.
        until("the page listens", async || system.was_asked("/api/v1/events").then_some(())).await;
        system.write("sku,name,description\np1,Fountain pen,green\nn1,Nib,gold\n");
        browser.shows("#product .name", "Fountain pen").await;
        browser.shows("#product .description", "green").await;
        browser.shows("#changes", "+1 ~1 −0").await;
        browser.shows("#counts", "2").await;
        browser.shows("#sources", "2 offers").await;
        assert_eq!(browser.run("return window.isThatPage").await, true);
        assert_eq!(browser.console().await, [""; 0]);
    });
}

#[test]
fn a_source_that_goes_down_is_said_on_the_open_page() {
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
fn no_page_complains() {
    let system = System::start("sku,name,description\np1,Pen,blue\n,no sku,\n");
    browse(Kind::Desktop, async |browser| {
        for path in ["/", "/?sku=p1", "/products", "/names", "/rejects"] {
            browser.goto(&system.page(path)).await;
            assert_eq!(browser.console().await, [""; 0], "{path}");
        }
    });
}
