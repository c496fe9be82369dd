//! A headless Chromium, driven through chromedriver, that counts what a page makes it receive.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tributary_testkit::chromium::FLAGS;

use crate::bench::{client::Connection, python, waiting::until};

/// A page is loaded once it has received nothing for so long.
const SILENCE: Duration = Duration::from_secs(3);
const LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// `Chromium` and its version.
pub(super) fn version() -> Result<String> {
    python::version(Command::new("chromedriver").arg("--version"))
        .context("chromedriver is missing: `apt-get install chromium chromium-driver`")?;
    let printed = Command::new("chromium").arg("--version").output().context("`apt-get install chromium`")?;
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    Ok(printed.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

/// Received while a page was loaded.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Load {
    /// Answers over HTTP that are complete, and their bytes as sent, with headers.
    pub(super) answers: u64,
    pub(super) http: u64,
    /// Bytes of the messages of WebSockets.
    pub(super) websocket: u64,
}

/// Opens a page in a fresh browser, waits until `is_shown`, an expression in JavaScript, and then until nothing more comes.
pub(super) fn load(url: &str, is_shown: &str) -> Result<Load> {
    let mut browser = Browser::open()?;
    browser.ask("/url", &json!({ "url": url }))?;
    let script = json!({ "script": format!("return Boolean({is_shown})"), "args": [] });
    let what = format!("{url} shows what it is for");
    until(&what, LOOK_INTERVAL, || Ok((browser.ask("/execute/sync", &script)? == true).then_some(())))?;
    let (mut load, mut silent) = (Load::default(), Duration::ZERO);
    while silent < SILENCE {
        silent += LOOK_INTERVAL;
        thread::sleep(LOOK_INTERVAL);
        if load.add(&browser.ask("/se/log", &json!({ "type": "performance" }))?)? {
            silent = Duration::ZERO;
        }
    }
    Ok(load)
}

impl Load {
    /// Adds the events of a log. Returns whether anything was received.
    fn add(&mut self, log: &Value) -> Result<bool> {
        let before = self.http + self.websocket;
        for entry in log.as_array().context("chromedriver keeps no log")? {
            let message: Value = serde_json::from_str(entry["message"].as_str().context("an entry has no message")?)?;
            let event = &message["message"];
            match event["method"].as_str() {
                Some("Network.loadingFinished") => {
                    self.answers += 1;
                    self.http += event["params"]["encodedDataLength"].as_f64().unwrap_or_default() as u64;
                }
                Some("Network.webSocketFrameReceived") => {
                    let frame = &event["params"]["response"];
                    let text = frame["payloadData"].as_str().unwrap_or_default().len() as u64;
                    // Binary frames are shown in Base64.
                    self.websocket += if frame["opcode"] == 2 { text * 3 / 4 } else { text };
                }
                _ => {}
            }
        }
        Ok(self.http + self.websocket > before)
    }
}

/// chromedriver and its only browser. Both end when this is dropped.
struct Browser {
    driver: Child,
    /// It is there once the driver listens.
    connection: Option<Connection>,
    /// The path of the session, empty before there is one.
    session: String,
}

impl Browser {
    fn open() -> Result<Self> {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("failed to start chromedriver (`apt-get install chromium-driver`)")?;
        let lines = BufReader::new(driver.stdout.take().context("its output is piped")?).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        let mut browser = Self { driver, connection: None, session: String::new() };
        let port = port.context("chromedriver did not start")?;
        browser.connection = Some(Connection::open(&format!("http://127.0.0.1:{port}"))?);
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": FLAGS },
            "goog:loggingPrefs": { "performance": "ALL" },
        } } });
        let value = browser.ask("/session", &capabilities)?;
        browser.session = format!("/session/{}", value["sessionId"].as_str().context("chromedriver opens no session")?);
        Ok(browser)
    }

    /// Sends a command of WebDriver and returns its value.
    fn ask(&mut self, command: &str, body: &Value) -> Result<Value> {
        let (path, mut answer) = (format!("{}{command}", self.session), Vec::new());
        let connection = self.connection.as_mut().context("chromedriver is not connected")?;
        let status = connection.ask(&path, &body.to_string(), &mut answer)?;
        let text = String::from_utf8_lossy(&answer);
        ensure!(status == 200, "chromedriver answers {path} with {status}: {text}");
        let mut answer: Value = serde_json::from_str(&text).context("chromedriver does not answer with JSON")?;
        Ok(answer["value"].take())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.as_mut().filter(|_| !self.session.is_empty()) {
            // Or the browser would go on without its driver.
            let _ = connection.delete(&self.session);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
