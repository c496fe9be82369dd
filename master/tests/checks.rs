//! `starter check`: it computes the tables again, beside a master or without one, and names what differs.

use std::{fs, process::Output};

use tributary_store::{GroupRow, ProductFilter, ProductRow, ReportRange, ReportValue};
use tributary_testkit::{feed, http, process, wait};

use crate::system::System;

/// Gives a system two sources that offer some of the same, with own columns, an edit of each kind, an upload, and a report.
pub(crate) fn filled(mut system: System) -> System {
    for (name, first) in [("north", 0), ("south", 1_000)] {
        let mut rows = Vec::new();
        feed::write(&mut rows, 2_000, first, 1).unwrap();
        system.write(name, "feed.csv", rows);
        system.serve(name);
    }
    system.write("north", "own.csv", "sku,name,description,price\nA1,Pen,blue,3.50\nA2,Ink,,\n");
    system.write("south", "sales/a.csv", "Shop,Number\nCairo,3\nLima,4.25\n");
    system.write("south", "sales/b.csv", "Shop,Number\nCairo,2\nnone\n");
    let (north, south) = (system.url("north").to_owned(), system.url("south").to_owned());
    system.configure(&format!(
        "[[source]]\nname = \"north\"\nurl = \"{north}\"\n[[source]]\nname = \"south\"\nurl = \"{south}\"\n\
         [[report]]\nname = \"sales\"\nfiles = \"sales/**\"\ngroup_by = \"Shop\"\nmetrics = {{ sum = \"sum(Number)\", rows = \"count()\" }}\n\
         [catalog]\ncolumns = [\"price\"]\n[uploads]\nkeep_free = \"0B\"\n"
    ));
    system.start_master(&[]);
    system.sync();
    wait::until("the report is computed", || {
        (system.json("/api/v1/reports")["items"][0]["state"] == "current").then_some(())
    });
    let put = system.ask("PUT", "/api/v1/documents/a.csv?wait=applied", "sku,name\nu1,Upload\nA2,Theirs\n");
    assert_eq!(put.status, 200, "{}", put.text());
    for (sku, body) in
        [("A1", r#"{"name": "Mine", "description": ""}"#), ("new", r#"{"name": "N", "description": ""}"#)]
    {
        let url = system.master_url(&format!("/api/v1/products/{sku}"));
        let answer = http::request("PUT", &url, &[("Content-Type", "application/json")], body.as_bytes()).unwrap();
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
    }
    assert_eq!(system.ask("DELETE", "/api/v1/products/u1", "").status, 204);
    system
}

/// The sources of a configuration, the first of them with these settings.
fn sources(system: &System, settings: &str) -> String {
    let (north, south) = (system.url("north"), system.url("south"));
    format!(
        "[[source]]\nname = \"north\"\nurl = \"{north}\"\n{settings}[[source]]\nname = \"south\"\nurl = \"{south}\"\n\
         [uploads]\nkeep_free = \"0B\"\n"
    )
}

fn check(system: &System) -> Output {
    system.run("starter", &["check"])
}

#[track_caller]
fn is_right(system: &System) {
    let output = check(system);
    assert!(output.status.success(), "{}", process::stderr(&output));
    assert!(
        process::stdout(&output).contains(&format!("{} is right: ", system.database_name())),
        "{}",
        process::stdout(&output)
    );
}

#[track_caller]
pub(crate) fn tells(system: &System, part: &str) {
    let output = check(system);
    let told = process::stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{told}{}", process::stdout(&output));
    assert!(told.contains(part), "{told}");
}

#[test]
fn right_tables_are_right_and_nothing_is_left_behind() {
    let mut system = filled(System::new());
    is_right(&system);
    let before = system.products();
    let files = || {
        let files = fs::read_dir(system.home()).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    };
    let names = files();
    is_right(&system);
    assert_eq!((files(), system.products()), (names, before));
    // The master was not disturbed.
    let put = system.ask("PUT", "/api/v1/documents/a.csv?wait=applied", "sku,name\nu2,Upload\n");
    assert_eq!(put.status, 200);
    is_right(&system);
    system.stop_master();
    is_right(&system);
}

#[test]
fn a_wrong_row_is_named_with_its_column() {
    let mut system = filled(System::new());
    system.stop_master();
    let row = |sku: &str, name: &str, own: Option<&str>| ProductRow {
        sku: sku.to_owned(),
        name: name.to_owned(),
        description: "blue".to_owned(),
        file_id: None,
        edited: true,
        own: own.map(str::to_owned),
    };
    let mut store = system.store_to_write();
    let view =
        store.products_page(&ProductFilter { sku: Some("A1".into()), ..ProductFilter::default() }, None, 1).unwrap();
    assert_eq!(view[0].name, "Mine");
    store.delete_products(&["A1"]).unwrap();
    tells(&system, "products: sku \"A1\" is missing");
    store.insert_products(&[row("A1", "Wrong", None)], 0).unwrap();
    tells(&system, "products: sku \"A1\", column ");
    store.insert_products(&[row("A0", "New", None)], 0).unwrap();
    tells(&system, "products: sku \"A0\" should not be there");
}

#[test]
fn a_wrong_count_of_a_name_is_named() {
    let mut system = filled(System::new());
    system.stop_master();
    system.store_to_write().add_to_aggr(&[("Mine", 1)]).unwrap();
    tells(&system, "aggr: name \"Mine\", column no_of_products: the database has \"2\", the sources give \"1\"");
}

/// The tables of reports were not looked at.
#[test]
fn a_wrong_row_of_a_report_is_named_with_its_column() {
    let mut system = filled(System::new());
    system.stop_master();
    let output = check(&system);
    assert!(process::stdout(&output).contains(" names and 2 rows of reports were compared"), "{output:?}");
    let mut store = system.store_to_write();
    let table = store.stored_report("sales").unwrap().unwrap();
    let right = store.report_rows(&table, ReportRange::ALL).unwrap();
    let mut changed = right.clone();
    changed[0].values[1] = ReportValue::Integer(7);
    store.write_report(&table, changed).unwrap();
    tells(&system, "report_sales: Shop \"Cairo\", column rows: the database has \"7\", the sources give \"2\"");
    store.write_report(&table, right[..1].to_vec()).unwrap();
    tells(&system, "report_sales: Shop \"Lima\" is missing");
    let more = GroupRow { group: vec!["Bonn".to_owned()], values: right[0].values.clone() };
    store.write_report(&table, [vec![more], right].concat()).unwrap();
    tells(&system, "report_sales: Shop \"Bonn\" should not be there");
    store.drop_report("sales").unwrap();
    tells(&system, "report_sales: it is not computed yet");
}

#[test]
fn sources_that_are_down_or_held_are_named() {
    let mut system = filled(System::new());
    system.write("north", "feed.csv", "sku,name\nlast,Last\n");
    system.settle("north");
    wait::until("it is held", || {
        system.ask("GET", "/api/v1/sources", "").text().contains("\"state\":\"held\"").then_some(())
    });
    tells(&system, &format!("cannot compare {}: north is held: ", system.database_name()));
    system.stop("south");
    tells(&system, "; south is down: ");
}

#[test]
fn what_no_master_has_applied_is_named() {
    let mut system = filled(System::new());
    system.stop_master();
    system.write("south", "late.csv", "sku,name\nlate,Late\n");
    system.settle("south");
    tells(&system, "south/late.csv: the source has it, and the database has no row of it");
    system.write("south", "late.csv", "x,y\n1,2\n");
    system.settle("south");
    is_right(&system);
    system.write("south", "feed.csv", "sku,name\nother,Other\n");
    system.settle("south");
    tells(&system, "south/feed.csv: the database has applied another content than the source holds");
}

/// It said that the source does not have the file, to people who had only forgotten `--config`.
#[test]
fn a_source_that_is_not_configured_is_named() {
    let mut system = filled(System::new());
    system.stop_master();
    let south = system.url("south");
    system.configure(&format!(
        "[[source]]\nname = \"south\"\nurl = \"{south}\"\n[catalog]\ncolumns = [\"price\"]\n[uploads]\nkeep_free = \"0B\"\n"
    ));
    tells(&system, "north/feed.csv: the database has its rows, and its source is not configured; name");
}

/// Columns that had been reordered or dropped made every later check fail.
#[test]
fn columns_that_were_reordered_or_dropped_are_right() {
    let mut system = filled(System::new());
    let columns = |columns: &[&str]| {
        let quoted: Vec<_> = columns.iter().map(|column| format!("{column:?}")).collect();
        system.configure(&format!("{}[catalog]\ncolumns = [{}]\n", sources(&system, ""), quoted.join(", ")));
        system.hangup();
        wait::until("the columns are in force", || {
            (system.store_to_write().catalog_settings().unwrap().shown == columns).then_some(())
        });
    };
    columns(&["stock", "price"]);
    is_right(&system);
    columns(&["price", "stock"]);
    is_right(&system);
    columns(&["stock"]);
    is_right(&system);
    columns(&[]);
    is_right(&system);
    system.stop_master();
    is_right(&system);
}

#[test]
fn files_that_the_configuration_reads_or_ranks_otherwise_are_named() {
    let mut system = filled(System::new());
    system.stop_master();
    let why = "it was read or ranked by other settings than those of the configuration; reload the master";
    for settings in ["columns = { description = \"name\" }\n", "[[source.format]]\norder = \"natural\"\n"] {
        system.configure(&format!("{}[catalog]\ncolumns = [\"price\"]\n", sources(&system, settings)));
        tells(&system, &format!("north/feed.csv: {why}"));
        system.start_master(&[]);
        system.sync();
        is_right(&system);
        system.stop_master();
    }
}
