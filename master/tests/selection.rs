//! Which files of a source are read, and what is said if there is none.

use tributary_testkit::wait;

use crate::system::System;

#[test]
fn only_chosen_files_are_read() {
    let mut system = System::new();
    for path in ["a.csv", "b.csv", "old/c.csv", "d.tsv"] {
        system.write("north", path, format!("sku,name\n{path},x\n"));
    }
    system.serve("north");
    let skus = |system: &System| system.products().into_keys().collect::<Vec<_>>();
    system.configure_sources(&[("north", "include = [\"*.csv\", \"old/*\"]\nexclude = \"b*\"")]);
    system.once_ok();
    assert_eq!(skus(&system), ["a.csv", "old/c.csv"]);
    system.configure_sources(&[("north", "exclude = [\"old/**\"]")]);
    system.once_ok();
    assert_eq!(skus(&system), ["a.csv", "b.csv", "d.tsv"]);
}

#[test]
fn a_source_without_a_file_says_what_it_leaves_out() {
    let mut system = System::new();
    let mut command = tributary_testkit::process::command("data-source", &system.folder("north"));
    command.args(["--settle", "20ms", "--listen", "127.0.0.1:0", "--dir"]).arg(system.folder("north"));
    std::fs::write(system.folder("north").join("prices.ods"), "x").unwrap();
    let source = tributary_testkit::process::Daemon::start(command);
    system.configure(&format!("[[source]]\nname = \"north\"\nurl = \"{}\"\n", source.url));
    system.start_master(&[]);
    let note =
        wait::until("the note", || system.json("/api/v1/sources")["items"][0]["note"].as_str().map(str::to_owned));
    assert_eq!(note, "offers no file; left out: prices.ods (ending)");
    assert!(system.ask("GET", "/", "").text().contains(&note));
}
