//! A headless Chromium with its own profile, driven through chromedriver. The methods are the actions of a person; they know
//! nothing of our pages.

use std::panic::{AssertUnwindSafe, resume_unwind};

use fantoccini::{
    Client, ClientBuilder, Locator,
    error::CmdError,
    key::Key,
    wd::{WebDriverCompatibleCommand, WindowHandle},
};
use futures_util::FutureExt;
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tributary_testkit::chromium::FLAGS;
use url::{ParseError, Url};

use crate::{reverse::NAME, until};

/// Environment variable with the address of chromedriver; set by `cargo xtask services`.
const WEBDRIVER: &str = "TRIBUTARY_E2E_WEBDRIVER";

/// A kind of browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// On a desktop.
    Desktop,
    /// On a phone that is 390 px wide, emulated because a headless window cannot be that narrow.
    Phone,
    /// On a desktop with JavaScript disabled.
    WithoutScripts,
}

/// An open browser. What is done and read happens in the tab in front.
#[derive(Debug, Clone)]
pub struct Browser {
    client: Client,
}

/// The colours that a person prefers.
#[derive(Debug, Clone, Copy)]
pub struct Colours {
    /// `light` or `dark`.
    pub scheme: &'static str,
    /// Whether the system's colours replace those of the page.
    pub are_forced: bool,
}

/// An open tab of a browser.
#[derive(Debug, Clone)]
pub struct Tab(WindowHandle);

/// Runs `test` with a browser, which is always closed in the end. A failed test prints the page that was open.
///
/// # Panics
/// The test panics, or no browser can be started.
pub fn browse(kind: Kind, test: impl AsyncFnOnce(Browser)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(async {
        let profile = tempfile::tempdir().expect("there is room for a profile");
        let browser = Browser::open(kind, &profile).await;
        let client = browser.client.clone();
        let outcome = AssertUnwindSafe(test(browser)).catch_unwind().await;
        if outcome.is_err() {
            // Must not panic, or the browser would stay open.
            let (url, page) = (client.current_url().await, client.source().await);
            eprintln!("the test failed at {url:?}, on this page:\n{}", page.unwrap_or_default());
        }
        let closed = client.close().await;
        match outcome {
            Ok(_) => closed.expect("the browser closes"),
            Err(panic) => resume_unwind(panic),
        }
    });
}

