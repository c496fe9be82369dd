//! Runs the Python source of docs/guide/own-source.md, which shares no code with ours, beside a master.

use std::{
    fs,
    process::{Command, Stdio},
};

use e2e::System;
use tributary_testkit::{process::Daemon, wait};

/// The first Python block of the page that is a server.
fn program() -> String {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/own-source.md")).unwrap();
    let mut blocks = page.split("```python\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.find(|block| block.contains("http.server")).expect("own-source.md has a source in Python").to_owned()
}

#[test]
fn the_source_in_the_guide_is_a_source() {
    let text = program();
    assert!(text.lines().count() <= 20, "a source is short");
    let system = System::with_source("sku,name\np1,Pen\np2,Ink\n", |feed| {
        let program = feed.with_file_name("source.py");
        fs::write(&program, text).unwrap();
        let mut python = Command::new("python3");
        // Port 0 lets it choose a free port. It logs every request on stderr.
        python.arg(program).arg(feed).arg("0").stderr(Stdio::null());
        Daemon::start(python)
    });
    let product = |sku: &str| system.product(sku).map(|(name, _)| name);
    assert_eq!((product("p1").as_deref(), product("p2").as_deref()), (Some("Pen"), Some("Ink")));

    system.write("sku,name\np1,Fountain pen\np3,Nib\n");
    wait::until("the change arrives", || (product("p1")? == "Fountain pen").then_some(()));
    assert_eq!((product("p2"), product("p3").as_deref()), (None, Some("Nib")));
}
