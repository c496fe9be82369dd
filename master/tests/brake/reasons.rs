//! Counts of held versions, and the causes that they name.

use tributary_testkit::{process, wait};

use super::{feed, held, system};

/// Rows `dN,,delete` that name no product of the source.
fn deletes(count: usize) -> String {
    (0..count).map(|n| format!("d{n},,delete\n")).collect()
}

/// A file without the `delete` rows of the one before was held, although no product went.
#[test]
fn rows_that_delete_may_go_without_a_word() {
    let system = system("");
    let rows = |count: usize| (0..count).fold("sku,name,op\n".to_owned(), |feed, n| feed + &format!("a{n},a {n},\n"));
    system.write("north", "feed.csv", rows(50) + &deletes(101));
    system.once_ok();
    system.write("north", "feed.csv", rows(60));
    system.once_ok();
    assert_eq!(system.products().len(), 60);
}

/// The reason said that the file lacked the skus, and the rejects were stored nowhere.
#[test]
fn rejects_that_take_skus_away_are_the_cause() {
    let system = system("");
    system.once_ok();
    let rows = feed("a", 300);
    let broken: String =
        rows.lines().enumerate().map(|(n, row)| format!("{row}{}\n", if n > 110 { ",x" } else { "" })).collect();
    system.write("north", "feed.csv", broken);
    let summary = held(&system, 300);
    let cause = "feed.csv lacks 190 of its skus, and 190 of its 300 rows are rejects, the first in line 112: 3 fields where the header has 2";
    assert!(summary.contains(cause), "{summary}");
}

/// The reason said that the file was gone, or that it lacked skus, though only the configuration had changed.
#[test]
fn a_change_of_the_configuration_is_the_cause() {
    let system = system("");
    system.once_ok();
    system.configure_sources(&[("north", "exclude = \"feed.csv\"")]);
    let summary = held(&system, 300);
    assert!(summary.contains("feed.csv is listed but no longer read as a product feed (300 skus)"), "{summary}");
    let source = format!("[[source]]\nname = \"north\"\nurl = \"{}\"\n", system.url("north"));
    let report = "[[report]]\nname = \"all\"\nfiles = \"*.csv\"\ngroup_by = \"name\"\nmetrics = { n = \"count()\" }\n";
    system.configure(&format!("{source}{report}"));
    let summary = held(&system, 300);
    assert!(summary.contains("because of `include`, `exclude` or a report without `feed = true`"), "{summary}");
    system.configure(&format!("[catalog]\ncheck = \"name < 'a 2'\"\n{source}"));
    let summary = held(&system, 300);
    let cause = "feed.csv lacks 188 of its skus, though only how it is read has changed, and 188 of its 300 rows are rejects, the first in line 4: ";
    assert!(summary.contains(cause), "{summary}");
}

/// It said that the next pass applies it.
#[test]
fn the_rows_of_a_source_that_is_not_configured_go_when_they_are_accepted() {
    let mut system = system("");
    system.write("south", "feed.csv", "sku,name\ns1,Brush\n");
    system.serve("south");
    system.configure_sources(&[("north", ""), ("south", "")]);
    system.start_master_that_warns();
    system.sync();
    system.configure_sources(&[("south", "")]);
    system.hangup();
    wait::until("north is held", || {
        let sources = system.json("/api/v1/sources");
        sources["items"].as_array().unwrap().iter().any(|source| source["state"] == "held").then_some(())
    });
    system.stop_master();
    let output = system.run("master", &["--accept", "north"]);
    assert!(output.status.success(), "{}", process::stderr(&output));
    let expect =
        "accepted what north held; it is no longer configured, so its rows were deleted, and 300 products with them\n";
    assert_eq!(process::stdout(&output), expect);
    assert_eq!(system.products().into_keys().collect::<Vec<_>>(), ["s1"]);
}
