//! Changes under a report: files, sources, and what is declared. After each change the totals are what a recount of the
//! folders gives.

use std::fs;

use serde_json::{Value, json};
use tributary_config::report_reader;
use tributary_testkit::http;

use super::{
    configure,
    model::{ALL, ALL_NO_FEEDS, KINDS, SALES, SALES_OTHERWISE, SALES_RENAMED, Spec, contents},
    wait_for,
};
use crate::system::System;

const FIRST: &str = "sku,name,kind,dept,n\n1,A,x,toys,5\n2,B,y,books,7\n3,C,z,toys,1\n";
const SECOND: &str =
    "n,dept,kind,name,sku\n3,toys,x,A,1\n,toys,x,D,4\nx,toys,x,E,5\n9,,x,F,6\n-1,books,y,G,7\n8,books\n";
const BAD: &str = "sku,name,kind,department,number\n1,Z,x,toys,100\n";

/// Sources with data-sources, reports, and what of the files counts that are not what they should be.
struct World {
    system: System,
    sources: Vec<&'static str>,
    specs: Vec<Spec>,
}

impl World {
    fn new(sources: &[&'static str], specs: &[Spec], files: &[(&str, &str, &str)]) -> Self {
        let mut system = System::new();
        files.iter().for_each(|(source, path, content)| system.write(source, path, content));
        sources.iter().for_each(|source| drop(system.serve(source)));
        let mut world = Self { system, sources: sources.to_vec(), specs: specs.to_vec() };
        world.restart();
        world
    }

    /// Starts the master anew with the sources and reports as they are now. Sources that are gone are given up.
    fn restart(&mut self) {
        self.system.kill_master();
        let sections: String = self.specs.iter().map(Spec::section).collect();
        configure(&self.system, &self.sources, &sections);
        self.system.start_master(&["--drop-sources", "all"]);
    }

    /// Every report is what its files come to; of those that are rejected, what they held `before`.
    #[track_caller]
    fn check_with(&self, before: &[(&str, &str, &str)]) {
        for spec in &self.specs {
            let mut counted = Vec::new();
            for source in &self.sources {
                for (path, content) in contents(&self.system.folder(source)) {
                    let old = before.iter().find(|(of, old, _)| (of, *old) == (source, path.as_str()));
                    let content = if spec.rejects(&content) { old.map(|old| old.2.into()) } else { Some(content) };
                    counted.extend(content.filter(|_| (spec.claims)(&path)));
                }
            }
            wait_for(&self.system, spec.name, &spec.rows(&counted));
        }
    }

    #[track_caller]
    fn check(&self) {
        self.check_with(&[]);
    }

    fn products(&self) -> Vec<String> {
        self.system.sync();
        self.system.products().into_keys().collect()
    }

    /// Partials that the sources have computed from files so far.
    fn computed(&self) -> u64 {
        self.sources.iter().map(|source| computed(self.system.url(source))).sum()
    }
}

/// The number of partials that a data-source has computed from files.
pub(crate) fn computed(url: &str) -> u64 {
    let (_, body) = http::get(&format!("{url}/metrics")).unwrap();
    let text = String::from_utf8(body).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("tributary_source_partials_total ")).unwrap();
    line.parse().unwrap()
}

#[test]
fn files_change_go_come_and_are_renamed() {
    let files = [("north", "sales.csv", FIRST), ("south", "more_sales.csv", SECOND), ("south", "b.csv", FIRST)];
    let world = World::new(&["north", "south"], &[SALES, ALL, KINDS], &files);
    world.check();
    world.system.write("north", "sales.csv", SECOND);
    world.check();
    let south = world.system.folder("south");
    fs::rename(south.join("b.csv"), south.join("bsales.csv")).unwrap();
    world.check();
    fs::rename(south.join("bsales.csv"), south.join("c.txt")).unwrap();
    world.check();
    fs::remove_file(south.join("more_sales.csv")).unwrap();
    world.check();
    world.system.write("north", "sales.csv", "sku,name,kind,dept,n\n");
    world.check();
    world.system.write("north", "sales.csv", FIRST);
    fs::remove_file(south.join("c.txt")).unwrap();
    world.check();
    fs::remove_file(world.system.folder("north").join("sales.csv")).unwrap();
    world.check();
}

#[test]
fn a_rejected_file_keeps_its_last_partial_until_it_is_mended() {
    let files = [("north", "sales.csv", FIRST), ("north", "b_sales.csv", SECOND)];
    let mut world = World::new(&["north"], &[SALES], &files);
    world.check();
    world.system.write("north", "b_sales.csv", BAD);
    world.system.write("north", "sales.csv", SECOND);
    world.check_with(&files[1..]);
    let rejects = world.system.json("/api/v1/rejects?report=sales");
    let of_file = |reject: &&Value| reject["reason"].as_str().unwrap().starts_with("the file is rejected");
    let of_file: Vec<_> = rejects["items"].as_array().unwrap().iter().filter(of_file).collect();
    assert_eq!(of_file.len(), 1, "{rejects}");
    assert_eq!(of_file[0]["file"], "b_sales.csv");
    world.restart();
    world.check_with(&files[1..]);
    // Back to what is accepted, which is not computed again.
    let before = world.computed();
    world.system.write("north", "b_sales.csv", SECOND);
    world.system.write("north", "sales.csv", FIRST);
    world.check();
    assert!(world.computed() <= before + 1);
    assert!(!world.system.json("/api/v1/rejects?report=sales").to_string().contains("the file is rejected"));
    world.system.write("north", "b_sales.csv", BAD);
    world.check_with(&files[1..]);
    fs::remove_file(world.system.folder("north").join("b_sales.csv")).unwrap();
    world.check();
}

