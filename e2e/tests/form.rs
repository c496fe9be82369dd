//! `/`: a product is corrected by hand, looked up, and given back to the files.

use std::time::Duration;

use e2e::{Browser, Key, Kind, System, browse};

const FEED: &str = "sku,name,description\np1,Pen,blue\ni1,Ink,\"old, but good\"\n";

fn product(name: &str, description: &str) -> Option<(String, String)> {
    Some((name.to_owned(), description.to_owned()))
}

/// Fills in the form and submits it.
async fn correct(browser: &Browser, sku: &str, name: &str, description: &str) {
    browser.write("#sku", sku).await;
    browser.write("#name", name).await;
    browser.write("#description", description).await;
    browser.click("#submit").await;
}

#[test]
fn a_correction_is_shown_and_stored() {
    check_correction(Kind::Desktop);
}

#[test]
fn a_correction_needs_no_scripts() {
    check_correction(Kind::WithoutScripts);
}

fn check_correction(kind: Kind) {
    let system = System::start(FEED);
    browse(kind, async |browser| {
        let is_on = "data:text/html,<p>off</p><script>document.querySelector('p').textContent = 'on'</script>";
        browser.goto(is_on).await;
        let expect = if kind == Kind::WithoutScripts { "off" } else { "on" };
        assert_eq!(browser.text("p").await.as_deref(), Some(expect), "JavaScript");

        browser.goto(&system.page("/")).await;
        assert_eq!(browser.text("#product h2").await, None, "no sku was asked for yet");
        correct(&browser, "p1", "Fountain pen", "green, with a cap").await;
        browser.lands_on(&system.page("/?sku=p1")).await;
        browser.shows("#product h2", "p1").await;
        assert_eq!(browser.text("#product .name").await.as_deref(), Some("Fountain pen"));
        assert_eq!(browser.text("#product .description").await.as_deref(), Some("green, with a cap"));
        browser.shows("#product .offers", "Pen").await;
        browser.shows("#changes", "p1 was corrected by hand").await;
        assert_eq!(browser.value("#sku").await.as_deref(), Some("p1"));
        for field in ["#name", "#description"] {
            assert_eq!(browser.value(field).await.as_deref(), Some(""), "{field} is ready for the next correction");
        }
        assert_eq!(system.product("p1"), product("Fountain pen", "green, with a cap"));
        assert_eq!(system.product("i1"), product("Ink", "old, but good"), "the others are unchanged");
    });
}

/// Enter in the sku field used to save instead of looking up.
#[test]
fn enter_after_a_sku_looks_it_up_and_enter_after_a_name_saves() {
    for kind in [Kind::Desktop, Kind::WithoutScripts] {
        let system = System::start(FEED);
        browse(kind, async |browser| {
            browser.goto(&system.page("/")).await;
            browser.type_text("p1").await;
            browser.press(Key::Enter).await;
            browser.lands_on(&system.page("/?sku=p1")).await;
            browser.shows("#product .name", "Pen").await;
            assert_eq!(browser.text("[role=alert]").await, None);
            assert_eq!(system.product("p1"), product("Pen", "blue"), "nothing was saved");

            browser.goto(&system.page("/")).await;
            browser.type_text("p1").await;
            browser.press(Key::Tab).await;
            browser.type_text("Fountain pen").await;
            browser.press(Key::Enter).await;
            browser.lands_on(&system.page("/?sku=p1")).await;
            browser.shows("#product .name", "Fountain pen").await;
            assert_eq!(system.product("p1"), product("Fountain pen", "blue"));
        });
    }
}

#[test]
fn enter_in_the_sku_field_looks_up_and_keeps_what_was_typed() {
    let system = System::start(FEED);
    browse(Kind::Desktop, async |browser| {
        browser.goto(&system.page("/")).await;
        browser.click("#name").await;
        browser.type_text("Fountain pen").await;
        browser.click("#sku").await;
        browser.type_text("p1").await;
        browser.press(Key::Enter).await;
        browser.shows("#product .name", "Pen").await;
        assert_eq!(browser.value("#name").await.as_deref(), Some("Fountain pen"));
        assert_eq!(system.product("p1"), product("Pen", "blue"), "nothing was saved");
        browser.click("#submit").await;
        browser.shows("#product .name", "Fountain pen").await;
        assert_eq!(system.product("p1"), product("Fountain pen", "blue"));
    });
}

#[test]
fn blank_fields_stay_and_the_correction_can_be_undone() {
    let system = System::start(FEED);
    browse(Kind::Desktop, async |browser| {
        browser.goto(&system.page("/?sku=i1")).await;
        assert_eq!(browser.text("form.edit").await, None, "there is no correction yet");
        correct(&browser, "", "Iron gall ink", "").await;
        browser.shows("#product .name", "Iron gall ink").await;
        assert_eq!(system.product("i1"), product("Iron gall ink", "old, but good"));

        browser.click("form.edit button").await;
        browser.shows("#product .name", "Ink").await;
        browser.lands_on(&system.page("/?sku=i1")).await;
        assert_eq!(browser.text("form.edit").await, None, "the correction is gone");
        assert_eq!(system.product("i1"), product("Ink", "old, but good"));
    });
}

