//! The configuration: what `--check` says of it, sources that are gone from it, and reloading it.

use std::fs;

use tributary_testkit::{http, process, wait};

use crate::system::System;

/// Two sources with one product each, loaded once.
fn two_sources() -> System {
    let mut system = System::new();
    for (source, sku) in [("north", "n1"), ("south", "s1")] {
        system.write(source, "feed.csv", format!("sku,name\n{sku},Pen\n"));
        system.serve(source);
    }
    system.configure_sources(&[("north", ""), ("south", "")]);
    system.once_ok();
    system
}

/// A master that was started without its sources used to delete every row with two warnings.
#[test]
fn a_source_with_rows_is_dropped_only_when_someone_says_so() {
    let system = two_sources();
    system.configure_sources(&[("north", "")]);
    for args in [&["--once"][..], &["--listen", "127.0.0.1:0"], &["--once", "--drop-sources", "north"]] {
        let output = system.run("master", args);
        let text = process::stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {text}");
        assert!(text.contains("`south` (1 offers)") && text.contains("--drop-sources south"), "{text}");
    }
    assert_eq!(system.products().len(), 2);
    let output = system.run("master", &["--once", "--drop-sources", "other,south"]);
    assert!(output.status.success(), "{}", process::stderr(&output));
    assert_eq!(system.products().into_keys().collect::<Vec<_>>(), ["n1"]);
    system.configure("");
    assert_eq!(system.run("master", &["--once"]).status.code(), Some(1));
    assert!(system.run("master", &["--once", "--drop-sources", "all"]).status.success());
    assert!(system.products().is_empty());
}

/// A database that was restored without its uploads folder must not lose the rows of the uploads.
#[test]
fn a_missing_uploads_folder_is_a_source_that_is_gone() {
    let mut system = System::new();
    system.start_master(&[]);
    let sent = system.ask("POST", "/api/v1/uploads?filename=a.csv", "sku,name\na,Pen\n");
    assert_eq!(sent.status, 202, "{}", sent.text());
    wait::until("the upload is applied", || (system.products().len() == 1).then_some(()));
    system.stop_master();
    let folder = system.beside("uploads");
    fs::rename(&folder, folder.with_extension("away")).unwrap();
    let text = process::stderr(&system.run("master", &["--once"]));
    assert!(text.contains("`uploads` (1 offers)") && text.contains("uploads folder"), "{text}");
    fs::rename(folder.with_extension("away"), &folder).unwrap();
    assert!(system.run("master", &["--once"]).status.success());
    assert_eq!(system.products().len(), 1);
}

/// Uploads that only a report reads were dropped as "no longer configured", and the report was called current without a row.
#[test]
fn a_missing_folder_of_uploads_that_only_a_report_reads_is_refused() {
    let mut system = System::new();
    let report = "[[report]]\nname = \"sold\"\nfiles = \"*.csv\"\nmetrics = { rows = \"count()\" }\n";
    system.configure(&format!("{report}[uploads]\nkeep_free = \"0B\"\n"));
    system.start_master(&[]);
    let put = system.ask("PUT", "/api/v1/documents/a.csv?wait=applied", "day,item\n1,Pen\n2,Ink\n");
    assert_eq!(put.status, 200, "{}", put.text());
    system.stop_master();
    let (folder, away) = (system.beside("uploads"), system.home().join("away"));
    fs::rename(&folder, &away).unwrap();
    for args in [&["--once"][..], &["--listen", "127.0.0.1:0"]] {
        let output = system.run("master", args);
        let text = process::stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("`uploads` (read by the reports `sold`)") && text.contains("restore it"), "{text}");
    }
    fs::rename(&away, &folder).unwrap();
    system.start_master(&[]);
    assert_eq!(system.json("/api/v1/reports/sold")["items"][0]["rows"], 2);
    system.stop_master();
    fs::rename(&folder, &away).unwrap();
    assert!(system.run("master", &["--once", "--drop-sources", "uploads"]).status.success());
}

