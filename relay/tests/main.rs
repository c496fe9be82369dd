//! The program as it is started. With this test `cargo test` builds it, which tests of `master` run too.

use std::process::Command;

#[test]
fn what_is_missing_is_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_relay")).env_clear().output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && told.contains("--amqp") && told.contains("--to"), "{told}");
}
