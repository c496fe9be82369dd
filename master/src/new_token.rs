//! `master --new-token NAME`: makes a token, and prints its line for a token file.

use std::io::{self, Write};

use anyhow::{Context, Result};
use tributary_admission::{Role, Token};

/// Prints `NAME TOKEN`, or `NAME ROLE TOKEN`. Nothing is stored.
///
/// # Errors
/// The system gives no random bytes; the line cannot be written.
pub fn print_new_token(name: &str, role: Option<Role>) -> Result<()> {
    let token = Token::random().context("failed to get random bytes")?;
    let role = role.map(|role| format!("{role} ")).unwrap_or_default();
    writeln!(io::stdout(), "{name} {role}{}", token.expose()).context("failed to write the token")
}