#[test]
fn check_says_what_the_configuration_means() {
    let system = System::new();
    let report =
        "[[report]]\nname = \"sales\"\nfiles = \"s/*.csv\"\ngroup_by = [\"Shop\"]\nmetrics = { rows = \"count()\" }\n";
    let source =
        "[[source]]\nname = \"north\"\nurl = \"http://127.0.0.1:9\"\npriority = 3\ncolumns = { sku = \"Item\" }\n";
    system.configure(&format!("reload = \"watch\"\n{source}{report}"));
    let output = system.run("master", &["--check"]);
    let text = process::stdout(&output);
    assert!(output.status.success(), "{text}{}", process::stderr(&output));
    let parts = [
        "tributary.toml",
        "a change of the file",
        "north: http://127.0.0.1:9/, priority 3",
        "sku is the column \"Item\"",
        "sales: files s/*.csv",
        "grouped by Shop",
        "rows = count()",
    ];
    parts.iter().for_each(|part| assert!(text.contains(part), "`{part}` is missing: {text}"));
    assert!(!system.database_exists(), "a check opens nothing");
    system.configure(&format!("{source}priority = \"high\"\n"));
    let output = system.run("master", &["--check"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(process::stderr(&output).contains("tributary.toml, line "), "{}", process::stderr(&output));
}

#[test]
fn sighup_puts_a_new_configuration_into_force() {
    let mut system = two_sources();
    for source in ["north", "south"] {
        system.write(source, "both.csv", format!("sku,name,Item\nboth,From {source},x\n"));
    }
    system.configure_sources(&[("north", "priority = 1"), ("south", "")]);
    system.start_master_that_warns();
    system.sync();
    let shown = |sku: &str| system.products().get(sku).map(|(name, _)| name.clone());
    assert_eq!(shown("both").unwrap(), "From north");
    let mut events = http::lines(&system.master_url("/api/v1/events"), &[]).unwrap();
    events.next().unwrap();

    // A priority, a mapping and a report change; a source is added.
    system.write("west", "feed.csv", "sku,name\nw1,Ink\n");
    let west = {
        let daemon = process::Daemon::source(&system.folder("west"));
        let url = daemon.url.clone();
        (daemon, url)
    };
    let sections = |extra: &str| {
        let section =
            |name: &str, url: &str, lines: &str| format!("[[source]]\nname = \"{name}\"\nurl = \"{url}\"\n{lines}\n");
        let (north, south) = (system.url("north"), system.url("south"));
        section("north", north, "") + &section("south", south, "priority = 2") + &section("west", &west.1, "") + extra
    };
    let report = "[[report]]\nname = \"rows\"\nfiles = \"**\"\nfeed = true\nmetrics = { rows = \"count()\" }\n";
    system.configure(&sections(report));
    system.hangup();
    wait::until("the new source is loaded", || shown("w1"));
    wait::until("the new order holds", || (shown("both")? == "From south").then_some(()));
    wait::until("the new report is computed", || {
        let rows = system.json("/api/v1/reports/rows")["items"].as_array()?.first()?["rows"].clone();
        (rows == 5).then_some(())
    });
    assert!(events.any(|line| line == "event: configuration"));

    // A wrong configuration leaves the old one in force.
    system.configure("[[source]]\nname = \"north\"\n");
    system.hangup();
    wait::until("the mistake is logged", || {
        let log = system.log();
        (log.contains("the old configuration stays in force") && log.contains("tributary.toml, line 1")).then_some(())
    });
    system.write("west", "feed.csv", "sku,name\nw1,Blue ink\n");
    wait::until("the old configuration is still polled", || (shown("w1")? == "Blue ink").then_some(()));

    // Without the report, its table is gone.
    system.configure(&sections(""));
    system.hangup();
    wait::until("the report is gone", || (system.ask("GET", "/api/v1/reports/rows", "").status == 404).then_some(()));
}

/// A file that an editor was replacing put an empty configuration into force: all sources were held, all reports dropped.
#[test]
fn a_file_that_is_gone_or_says_nothing_leaves_the_old_configuration_in_force() {
    let mut system = two_sources();
    let sources = |first: &str| {
        let section = |name: &str| format!("[[source]]\nname = \"{name}\"\nurl = \"{}\"\n", system.url(name));
        format!("{first}{}{}", section("north"), section("south"))
    };
    let texts = [sources(""), sources("reload = \"watch\"\n")];
    let file = system.home().join("tributary.toml");
    let mistakes = |system: &System| system.log().matches("the old configuration stays in force").count();
    for text in texts {
        system.configure(&text);
        system.start_master_that_warns();
        system.write("north", "feed.csv", "sku,name\nn1,Pen\n");
        system.sync();
        let watches = text.starts_with("reload");
        fs::remove_file(&file).unwrap();
        if !watches {
            system.hangup();
        }
        wait::until("the missing file is logged", || {
            let log = system.log();
            (mistakes(&system) > 0 && log.contains("failed to read the configuration tributary.toml")).then_some(())
        });
        system.configure("# nothing\n");
        if !watches {
            system.hangup();
        }
        wait::until("the empty file is logged", || {
            let log = system.log();
            (mistakes(&system) > 1 && log.contains("the configuration tributary.toml has no setting")).then_some(())
        });
        system.write("north", "feed.csv", "sku,name\nn1,Biro\n");
        wait::until("the sources are still polled", || (system.products()["n1"].0 == "Biro").then_some(()));
        system.configure(&text);
        if !watches {
            system.hangup();
        }
        let back = "the configuration can be read again, and is in force";
        wait::until("it is said that the file is back", || system.log().contains(back).then_some(()));
        assert_eq!((mistakes(&system), system.log().matches(back).count()), (2, 1), "{}", system.log());
        system.kill_master();
    }
}

#[test]
fn a_watched_file_is_reloaded_when_it_changes() {
    let mut system = two_sources();
    let sources = |lines: &str| {
        let section = |name: &str, lines: &str| {
            format!("[[source]]\nname = \"{name}\"\nurl = \"{}\"\n{lines}\n", system.url(name))
        };
        format!("reload = \"watch\"\n{}{}", section("north", lines), section("south", ""))
    };
    let (before, after) = (sources(""), sources("columns = { name = \"Item\" }"));
    system.configure(&before);
    system.start_master_that_warns();
    system.write("north", "feed.csv", "sku,name,Item\nn1,Pen,Biro\n");
    system.sync();
    system.configure(&after);
    wait::until("the mapped column is read", || (system.products()["n1"].0 == "Biro").then_some(()));
}

/// Formats of uploads were applied only at the next start, and uploads until then were read in the old way.
#[test]
fn a_reload_applies_the_formats_of_uploads() {
    let mut system = two_sources();
    let formats = |is_text: bool| {
        let source = |name: &str| format!("[[source]]\nname = \"{name}\"\nurl = \"{}\"\n", system.url(name));
        let format = format!("[[uploads.format]]\ntext_cells = {is_text}\n");
        source("north") + &source("south") + &format
    };
    let (plain, unwrapped) = (formats(false), formats(true));
    system.configure(&plain);
    system.start_master(&[]);
    system.sync();
    // Before the source of uploads runs, or just after.
    system.configure(&unwrapped);
    system.hangup();
    let sent = system.ask("POST", "/api/v1/uploads?filename=a.csv", "sku,name\nu1,'007\n");
    assert_eq!(sent.status, 202, "{}", sent.text());
    let is_shown = |expect: &str| system.products().get("u1").filter(|(name, _)| name == expect).map(|_| ());
    wait::until("the upload is read in the new way", || is_shown("007"));
    // And while it runs.
    system.configure(&plain);
    system.hangup();
    wait::until("the upload is read again", || is_shown("'007"));
}
