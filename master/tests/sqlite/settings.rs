//! The path of the database as a setting of every program.

use tributary_testkit::process;

use crate::system::System;

#[test]
fn every_program_understands_the_same_configuration() {
    let mut system = System::of_file();
    system.serve("north");
    let top = "database_url = \"other.db\"\nlisten = \"127.0.0.1:0\"\npoll_interval = \"2s\"\n";
    let source =
        "name = \"n\"\npriority = 2\ncolumns = { sku = \"a\", name = \"b\", description = \"c\", op = \"d\" }\n";
    system.configure(&format!("{top}[[source]]\nurl = \"{}\"\n{source}", system.url("north")));
    for (binary, flag) in [("starter", None), ("master", Some("--once")), ("readdb", None)] {
        let output = system.run(binary, flag.as_slice());
        assert_ne!(output.status.code(), Some(2), "{}", process::stderr(&output));
    }
    assert!(system.home().join("other.db").exists() && !system.database_exists());
    system.configure("\ndatabase_ur = \"other.db\"\n");
    for (binary, flag) in [("starter", None), ("master", Some("--once")), ("readdb", None)] {
        let output = system.run(binary, flag.as_slice());
        assert_eq!(output.status.code(), Some(2), "{binary}");
        let text = process::stderr(&output);
        assert!(text.contains("tributary.toml, line 2") && text.contains("`database_ur`"), "{text}");
    }
    assert!(!system.database_exists());
}
