//! Passwords in addresses that are wrong.

use super::load;

#[test]
fn no_error_shows_the_password_of_an_address() {
    for address in ["http://ann:secret@h:99999", "ftp://ann:secret@h", "http://ann:a@secret@h?x", "ann:secret@h"] {
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
            assert!(!why.contains("secret"), "{toml}{flags:?}: {why}");
        }
    }
}