impl Browser {
    async fn open(kind: Kind, profile: &TempDir) -> Self {
        let webdriver = webdriver();
        let connected = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(kind, profile))
            .connect(&webdriver)
            .await;
        let client = connected.unwrap_or_else(|error| panic!("chromedriver at {webdriver} opens no browser: {error}"));
        Self { client }
    }

    /// Opens a page and waits until it is loaded.
    ///
    /// # Panics
    /// The browser does not answer, here and below.
    pub async fn goto(&self, url: &str) {
        self.client.goto(url).await.unwrap_or_else(|error| panic!("{url} opens: {error}"));
    }

    /// The tab in front.
    pub async fn tab(&self) -> Tab {
        Tab(self.client.window().await.expect("a browser has a tab"))
    }

    /// Opens a page in a new tab in front of the others, which are hidden then.
    pub async fn goto_in_new_tab(&self, url: &str) {
        self.goto_in_new(true, url).await;
    }

    /// Opens a page in a new window, which hides no other one.
    pub async fn goto_in_new_window(&self, url: &str) {
        self.goto_in_new(false, url).await;
    }

    async fn goto_in_new(&self, is_tab: bool, url: &str) {
        let opened = self.client.new_window(is_tab).await.expect("a tab can be opened");
        self.switch_to(&Tab(opened.handle)).await;
        self.goto(url).await;
    }

    /// Goes to a tab that is open.
    pub async fn switch_to(&self, tab: &Tab) {
        self.client.switch_to_window(tab.0.clone()).await.expect("the tab is open");
    }

    /// Gives the page this size, in pixels.
    pub async fn resize(&self, width: u32, height: u32) {
        // A window is larger than its page.
        let frame = self.run("return [outerWidth - innerWidth, outerHeight - innerHeight]").await;
        let frame: [u32; 2] = serde_json::from_value(frame).expect("a window has a size");
        let resized = self.client.set_window_size(width + frame[0], height + frame[1]).await;
        resized.expect("a window can be resized");
    }

    /// Shows pages as on a screen of this width, in pixels, with these colours.
    pub async fn show_as(&self, width: u32, colours: Colours) {
        let metrics = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        let feature = |name: &str, value: &str| json!({ "name": name, "value": value });
        let forced = if colours.are_forced { "active" } else { "none" };
        let features = [feature("prefers-color-scheme", colours.scheme), feature("forced-colors", forced)];
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Sends a command of the DevTools protocol.
    async fn devtools(&self, command: &'static str, parameters: Value) {
        self.client
            .issue_cmd(DevTools { command, parameters })
            .await
            .unwrap_or_else(|error| panic!("{command}: {error}"));
    }

    /// The page as a picture, in PNG.
    pub async fn photograph(&self) -> Vec<u8> {
        self.client.screenshot().await.expect("a page can be photographed")
    }

    /// The first element that `css` selects as a picture, in PNG.
    pub async fn photograph_of(&self, css: &str) -> Vec<u8> {
        let element = self.client.find(Locator::Css(css)).await.unwrap_or_else(|error| panic!("{css}: {error}"));
        element.screenshot().await.expect("an element can be photographed")
    }

    /// Returns the URL of the page.
    pub async fn url(&self) -> String {
        self.client.current_url().await.expect("a page has an address").into()
    }

    /// Waits until the page has this URL, after a click.
    pub async fn lands_on(&self, url: &str) {
        until(&format!("the browser lands on {url}"), async || (self.url().await == url).then_some(())).await;
    }

    /// Types into the field that `css` selects, after its present text.
    pub async fn write(&self, css: &str, text: &str) {
        let field = self.client.find(Locator::Css(css)).await.unwrap_or_else(|error| panic!("{css}: {error}"));
        field.send_keys(text).await.unwrap_or_else(|error| panic!("{css} can be written to: {error}"));
    }

    /// Presses a key in whatever has the focus.
    pub async fn press(&self, key: Key) {
        let focused = self.client.active_element().await.expect("a page has a focus");
        focused.send_keys(&char::from(key).to_string()).await.expect("a key can be pressed");
    }

    /// Types into whatever has the focus.
    pub async fn type_text(&self, text: &str) {
        let focused = self.client.active_element().await.expect("a page has a focus");
        focused.send_keys(text).await.unwrap_or_else(|error| panic!("{text:?} can be typed: {error}"));
    }

    /// Clicks the first element that `css` selects.
    pub async fn click(&self, css: &str) {
        let what = format!("{css} can be clicked");
        // An update of the page may replace the element, which then must be found again.
        until(&what, async || match self.client.find(Locator::Css(css)).await {
            Ok(button) => button.click().await.ok(),
            Err(_) => None,
        })
        .await;
    }

    /// Returns the text of the first element that `css` selects, as in the document; `None` if there is none.
    pub async fn text(&self, css: &str) -> Option<String> {
        self.property(css, "textContent").await
    }

    /// Returns the value of a field.
    pub async fn value(&self, css: &str) -> Option<String> {
        self.property(css, "value").await
    }

    /// Waits until the text of the first element that `css` selects contains `text`.
    pub async fn shows(&self, css: &str, text: &str) {
        until(&format!("{css} shows {text:?}"), async || {
            self.text(css).await.filter(|found| found.contains(text)).map(drop)
        })
        .await;
    }

    /// Runs a script in the page and returns its result.
    pub async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Runs a script in the page that calls its last argument with the result.
    pub async fn run_async(&self, script: &str) -> Value {
        self.client.execute_async(script, Vec::new()).await.unwrap_or_else(|error| panic!("a script: {error}"))
    }

    /// Whether an alert is open.
    pub async fn has_alert(&self) -> bool {
        match self.client.get_alert_text().await {
            Ok(_) => true,
            Err(error) if error.is_no_such_alert() => false,
            Err(error) => panic!("the browser says whether there is an alert: {error}"),
        }
    }

    /// Returns the console messages since the last call: script errors, violations of the content security policy, files that
    /// failed to load.
    pub async fn console(&self) -> Vec<String> {
        let log = self.client.issue_cmd(ConsoleLog).await.expect("chromedriver keeps the log");
        log.as_array().expect("a log is a list").iter().map(|entry| entry["message"].to_string()).collect()
    }

    async fn property(&self, css: &str, name: &str) -> Option<String> {
        let read = async || -> Result<Option<String>, CmdError> {
            self.client.find(Locator::Css(css)).await?.prop(name).await
        };
        match read().await {
            Ok(text) => text,
            // It does not exist, or no longer, for instance because the page was just left.
            Err(error) if error.is_no_such_element() || error.is_stale_element_reference() => None,
            Err(error) => panic!("{css} can be read: {error}"),
        }
    }
}

fn webdriver() -> String {
    std::env::var(WEBDRIVER)
        .unwrap_or_else(|_| panic!("{WEBDRIVER} is not set: run `cargo xtask services -- cargo test -p e2e`"))
}

fn capabilities(kind: Kind, profile: &TempDir) -> Map<String, Value> {
    let mut flags = FLAGS.map(str::to_owned).to_vec();
    flags.push(format!("--user-data-dir={}", profile.path().display()));
    // A name of the guide that nobody can own stands for this machine.
    flags.push(format!("--host-resolver-rules=MAP {NAME} 127.0.0.1"));
    let mut options = json!({ "args": flags });
    match kind {
        Kind::Desktop => {}
        Kind::Phone => {
            let metrics = json!({ "width": 390, "height": 844, "pixelRatio": 3, "mobile": true, "touch": true });
            options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
        }
        // 2 means "block".
        Kind::WithoutScripts => {
            options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
        }
    }
    let all = json!({ "acceptInsecureCerts": true, "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } });
    all.as_object().expect("it was written as an object").clone()
}

/// A command of the DevTools protocol, which chromedriver passes on.
#[derive(Debug)]
struct DevTools {
    command: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "cmd": self.command, "params": self.parameters }).to_string()))
    }
}

/// A command specific to chromedriver, which the client does not offer: the messages logged since the last call.
#[derive(Debug)]
struct ConsoleLog;

impl WebDriverCompatibleCommand for ConsoleLog {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}
