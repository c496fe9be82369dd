//! `[[format]]`: how files are read is said by the master, by the owner of a folder, or by both, and a change of it reads them again.

use tributary_testkit::http;

use crate::system::System;

/// Fields between `|`, in a file without quoting.
const PIPES: &str = "sku|name\np1|13\" plate\np2|\"Ink\n";

fn names(system: &System) -> Vec<(String, String)> {
    system.products().into_iter().map(|(sku, (name, _))| (sku, name)).collect()
}

fn pairs(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(sku, name)| ((*sku).to_owned(), (*name).to_owned())).collect()
}

#[test]
fn a_format_of_a_source_is_used_and_its_change_reads_the_files_again() {
    let mut system = System::new();
    system.write("north", "a.csv", PIPES);
    let url = system.serve("north");
    let configure =
        |format: &str| system.configure(&format!("[[source]]\nname = \"north\"\nurl = \"{url}\"\n{format}"));
    configure("[[source.format]]\nfiles = \"b*\"\nskip_rows = 9\n[[source.format]]\ndelimiter = \"|\"\nquote = \"\"\n");
    system.once_ok();
    assert_eq!(names(&system), pairs(&[("p1", "13\" plate"), ("p2", "\"Ink")]));
    assert!(system.once_ok().contains(" 0 files read"));
    configure("[[source.format]]\ndelimiter = \"|\"\nquote = \"\"\nskip_rows = 1\nheader = [\"sku\", \"name\"]\n");
    assert!(system.once_ok().contains(" 1 files read"));
}

#[test]
fn the_owner_of_a_folder_says_it_once_for_all() {
    let mut system = System::new();
    system.write("north", "a.txt", PIPES);
    let formats = system.folder("north").with_file_name("formats.toml");
    std::fs::write(&formats, "[[format]]\nfiles = \"*.txt\"\ndelimiter = \"|\"\nquote = \"\"\n").unwrap();
    let mut command = system.command("data-source", &["--listen", "127.0.0.1:0", "--settle", "50ms", "--dir"]);
    command.arg(system.folder("north")).arg("--formats").arg(&formats);
    let source = tributary_testkit::process::Daemon::start(command);
    let text = |path: &str| String::from_utf8(http::get(&format!("{}{path}", source.url)).unwrap().1).unwrap();
    assert_eq!(text("/read"), "sku,name\np1,\"13\"\" plate\"\np2,\"\"\"Ink\"\n");
    let announced = "\"formats\":[{\"files\":[\"*.txt\"],\"delimiter\":\"|\",\"quote\":\"\"}]";
    assert!(text("/sense/files").contains(announced), "{}", text("/sense/files"));
    let report = "[[report]]\nname = \"r\"\nfiles = \"*\"\nfeed = true\nmetrics = { rows = \"count()\" }\n";
    let configure =
        |more: &str| system.configure(&format!("[[source]]\nname = \"north\"\nurl = \"{}\"\n{more}", source.url));
    configure(report);
    system.once_ok();
    assert_eq!(names(&system), pairs(&[("p1", "13\" plate"), ("p2", "\"Ink")]));
    // A setting of the master wins; the others stay as announced. A report's own win over both.
    configure(&format!(
        "[[source.format]]\nquote = \"'\"\n{report}[[report.format]]\nskip_rows = 1\nheader = [\"x\", \"y\"]\n"
    ));
    system.once_ok();
    assert_eq!(names(&system), pairs(&[("p1", "13\" plate"), ("p2", "\"Ink")]));
    system.start_master(&[]);
    assert_eq!(system.json("/api/v1/reports/r")["items"][0]["rows"], 2);
}

#[test]
fn words_for_op_are_mapped() {
    let mut system = System::new();
    system.write("north", "a.csv", "Op,sku,name\nI,a,A\nU,b,B\n");
    system.write("north", "b.csv", "Op,sku,name\nD,a,\nx,b,C\n");
    let url = system.serve("north");
    let ops = "[[source.format]]\nop = { I = \"upsert\", u = \"upsert\", D = \"delete\" }\n";
    system.configure(&format!("[[source]]\nname = \"north\"\nurl = \"{url}\"\n{ops}"));
    system.once_ok();
    assert_eq!(names(&system), pairs(&[("b", "B")]));
    assert!(system.table("rejects")[0]["reason"].as_str().unwrap().contains("`x`"));
}

#[test]
fn of_two_columns_that_a_name_could_mean_the_exact_one_counts() {
    let mut system = System::new();
    system.write("north", "a.csv", "sku,Name,name\na,wrong,right\n");
    system.write("north", "b.csv", "sku,NAME,Name\nb,1,2\n");
    system.serve("north");
    system.configure_sources(&[("north", "")]);
    let output = system.once();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("b.csv is rejected") && said.contains("`NAME`") && said.contains("`Name`"), "{said}");
    assert_eq!(names(&system), pairs(&[("a", "right")]));
}
