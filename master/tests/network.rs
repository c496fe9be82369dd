//! A network that fails between the programs: whatever it does to the bytes, a table is the one before or the one after a change, and all is
//! right once the network is.

mod clients;
mod named;
mod random;
mod still;

use serde_json::Value;
use tributary_testkit::{proxy::Proxy, wait};

use crate::system::System;

/// Products of a version.
const ROWS: usize = 300;
/// Sums what only a report reads, so that it is computed at the source.
const REPORT: &str = r#"
[[report]]
name = "sums"
files = "sales*.csv"
metrics = { rows = "count()", pieces = "sum(pieces)" }
"#;

/// A master and sources, between which there is a proxy each.
struct Stage {
    system: System,
    proxies: Vec<(String, Proxy)>,
}

impl Stage {
    /// Serves version 1 of these sources, and waits until it is shown.
    fn start(sources: &[&str], arguments: &[&str]) -> Self {
        let mut system = System::new();
        let mut proxies = Vec::new();
        let mut configuration = REPORT.to_owned();
        for source in sources {
            write(&system, source, 1);
            let proxy = Proxy::start(&system.serve(source));
            configuration += &format!("[[source]]\nname = \"{source}\"\nurl = \"{}\"\n", proxy.url);
            proxies.push(((*source).to_owned(), proxy));
        }
        system.configure(&configuration);
        system.start_master(arguments);
        let stage = Self { system, proxies };
        for source in sources {
            stage.wait_for(source, 1);
        }
        stage
    }

    fn proxy(&self, source: &str) -> &Proxy {
        &self.proxies.iter().find(|(name, _)| name == source).unwrap().1
    }

    fn write(&self, source: &str, version: usize) {
        write(&self.system, source, version);
    }

    /// The version of a source that its products are of, which all of them must be.
    #[track_caller]
    fn version(&self, source: &str) -> Option<usize> {
        let products = self.system.json("/api/v1/products?limit=10000");
        let items = products["items"].as_array().unwrap().iter();
        let of_source = items.filter(|item| item["sku"].as_str().unwrap().starts_with(source));
        let names: Vec<_> = of_source.map(|item| item["name"].as_str().unwrap().to_owned()).collect();
        let version = names.first()?.strip_prefix("Version ")?.parse().ok();
        assert!(
            names.len() == ROWS && names.iter().all(|name| *name == names[0]),
            "{} products: {names:?}",
            names.len()
        );
        version
    }

    /// Rows and pieces of the report, over all sources.
    fn sums(&self) -> Option<(u64, u64)> {
        let answer = self.system.ask("GET", "/api/v1/reports/sums", "");
        let report: Value = serde_json::from_slice(&answer.body).ok()?;
        let row = &report["items"][0];
        Some((number(&row["rows"])?, number(&row["pieces"])?))
    }

    /// The API's words on a source.
    fn told(&self, source: &str) -> Value {
        let sources = self.system.json("/api/v1/sources");
        let mut items = sources["items"].as_array().unwrap().iter();
        items.find(|item| item["name"] == source).unwrap().clone()
    }

    fn wait_for(&self, source: &str, version: usize) {
        wait::until(&format!("version {version} of {source}"), || {
            (self.version(source) == Some(version) && self.told(source)["state"] == "up").then_some(())
        });
    }
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// A version of a source: all its products have the number as their name, and all its sales as their pieces.
fn write(system: &System, source: &str, version: usize) {
    let products: String = (0..ROWS).map(|row| format!("{source}{row:04},Version {version}\n")).collect();
    let sales: String = (0..ROWS).map(|_| format!("{version}\n")).collect();
    for (path, content) in [("feed.csv", format!("sku,name\n{products}")), ("sales.csv", format!("pieces\n{sales}"))] {
        let folder = system.folder(source);
        // At once, so that no half of it is offered.
        std::fs::write(folder.join(".new"), content).unwrap();
        std::fs::rename(folder.join(".new"), folder.join(path)).unwrap();
    }
}
