//! Files that cannot grow beyond a size: the write that would make them longer fails, be it the n-th of the write-ahead log, of the database,
//! of a fetched file, of sorted rows, of the cache or of an upload. So fails each of them in turn, until a version fits.

use tributary_testkit::{process::limit_file_size, wait};

use super::{configured, is_ready, said};
use crate::system::System;

const REPORT: &str = r#"
[[report]]
name = "by_name"
files = "**"
feed = true
group_by = "name"
metrics = { rows = "count()" }
"#;

/// Rows of the feed that is remembered and fetched to the spool, as it has more than 1 MiB.
const ROWS: u64 = 9_000;

fn feed(version: u64) -> String {
    let text = "x".repeat(110);
    (0..ROWS).fold("sku,name,description\n".to_owned(), |feed, row| {
        feed + &format!("s{row},Name {} {version},{text}\n", row % 50)
    })
}

struct Applied {
    names: Vec<String>,
    groups: usize,
}

impl Applied {
    fn of(system: &System) -> Self {
        let names = system.json("/api/v1/aggr?limit=1000")["items"].clone();
        let names = names.as_array().unwrap().iter().map(|row| {
            assert_eq!(row["no_of_products"], ROWS / 50, "half a version is shown: {names}");
            row["name"].as_str().unwrap().to_owned()
        });
        let rows = system.ask("GET", "/api/v1/reports/by_name?format=csv", "").text();
        Self { names: names.collect(), groups: rows.lines().skip(1).count() }
    }

    fn is(&self, version: u64) -> bool {
        let end = format!(" {version}");
        self.names.len() == 50 && self.names.iter().all(|name| name.ends_with(&end))
    }
}

fn is_down(system: &System) -> bool {
    system.json("/api/v1/sources")["items"][0]["state"] == "down"
}

#[test]
fn whichever_file_cannot_grow_costs_only_time() {
    let mut system = configured(System::new(), &feed(0));
    let toml = system.home().join("tributary.toml");
    std::fs::write(&toml, std::fs::read_to_string(&toml).unwrap() + REPORT).unwrap();
    system.start_master_that_warns();
    system.sync();
    let (mut failed, mut said_so, mut fitted) = (0, 0, 0);
    let mut limit = 0;
    for version in 1.. {
        limit_file_size(system.master_id(), Some(limit));
        system.write("a", "feed.csv", feed(version));
        let is_over = || {
            let has_failed = is_down(&system);
            (has_failed || Applied::of(&system).is(version)).then_some(has_failed)
        };
        let has_failed = wait::until(&format!("the version fails or is applied below {limit} bytes"), is_over);
        if has_failed {
            failed += 1;
            assert!(Applied::of(&system).is(version - 1), "the version before is shown as a whole");
            if !is_ready(&system) {
                said_so += 1;
                assert!(said(&system).contains("keeps its files from growing"));
            }
        } else {
            fitted += 1;
        }
        limit_file_size(system.master_id(), None);
        wait::until("it goes on by itself", || Applied::of(&system).is(version).then_some(()));
        wait::until("it is ready again", || (is_ready(&system) && !is_down(&system)).then_some(()));
        if fitted > 1 {
            break;
        }
        limit += (limit / 3).max(8 << 10);
    }
    let has_file = system.file().is_some();
    assert!(failed > 8 && (said_so > 2 || !has_file), "{failed} failed, of which {said_so} were said");
    wait::until("the report follows", || (Applied::of(&system).groups == 50).then_some(()));
}
