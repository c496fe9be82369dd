//! The main job, feature by feature.

use std::{fs, io::Write};

use tributary_testkit::{faulty::FaultySource, process};

use crate::system::{Aggr, Products, System};

fn products(rows: &[(&str, &str, &str)]) -> Products {
    rows.iter().map(|(sku, name, description)| ((*sku).into(), ((*name).into(), (*description).into()))).collect()
}

fn aggr(rows: &[(&str, i64)]) -> Aggr {
    rows.iter().map(|(name, count)| ((*name).into(), *count)).collect()
}

/// Two served sources with a file each.
fn two_sources(north: &str, south: &str) -> System {
    let mut system = System::new();
    system.write("north", "feed.csv", north);
    system.write("south", "feed.csv", south);
    system.serve("north");
    system.serve("south");
    system.configure_sources(&[("north", ""), ("south", "")]);
    system
}

#[test]
fn two_folders_become_products_and_aggr() {
    let system = two_sources(
        "name,sku,description\nPen,p1,blue\nPen,p2,\"red,\n\"\"fine\"\"\"\nInk,i1,old\n",
        "sku,name\ni1,Ink\nn1,Nib\n",
    );
    let summary = system.once_ok();
    // `i1` is updated if south comes in last, and passed over if it comes in first.
    assert!(summary.contains("; 4 products (+4 ") && summary.contains("3 names, 0 rows rejected"), "{summary}");
    assert_eq!(
        system.products(),
        products(&[("i1", "Ink", ""), ("n1", "Nib", ""), ("p1", "Pen", "blue"), ("p2", "Pen", "red,\n\"fine\"")])
    );
    assert_eq!(system.aggr(), aggr(&[("Ink", 1), ("Nib", 1), ("Pen", 2)]));
    let winner = system.table("products").into_iter().find(|row| row["sku"] == "i1").unwrap();
    assert_eq!((winner["source"].as_str(), winner["file"].as_str()), (Some("south"), Some("feed.csv")));
    let again = system.once_ok();
    assert!(again.contains("0 files read") && again.contains("(+0 ~0 -0)"), "{again}");
}

#[test]
fn the_last_good_row_of_a_file_counts_and_a_later_path_wins() {
    let system = two_sources("sku,name\na,one\na,two\n", "sku,name\nb,x\n");
    system.write("north", "z/late.csv", "sku,name\nb,never: south comes after north\nc,late\n");
    system.write("north", "feed2.csv", "sku,name\nc,early\n");
    system.once_ok();
    assert_eq!(system.products(), products(&[("a", "two", ""), ("b", "x", ""), ("c", "late", "")]));
}

#[test]
fn priority_decides_and_may_change() {
    let system = two_sources("sku,name\na,north\n", "sku,name\na,south\nb,south\n");
    for (north, south, winner) in [(0, 0, "south"), (1, 0, "north"), (0, 0, "south"), (-1, -2, "north")] {
        let lines = [format!("priority = {north}"), format!("priority = {south}")];
        system.configure_sources(&[("north", &lines[0]), ("south", &lines[1])]);
        system.once_ok();
        assert_eq!(system.products(), products(&[("a", winner, ""), ("b", "south", "")]));
        assert_eq!(system.aggr().values().sum::<i64>(), 2);
    }
    system.configure_sources(&[("south", ""), ("north", "")]);
    system.once_ok();
    assert_eq!(system.products()["a"].0, "north", "the later position wins");
}

#[test]
fn op_takes_a_sku_away_until_it_is_gone() {
    let system = two_sources("sku,name\na,x\nb,y\n", "sku,name,op\na,, Delete\nb,why,UPSERT\n");
    system.once_ok();
    assert_eq!(system.products(), products(&[("b", "why", "")]));
    system.write("south", "feed.csv", "sku,name,op\nb,why,\n");
    system.once_ok();
    assert_eq!(system.products(), products(&[("a", "x", ""), ("b", "why", "")]));
}

#[test]
fn columns_are_mapped_and_a_changed_mapping_reads_again() {
    let system = two_sources("Item code,sku,name\nA1,wrong,Pen\n", "sku,name\n");
    system.configure_sources(&[("north", "columns = { sku = \" item CODE \" }"), ("south", "")]);
    system.once_ok();
    assert_eq!(system.products(), products(&[("A1", "Pen", "")]));
    system.configure_sources(&[("north", ""), ("south", "")]);
    let summary = system.once_ok();
    assert!(summary.contains("1 files read"), "{summary}");
    assert_eq!(system.products(), products(&[("wrong", "Pen", "")]));
    // A mapping that the file does not satisfy rejects it; the rows of the last reading stay.
    system.configure_sources(&[("north", "columns = { sku = \"none\" }"), ("south", "")]);
    assert_eq!(system.once().status.code(), Some(1));
    assert_eq!(system.products(), products(&[("wrong", "Pen", "")]));
}

#[test]
fn packed_files_are_unpacked_while_reading() {
    let mut system = System::new();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(b"sku,name\ng,Gzip\n").unwrap();
    system.write("north", "a.CSV.GZ", gz.finish().unwrap());
    system.write("north", "b.tsv.zst", zstd::encode_all(&b"sku\tname\nz\tZstd\n"[..], 3).unwrap());
    system.serve("north");
    system.configure_sources(&[("north", "")]);
    system.once_ok();
    assert_eq!(system.products(), products(&[("g", "Gzip", ""), ("z", "Zstd", "")]));
}

