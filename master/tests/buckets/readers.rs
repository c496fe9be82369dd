//! Reports over a bucket: each object is sent once, however many read it.

use super::*;

#[test]
fn an_object_is_sent_once_for_all_reports() {
    let reports: String = ["x", "y", "z"]
        .map(|name| format!("[[report]]\nname = \"{name}\"\nfiles = \"*.csv\"\nmetrics = {{ {name} = \"sum(n)\" }}\n"))
        .concat();
    let mut world = World::new("", &reports);
    for number in 0..20 {
        world.put(&format!("{number}.csv"), format!("n\n{number}\n"));
    }
    world.system.start_master(&[]);
    let total = |name: &str| world.system.json(&format!("/api/v1/reports/{name}"))["items"][0][name].to_string();
    wait::until("the totals", || {
        ["x", "y", "z"].iter().all(|name| total(name).trim_matches('"') == "190").then_some(())
    });
    assert_eq!(world.bucket.count("GET"), 20);
    world.put("3.csv", "n\n100\n");
    wait::until("the totals", || {
        ["x", "y", "z"].iter().all(|name| total(name).trim_matches('"') == "287").then_some(())
    });
    assert_eq!(world.bucket.count("GET"), 21);
    let spool = world.system.beside("spool");
    wait::until("nothing is kept", || (std::fs::read_dir(&spool).unwrap().count() == 0).then_some(()));
}

#[test]
fn times_rank_files_if_they_are_to() {
    let mut world = World::new("", "[[source.format]]\norder = \"modified\"\n");
    world.put("a.csv", "sku,name\nk,A\n");
    world.put("b.csv", "sku,name\nk,B\n");
    world.bucket.touch("in/a.csv", "2026-11-30T07:00:00.000Z");
    world.system.start_master(&[]);
    let name = || world.system.products().get("k").map(|(name, _)| name.clone());
    wait::until("the later one wins", || (name().as_deref() == Some("A")).then_some(()));
    world.bucket.touch("in/b.csv", "2026-11-30T08:00:00.000Z");
    wait::until("the later one wins", || (name().as_deref() == Some("B")).then_some(()));
    assert_eq!(world.bucket.count("GET"), 2, "no content has changed");
}
