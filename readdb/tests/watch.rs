//! `--watch`, in a pipe and on a terminal, and tables that fit a terminal.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use tributary_store::ProductRow;
use tributary_testkit::{terminal::OnTerminal, wait::until};

use crate::{Database, readdb_in};

impl Database {
    /// Commits a product, as a master does beside `readdb`.
    fn commit(&mut self, sku: &str) {
        let name = "漢字".repeat(60);
        let description = String::new();
        let row = ProductRow { sku: sku.to_owned(), name, description, file_id: None, edited: true, own: None };
        self.store.insert_products(&[row], 0).unwrap();
    }
}

fn interrupt(id: u32) {
    assert!(Command::new("kill").args(["-INT", &id.to_string()]).status().unwrap().success());
}

#[test]
fn in_a_pipe_each_change_is_printed_below_a_time() {
    let mut database = Database::new();
    let mut child = readdb_in(database.folder.path(), "products --watch").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let time = lines.next().unwrap();
    assert!(time.len() == 20 && time.ends_with('Z'), "{time}");
    assert!(lines.any(|line| line == "3 of 3 products"));
    database.commit("new");
    let second: Vec<String> = lines.by_ref().take_while(|line| line != "4 of 4 products").collect();
    assert!(second.iter().any(|line| line.starts_with("│ new ")), "{second:?}");
    assert!(second.iter().all(|line| !line.contains('\u{1b}') && !line.contains('…')), "{second:?}");
    interrupt(child.id());
    assert_eq!(child.wait().unwrap().code(), Some(0), "Ctrl-C is the way to end it");
}

#[test]
fn it_ends_when_nobody_reads_any_more() {
    let database = Database::new();
    let mut child = readdb_in(database.folder.path(), "aggr --watch=3600").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().is_some());
    drop(lines);
    let status = until("the end", || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
}

#[test]
fn on_a_terminal_the_tables_are_replaced_in_place() {
    let mut database = Database::new();
    let mut command = readdb_in(database.folder.path(), "products --watch");
    let mut terminal = OnTerminal::start(command.env("TERM", "xterm").env_remove("NO_COLOR"), 100, 40);
    let first = terminal.read_until(|text| text.contains("3 of 3 products"));
    assert!(first.starts_with("\u{1b}[H") && first.contains("Ctrl-C ends"), "{first:?}");
    database.commit("new");
    let both = terminal.read_until(|text| text.contains("4 of 4 products"));
    assert_eq!(both.matches("\u{1b}[H").count(), 2, "{both:?}");
    interrupt(terminal.child.id());
    assert_eq!(terminal.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_plain_terminal_gets_text_alone_but_it_fits() {
    let mut database = Database::new();
    database.commit("new");
    for (variable, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let mut command = readdb_in(database.folder.path(), "products --watch");
        command.env_remove("NO_COLOR").env("TERM", "xterm").env(variable, value);
        let mut terminal = OnTerminal::start(&mut command, 90, 24);
        let text = terminal.read_until(|text| text.contains("4 of 4 products"));
        assert!(!text.contains('\u{1b}') && text.contains("…"), "{text:?}");
        let width = |line: &str| line.chars().map(|c| if "漢字".contains(c) { 2 } else { 1 }).sum::<usize>();
        assert!(text.lines().all(|line| width(line) <= 90), "{text}");
    }
}
