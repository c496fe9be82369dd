//! A master and two sources on hosts of their own, with a network in between that loses, delays and parts.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use e2e::{Hosts, Master};
use serde_json::Value;
use tempfile::TempDir;
use tributary_testkit::{process::Daemon, wait};

const TOKEN: &str = "5d1f2c0b9a8e7d6c5b4a39281706f5e4\n";
const HOSTS: [&str; 2] = ["north", "south"];
const PATIENCE: [&str; 2] = ["--patience", "5s"];

struct Stage {
    master: Master,
    hosts: Hosts,
    home: TempDir,
    _sources: Vec<Daemon>,
}

impl Stage {
    /// Two sources that hold version 1; none, with the reason on stderr, where there can be no hosts.
    fn start() -> Option<Self> {
        let hosts = match Hosts::start(&HOSTS) {
            Ok(hosts) => hosts,
            Err(why) => {
                eprintln!("skipped, because this machine allows no hosts: {why}");
                return None;
            }
        };
        let home = tempfile::tempdir().unwrap();
        let token = home.path().join("token");
        fs::write(&token, TOKEN).unwrap();
        let mut configuration = String::new();
        let mut sources = Vec::new();
        for host in HOSTS {
            fs::create_dir(home.path().join(host)).unwrap();
            write(home.path(), host, 1, 1_000);
            let source = hosts.serve(host, &home.path().join(host), &token, &PATIENCE);
            configuration +=
                &format!("[[source]]\nname = \"{host}\"\nurl = \"{}\"\ntoken_file = {token:?}\n", source.url);
            sources.push(source);
        }
        let master = Master::start(&configuration, &PATIENCE);
        let stage = Self { master, hosts, home, _sources: sources };
        HOSTS.iter().for_each(|host| stage.wait_for(host, 1));
        Some(stage)
    }

    fn write(&self, host: &str, version: usize, rows: usize) {
        write(self.home.path(), host, version, rows);
    }

    /// The version that all products of a host are of.
    fn version(&self, host: &str) -> usize {
        let products = self.master.products();
        let names: BTreeSet<_> =
            products.iter().filter(|(sku, _)| sku.starts_with(host)).map(|(_, (name, _))| name.as_str()).collect();
        let [name] = names.iter().collect::<Vec<_>>()[..] else { panic!("one version, and not {names:?}") };
        name.strip_prefix("Version ").unwrap().parse().unwrap()
    }

    fn source(&self, host: &str) -> Option<Value> {
        let sources = self.master.api("/api/v1/sources")?;
        sources["items"].as_array()?.iter().find(|source| source["name"] == host).cloned()
    }

    fn wait_for(&self, host: &str, version: usize) {
        wait::until(&format!("version {version} of {host}"), || {
            let is_up = self.source(host)?["state"] == "up";
            (is_up && self.version(host) == version).then_some(())
        });
    }

    /// Waits until a source is said to be down. Returns the reason.
    fn is_down(&self, host: &str) -> String {
        wait::until(&format!("{host} is down"), || {
            let source = self.source(host)?;
            (source["state"] == "down").then(|| source["error"].as_str().unwrap().to_owned())
        })
    }
}

/// Writes a feed at once, of some 200 bytes a row that cannot be packed. All its products have the version as their name.
fn write(home: &Path, host: &str, version: usize, rows: usize) {
    let folder = home.join(host);
    let mut random = version as u64;
    let mut feed = "sku,name,description\n".to_owned();
    for row in 0..rows {
        feed += &format!("{host}{row:05},Version {version},");
        for _ in 0..10 {
            // From Knuth's MMIX.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            feed += &format!("{random:016x}");
        }
        feed.push('\n');
    }
    fs::write(folder.join(".new"), feed).unwrap();
    fs::rename(folder.join(".new"), folder.join("feed.csv")).unwrap();
}

fn say(what: &str, took: Duration) {
    println!("{what}: {:.1} s", took.as_secs_f64());
}

#[test]
fn a_network_that_loses_and_delays_costs_only_time() {
    let Some(mut stage) = Stage::start() else { return };
    stage.hosts.disturb(0.05, 0.05);
    for version in 2..6 {
        let began = Instant::now();
        HOSTS.iter().for_each(|host| stage.write(host, version, 1_000));
        HOSTS.iter().for_each(|host| stage.wait_for(host, version));
        say("two versions of 200 KiB with 5 % loss and 100 ms there and back", began.elapsed());
    }
    for host in HOSTS {
        assert_eq!(stage.source(host).unwrap()["error"], Value::Null);
    }
}

#[test]
fn a_host_that_is_parted_stops_no_other_and_comes_back_by_itself() {
    let Some(mut stage) = Stage::start() else { return };
    let began = Instant::now();
    stage.hosts.part("north");
    stage.write("north", 2, 1_000);
    stage.write("south", 2, 1_000);
    stage.wait_for("south", 2);
    say("the other host goes on after", began.elapsed());
    let why = stage.is_down("north");
    assert!(why.contains("timed out") || why.contains("cannot be reached"), "{why}");
    say(&format!("said after ({why})"), began.elapsed());
    stage.write("south", 3, 1_000);
    stage.wait_for("south", 3);
    assert_eq!(stage.version("north"), 1, "what was applied stays");
    let began = Instant::now();
    stage.hosts.join("north");
    stage.wait_for("north", 2);
    say("right after the network is back", began.elapsed());
}

#[test]
fn a_transfer_whose_other_end_is_gone_is_let_go_by_both() {
    let Some(mut stage) = Stage::start() else { return };
    stage.hosts.disturb(0.0, 0.1);
    stage.write("north", 2, 60_000);
    wait::until("the transfer is under way", || {
        let running = &stage.source("north")?["running"];
        running["bytes"].as_u64().filter(|bytes| *bytes > 100_000).map(drop)
    });
    let began = Instant::now();
    stage.hosts.part("north");
    let why = stage.is_down("north");
    say(&format!("the master lets go after ({why})"), began.elapsed());
    assert!(why.contains("feed.csv: the body is too slow"), "{why}");
    // A connection of which the kernel still sends what is left is no longer an established one.
    wait::until("the source lets go", || stage.hosts.connections("north").is_empty().then_some(()));
    say("the source lets go after", began.elapsed());
    assert_eq!(stage.version("north"), 1);
    let began = Instant::now();
    stage.hosts.join("north");
    stage.wait_for("north", 2);
    say("right after the network is back", began.elapsed());
}
