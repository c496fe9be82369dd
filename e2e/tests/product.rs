//! `/products/{sku}`: one product, corrected with the keyboard alone, from two tabs, undone, hidden and created.

use e2e::{Browser, Key, Kind, System, browse};

const FEED: &str = "sku,name,description\np1,Pen,blue\ni1,Ink,\"old, but good\"\n";

fn product(name: &str, description: &str) -> Option<(String, String)> {
    Some((name.to_owned(), description.to_owned()))
}

async fn tab(browser: &Browser, times: usize) {
    for _ in 0..times {
        browser.press(Key::Tab).await;
    }
}

/// From the list to a saved correction, without a mouse; *Saved* has the focus then, so that it is read out.
#[test]
fn a_product_is_looked_up_and_corrected_with_the_keyboard_alone() {
    for kind in [Kind::Desktop, Kind::WithoutScripts] {
        let system = System::start(FEED);
        browse(kind, async |browser| {
            browser.goto(&system.page("/products/i1")).await;
            browser.click("#look-up").await;
            browser.run("document.activeElement.select()").await;
            browser.type_text("p1").await;
            browser.press(Key::Enter).await;
            browser.lands_on(&system.page("/products/p1")).await;
            browser.shows("#product .name", "Pen").await;
            browser.shows("#product .offers", "wins: the only offer").await;
            assert_eq!(system.product("p1"), product("Pen", "blue"), "nothing was saved");

            browser.run("document.getElementById('look-up').focus()").await;
            while browser.run("return document.activeElement.id").await != "name" {
                tab(&browser, 1).await;
            }
            browser.type_text("Fountain pen").await;
            browser.press(Key::Enter).await;
            browser.lands_on(&system.page("/products/p1?saved=1")).await;
            browser.shows("[role=status]", "Saved.").await;
            assert_eq!(browser.run("return document.activeElement.textContent").await, "Saved.");
            browser.shows("#product .name", "Fountain pen").await;
            browser.shows("#history", "changed it").await;
            assert_eq!(system.product("p1"), product("Fountain pen", "blue"));
            assert_eq!(browser.console().await, [""; 0]);
        });
    }
}

#[test]
fn two_tabs_on_one_product_do_not_overwrite_each_other_unseen() {
    for kind in [Kind::Desktop, Kind::WithoutScripts] {
        let system = System::start(FEED);
        browse(kind, async |browser| {
            let page = system.page("/products/p1");
            browser.goto(&page).await;
            browser.write("#name", "Mine").await;
            let mine = browser.tab().await;
            browser.goto_in_new_tab(&page).await;
            browser.write("#name", "Theirs").await;
            browser.click("#submit").await;
            browser.shows("[role=status]", "Saved.").await;

            browser.switch_to(&mine).await;
            browser.click("#submit").await;
            browser.shows("#stale .now", "Theirs").await;
            browser.shows("#stale .typed", "Mine").await;
            assert_eq!(browser.value("#name").await.as_deref(), Some("Mine"), "what was typed is kept");
            assert_eq!(system.product("p1"), product("Theirs", "blue"));
            browser.click("#submit").await;
            browser.shows("[role=status]", "Saved.").await;
            assert_eq!(system.product("p1"), product("Mine", "blue"));
        });
    }
}

#[test]
fn a_description_is_emptied_and_each_correction_undone() {
    let system = System::start(FEED);
    browse(Kind::WithoutScripts, async |browser| {
        browser.goto(&system.page("/products/i1")).await;
        browser.write("#name", "Iron gall ink").await;
        browser.click("#empty-description").await;
        browser.click("#submit").await;
        browser.shows("[role=status]", "Saved.").await;
        assert_eq!(system.product("i1"), product("Iron gall ink", ""));
        browser.shows("#product .description", "no description").await;

        browser.click(".corrections li:first-child button").await;
        browser.shows("[role=status]", "Undone.").await;
        assert_eq!(system.product("i1"), product("Ink", ""));
        browser.click("#history li:last-child button").await;
        browser.shows("#product .description", "old, but good").await;
        assert_eq!(system.product("i1"), product("Ink", "old, but good"));
        assert_eq!(browser.text(".corrections").await, None, "no correction is left");
    });
}

#[test]
fn a_product_is_hidden_shown_again_and_created() {
    let system = System::start(FEED);
    browse(Kind::Desktop, async |browser| {
        browser.goto(&system.page("/products/p1")).await;
        browser.click("form.hide button").await;
        browser.shows("[role=status]", "Hidden.").await;
        assert_eq!(system.product("p1"), None);
        browser.click("form.edit button").await;
        browser.shows("#product .name", "Pen").await;
        assert_eq!(system.product("p1"), product("Pen", "blue"));

        browser.goto(&system.page("/products/new%2F1")).await;
        browser.shows("#correct", "Create this product").await;
        browser.write("#name", "New").await;
        browser.click("#submit").await;
        browser.shows("[role=status]", "Created.").await;
        assert_eq!(system.product("new/1"), product("New", ""));
    });
}

/// The list follows changes and leads to the product.
#[test]
fn the_list_follows_changes_and_leads_to_a_product() {
    let system = System::start(FEED);
    browse(Kind::Desktop, async |browser| {
        browser.goto(&system.page("/products?columns=name")).await;
        browser.shows(".count", "2 products").await;
        system.write("sku,name,description\np1,Pen,blue\ni1,Ink,\nq1,Quill,\n");
        browser.shows(".count", "3 products").await;
        browser.shows("tbody", "Quill").await;
        browser.click("tbody a[href='/products/q1']").await;
        browser.lands_on(&system.page("/products/q1")).await;
    });
}