#[test]
fn names_of_files_may_be_anything() {
    let mut system = System::new();
    let paths = ["a b/50% #1?.csv", "tab\tand\nline.csv", "Größe.CSV", "q=1&x=%2F.txt", "\u{1f600}.tsv"];
    for (row, path) in paths.iter().enumerate() {
        system.write("north", path, format!("sku\tname\ns{row}\t{row}\n"));
    }
    system.serve("north");
    system.configure_sources(&[("north", "")]);
    system.once_ok();
    assert_eq!(system.products().len(), paths.len());
}

#[test]
fn a_file_that_is_touched_during_a_pass_is_waited_for() {
    let system = two_sources(&format!("sku,name\n{}", "a,b\n".repeat(200_000)), "sku,name\n");
    let path = system.folder("north").join("feed.csv");
    system.settle("north");
    system.settle("south");
    // The next answers are 412 until the file has settled again.
    fs::File::options().append(true).open(&path).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
    let output = system.run("master", &["--once"]);
    assert!(output.status.success(), "{}", process::stdout(&output));
    assert_eq!(system.products(), products(&[("a", "b", "")]));
}

#[test]
fn a_link_that_leads_nowhere_is_no_empty_configuration() {
    let system = two_sources("sku,name\na,x\n", "sku,name\n");
    system.once_ok();
    let toml = system.home().join("tributary.toml");
    fs::remove_file(&toml).unwrap();
    std::os::unix::fs::symlink("gone.toml", &toml).unwrap();
    assert_eq!(system.run("master", &["--once"]).status.code(), Some(2));
    assert_eq!(system.products().len(), 1, "nothing was dropped");
}

#[test]
fn removed_files_and_sources_take_their_rows_with_them() {
    let system = two_sources("sku,name\na,north\nb,b\n", "sku,name\na,south\n");
    system.once_ok();
    fs::remove_file(system.folder("south").join("feed.csv")).unwrap();
    let summary = system.once_ok();
    assert!(summary.contains("1 removed"), "{summary}");
    assert_eq!(system.products(), products(&[("a", "north", ""), ("b", "b", "")]));
    system.configure_sources(&[("south", "")]);
    let output = system.run("master", &["--once", "--drop-sources", "north"]);
    assert!(output.status.success());
    assert!(process::stderr(&output).contains("dropped its 2 offers"), "{}", process::stderr(&output));
    assert!(process::stdout(&output).contains("0 products (+0 ~0 -2)"), "{}", process::stdout(&output));
    assert_eq!((system.products(), system.aggr()), (Products::new(), Aggr::new()));
}

#[test]
fn a_source_that_is_down_keeps_its_rows() {
    let mut system = two_sources("sku,name\na,north\n", "sku,name\nb,south\n");
    system.once_ok();
    let url = system.url("north").to_owned();
    system.configure(&format!(
        "[[source]]\nname = \"north\"\nurl = \"{url}\"\n[[source]]\nname = \"south\"\nurl = \"{}\"\n",
        system.url("south")
    ));
    system.stop("north");
    system.write("south", "feed.csv", "sku,name\nb,changed\n");
    let output = system.once();
    assert_eq!(output.status.code(), Some(1));
    assert!(process::stdout(&output).contains("north is down"), "{}", process::stdout(&output));
    assert_eq!(system.products(), products(&[("a", "north", ""), ("b", "changed", "")]));
    let states: Vec<_> = system.table("sources").iter().map(|row| row["state"].as_str().unwrap().to_owned()).collect();
    assert_eq!(states, ["down", "up"]);
}

#[test]
fn any_program_that_serves_sense_and_read_is_a_source() {
    let foreign = FaultySource::plain("sku,name\na,foreign\n");
    let system = System::new();
    system.configure(&format!("[[source]]\nname = \"foreign\"\nurl = \"{}\"\n", foreign.url));
    system.once_ok();
    assert_eq!(system.products(), products(&[("a", "foreign", "")]));
    assert_eq!(system.table("files")[0]["path"], "read.csv");
    assert!(system.once_ok().contains("0 files read"), "the same body is not read again");
    foreign.answer("/sense", tributary_testkit::faulty::Answer::json(r#"{"status":0}"#));
    foreign.answer("/read", tributary_testkit::faulty::Answer::csv("sku,name\na,changed\n"));
    system.once_ok();
    assert_eq!(system.products(), products(&[("a", "changed", "")]), "it is read without asking");
}

#[test]
fn flags_name_sources_and_no_source_is_allowed() {
    let mut system = System::new();
    system.write("north", "feed.csv", "sku,name\na,x\n");
    let url = system.serve("north");
    system.settle("north");
    let database = system.database_flag();
    let output = system.run("master", &["--once", "--source", &format!("n={url}"), "--database-url", &database]);
    assert!(output.status.success(), "{}", process::stderr(&output));
    assert_eq!(system.table("sources")[0]["name"], "n");
    let output = system.run("master", &["--once", "--drop-sources", "all"]);
    assert!(output.status.success());
    assert!(system.products().is_empty(), "a source that is no longer configured goes");
}

#[test]
fn wrong_usage_exits_with_2() {
    let system = System::new();
    assert_eq!(system.run("master", &["--wrong"]).status.code(), Some(2));
    assert_eq!(system.run("master", &["--once", "--config", "none.toml"]).status.code(), Some(2));
    system.configure("[[source]]\nname = \"n\"\n");
    let output = system.run("master", &["--once"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(process::stderr(&output).contains("tributary.toml, line 1"), "{}", process::stderr(&output));
    system.configure("");
    assert!(system.run("master", &["--once"]).status.success());
    assert!(process::stdout(&system.run("master", &["--help"])).contains("--poll-interval"));
}
