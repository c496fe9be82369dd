//! Notes on files: what was guessed, left out or odd is stored and shown wherever files are.

use crate::system::System;

#[test]
fn a_file_says_what_was_guessed_and_what_is_odd() {
    let mut system = System::new();
    system.write("north", "clean.csv", "sku,name\nc1,x\n");
    system.write("north", "guess.csv", b"sku,name\ng1,caf\xe9\n");
    let same = (0..30).map(|n| format!("8.85010E+12,name {n}\n")).collect::<String>();
    system.write("north", "rounded.csv", format!("sku,name\n{same}"));
    system.serve("north");
    system.configure_sources(&[("north", "")]);
    system.start_master(&[]);
    system.sync();
    let files = system.json("/api/v1/files?source=north")["items"].clone();
    let note = |file: usize, word: &str| {
        let notes = files[file]["notes"].as_str().unwrap_or_default();
        assert!(notes.contains(word), "{word:?} is not in {notes:?}");
    };
    assert!(files[0]["notes"].is_null() && files[0]["replaced"] == 0, "{files}");
    note(1, "encoding windows-1252, guessed from 1 line, which is little evidence");
    note(2, "30 rows share 1 skus");
    note(2, "8.85010E+12");
    assert_eq!(files[2]["replaced"], 29);
    let shown = system.ask("GET", "/files?source=north", "").text();
    assert!(shown.contains("guessed from 1 line") && shown.contains("8.85010E+12"), "{shown}");
    assert_eq!(system.ask("GET", "/files?sources=north", "").status, 400);
    let table = system.table("files");
    assert_eq!((&table[1]["notes"], &table[2]["replaced"]), (&files[1]["notes"], &files[2]["replaced"]));
}