/// Deeds of the page of a product, done where it was looked up, and announced there.
#[test]
fn the_overview_empties_hides_and_creates() {
    for kind in [Kind::Desktop, Kind::WithoutScripts] {
        let system = System::start(FEED);
        browse(kind, async |browser| {
            browser.goto(&system.page("/?sku=i1")).await;
            browser.click("details.empties summary").await;
            browser.click("#empty-description").await;
            browser.click("#submit").await;
            browser.shows(".notice.saved[role=status]", "Saved.").await;
            browser.shows("#product .description", "no description").await;
            assert_eq!(system.product("i1"), product("Ink", ""));

            browser.click("form.hide button").await;
            browser.shows(".notice.saved[role=status]", "Hidden.").await;
            assert_eq!(system.product("i1"), None);
            browser.lands_on(&system.page("/?sku=i1")).await;
            browser.goto(&system.page("/?sku=i1")).await;
            assert_eq!(browser.text(".notice.saved").await, None, "it is said once");

            browser.goto(&system.page("/?sku=..")).await;
            browser.write("#name", "Dots").await;
            browser.click("#submit").await;
            browser.shows(".notice.saved[role=status]", "Created.").await;
            browser.shows("#product .name", "Dots").await;
        });
    }
}

#[test]
fn an_unknown_sku_is_an_error_and_nothing_typed_is_lost() {
    let system = System::start(FEED);
    browse(Kind::Desktop, async |browser| {
        browser.goto(&system.page("/")).await;
        let (name, description) = ("A \"quill\" & more", "\n  the first line was blank\nthe last is this");
        correct(&browser, "q/1 é", name, description).await;
        browser.shows("[role=alert]", "q/1 é").await;
        assert_eq!(browser.value("#sku").await.as_deref(), Some("q/1 é"));
        assert_eq!(browser.value("#name").await.as_deref(), Some(name));
        assert_eq!(browser.value("#description").await.as_deref(), Some(description));
        browser.shows("#product .notice", "No product with this SKU is shown").await;
        assert_eq!(system.product("q/1 é"), None, "no product was created");
        // The page is kept up to date, which begins a moment after it is shown.
        tokio::time::sleep(Duration::from_secs(1)).await;
        browser.shows("#product .notice", "No product with this SKU is shown").await;

        // Fixing the sku alone is enough.
        browser.run("document.querySelector('#sku').value = ''").await;
        browser.write("#sku", "p1").await;
        browser.click("#submit").await;
        browser.lands_on(&system.page("/?sku=p1")).await;
        assert_eq!(system.product("p1"), product(name, description));
    });
}

#[test]
fn markup_and_line_breaks_are_text() {
    let system = System::start(FEED);
    browse(Kind::Desktop, async |browser| {
        let name = "<b>\"Pen\"</b> & 'co'";
        let description =
            "<script>alert(1)</script> \"quoted\" & 'single' &amp;\n</textarea><img src=x onerror=alert(2)>\n\nend";
        browser.goto(&system.page("/")).await;
        correct(&browser, "p1", name, description).await;
        browser.lands_on(&system.page("/?sku=p1")).await;
        browser.shows("#product h2", "p1").await;
        assert!(!browser.has_alert().await);
        assert_eq!(browser.text("#product .name").await.as_deref(), Some(name));
        assert_eq!(browser.text("#product .description").await.as_deref(), Some(description));
        let within =
            browser.run("return document.querySelectorAll('#product script, #product img, #product b b').length");
        assert_eq!(within.await, 0, "none of it became an element");
        assert_eq!(browser.console().await, [""; 0]);
        // Stored with LF line ends, though browsers send CR LF.
        assert_eq!(system.product("p1"), product(name, description));
    });
}

/// Own columns of the catalog with the keyboard alone: a price is corrected, and the list is sorted and filtered by it.
#[test]
fn an_own_column_is_corrected_and_sorted_by() {
    let feed = "sku,name,price,brand\np1,Pen,9.50,Acme\np2,Ink,12,Bolt\np3,Nib,,Acme\n";
    let catalog = "[catalog]\ncolumns = [\"price\", { name = \"brand\", label = \"The brand\" }]\n";
    let system = System::configured(feed, catalog);
    for kind in [Kind::Desktop, Kind::WithoutScripts] {
        browse(kind, async |browser| {
            browser.goto(&system.page("/?sku=p1")).await;
            let placeholder = browser.text("#product .own").await.unwrap_or_default();
            assert!(placeholder.contains("Price") && placeholder.contains("The brand"), "{placeholder}");
            // From the sku over name and description to the price.
            browser.write("#sku", "").await;
            for _ in 0..3 {
                browser.press(Key::Tab).await;
            }
            browser.type_text("20.00").await;
            browser.press(Key::Enter).await;
            browser.shows("#product .own", "20.00").await;
            browser.shows("#product .offers", "9.50").await;

            browser.goto(&system.page("/products")).await;
            browser.click("th a[href*='sort=price']").await;
            browser.shows("th[aria-sort=ascending]", "Price").await;
            browser.click("th a[href*='sort=-price']").await;
            browser.shows("th[aria-sort=descending]", "Price").await;
            browser.shows("tbody tr:first-child", "p1").await;
            browser.click("summary").await;
            browser.write("[name=brand]", "Acme").await;
            browser.press(Key::Enter).await;
            browser.shows("h1", "The brand Acme").await;
            browser.shows("tbody tr:first-child", "p1").await;
            let rows = browser.text("tbody").await.unwrap_or_default();
            assert!(rows.contains("p3") && !rows.contains("p2"), "{rows}");
            assert_eq!(browser.console().await, [""; 0]);
        });
    }
}