#[test]
fn claims_change_with_the_configuration_and_products_with_them() {
    let files =
        [("north", "sales.csv", FIRST), ("north", "a_sales.csv", SECOND), ("north", "feed.csv", "sku,name,n\n9,F,1\n")];
    let mut world = World::new(&["north"], &[SALES], &files);
    world.check();
    assert_eq!(world.products(), ["9"]);
    world.specs = vec![SALES_OTHERWISE];
    world.restart();
    world.check();
    assert_eq!(world.products(), ["1", "4", "5", "6", "7", "9"]);
    world.specs = vec![SALES, ALL];
    world.restart();
    world.check();
    assert_eq!(world.products(), ["9"]);
    world.specs = vec![ALL];
    world.restart();
    world.check();
    assert_eq!(world.products(), ["1", "2", "3", "4", "5", "6", "7", "9"]);
    world.specs = vec![ALL_NO_FEEDS];
    world.restart();
    world.check();
    assert!(world.products().is_empty());
    world.specs.clear();
    world.restart();
    assert_eq!(world.products().len(), 8);
}

#[test]
fn a_report_that_goes_takes_its_table_and_comes_again() {
    let mut world = World::new(&["north"], &[SALES, KINDS], &[("north", "sales.csv", FIRST)]);
    world.check();
    world.specs = vec![KINDS];
    world.restart();
    world.check();
    assert_eq!(world.system.ask("GET", "/api/v1/reports/sales", "").status, 404);
    assert_eq!(world.system.json("/api/v1/rejects?report=sales")["items"], json!([]));
    let mut store = world.system.store();
    assert_eq!(store.report_names().unwrap(), ["kinds"]);
    assert!(store.stored_report("sales").unwrap().is_none());
    world.system.write("north", "sales.csv", SECOND);
    world.specs = vec![KINDS, SALES];
    world.restart();
    world.check();
}

#[test]
fn metrics_that_are_only_renamed_cost_no_reading() {
    let files = [("north", "sales.csv", FIRST), ("south", "sales.csv", SECOND)];
    let mut world = World::new(&["north", "south"], &[SALES], &files);
    world.check();
    let before = world.computed();
    assert_eq!(before, 2);
    // Not even the sources have to be there.
    world.system.stop("south");
    world.system.serve("south");
    let url = world.system.url("south").to_owned();
    world.specs = vec![SALES_RENAMED];
    world.restart();
    world.check();
    assert_eq!((world.computed(), computed(&url)), (1, 0));
}

#[test]
fn old_rows_stay_while_a_source_is_down_that_has_to_be_read_again() {
    let files = [("north", "sales.csv", FIRST), ("south", "sales.csv", SECOND)];
    let mut world = World::new(&["north", "south"], &[SALES], &files);
    world.check();
    let old = SALES.rows(&[FIRST.into(), SECOND.into()]);
    let url = world.system.url("south").to_owned();
    let configured = |world: &World, specs: &[Spec]| {
        let north = format!("[[source]]\nname = \"north\"\nurl = \"{}\"\n", world.system.url("north"));
        let south = format!("[[source]]\nname = \"south\"\nurl = \"{url}\"\n");
        world.system.configure(&(north + &south + &specs.iter().map(Spec::section).collect::<String>()));
    };
    world.system.kill_master();
    world.system.stop("south");
    configured(&world, &[SALES_OTHERWISE]);
    world.system.start_master(&[]);
    tributary_testkit::wait::until("north is computed anew", || {
        (computed(world.system.url("north")) == 2).then_some(())
    });
    // More than enough for the totals to be written, if they were to be.
    world.system.write("north", "sales_2.csv", FIRST);
    tributary_testkit::wait::until("north is computed again", || {
        (computed(world.system.url("north")) == 3).then_some(())
    });
    wait_for(&world.system, "sales", &old);
    world.system.serve("south");
    world.specs = vec![SALES_OTHERWISE];
    world.restart();
    world.check();
}

#[test]
fn the_share_of_a_source_goes_with_it() {
    let files = [("north", "sales.csv", FIRST), ("south", "sales.csv", SECOND)];
    let mut world = World::new(&["north", "south"], &[SALES, ALL], &files);
    world.check();
    world.sources = vec!["south"];
    world.restart();
    world.check();
    world.sources = vec!["north"];
    world.restart();
    world.check();
}

/// South is new when the report changes, and is computed while north, which is down, keeps the totals from being written.
#[test]
fn the_share_of_a_source_goes_with_it_though_another_one_wrote_the_totals() {
    let mut world = World::new(&["north"], &[SALES], &[("north", "sales.csv", FIRST), ("south", "sales.csv", SECOND)]);
    world.check();
    world.system.serve("south");
    let south = world.system.url("south").to_owned();
    world.system.kill_master();
    world.specs = vec![SALES_OTHERWISE];
    world.sources = vec!["north", "south"];
    configure(&world.system, &world.sources, &SALES_OTHERWISE.section());
    let north = world.system.url("north").to_owned();
    world.system.stop("north");
    world.system.start_master(&[]);
    tributary_testkit::wait::until("south is stored", || {
        let mut store = world.system.store();
        (computed(&south) == 1 && store.files_of_reader(&report_reader("sales")).unwrap().len() == 2).then_some(())
    });
    world.system.serve_at("north", &north);
    world.check();
    world.sources = vec!["north"];
    world.restart();
    world.check();
}
