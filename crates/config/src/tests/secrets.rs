//! Passwords in addresses that are wrong.

use super::load;

#[test]
fn no_error_shows_the_password_of_an_address() {
    for address in ["http://ann:hunter2@h:99999", "ftp://ann:hunter2@h", "http://ann:a@hunter2@h?x", "ann:hunter2@h"] {
        let source = format!("[[source]]\nname = \"a\"\nurl = \"{address}\"\n");
        let engine = format!("[engine]\nballista = \"{address}\"\n");
        let named = format!("n={address}");
        for (toml, flags) in [
            (source, vec![]),
            (engine, vec![]),
            (String::new(), vec!["--source", address]),
            (String::new(), vec!["--source", &named]),
            (String::new(), vec!["--public-url", address]),
        ] {
            let why = load(&toml, &flags).unwrap_err();
            assert!(!why.contains("hunter2"), "{toml}{flags:?}: {why}");
        }
    }
}
