//! `starter check` of a file whose pages are damaged.

use std::fs;

use crate::{
    checks::{filled, tells},
    system::System,
};

/// A page that no query of the check touched was damaged, and the file was called right.
#[test]
fn a_damaged_file_is_not_right() {
    let mut system = filled(System::of_file());
    system.stop_master();
    let path = system.file().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let pages = bytes.len() / 8_192;
    let index = (1..pages).rev().find(|page| bytes[page * 8_192] == 10).expect("an index has a leaf");
    bytes[index * 8_192 + 3..][..2].copy_from_slice(&[0xff, 0xff]);
    fs::write(&path, bytes).unwrap();
    tells(&system, "its file is damaged: ");
    tells(&system, "restore a backup");
}
