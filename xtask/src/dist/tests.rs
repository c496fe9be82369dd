//! The files that are packaged.

use tributary_testkit::process;

use super::*;

#[test]
fn the_example_configuration_is_accepted_with_every_line_in_force() {
    let home = tempfile::tempdir().unwrap();
    let example = fs::read_to_string(root().join("packaging/tributary.toml")).unwrap();
    let is_setting = |line: &&str| line.starts_with('#') && !line.starts_with("# ");
    let settings: Vec<&str> = example.lines().filter(is_setting).map(|line| &line[1..]).collect();
    assert!(settings.len() > 15, "{settings:?}");
    // The secrets that it names.
    for secret in ["form.token", "north.token"] {
        fs::write(home.path().join(secret), "secret-q7Yh2mVt9Kp4Zx8Rb1Nc5").unwrap();
    }
    fs::write(home.path().join("tributary.toml"), settings.join("\n")).unwrap();
    let output = process::command("master", home.path()).arg("--check").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", process::stderr(&output));
}

#[test]
fn the_package_names_every_folder_that_is_collected() {
    let manifest = fs::read_to_string(root().join("packaging/Cargo.toml")).unwrap();
    for (_, folder) in FILES {
        assert!(manifest.contains(&format!("target/dist/files/{folder}/*")), "{folder}");
    }
}
